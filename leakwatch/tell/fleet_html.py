"""A fleet as one page without a network: groups and leaking containers as small multiples, all on one time axis."""

from collections.abc import Sequence

import numpy as np

from detectors.types import Answer, FloatArray
from leakwatch.members import Grid, Group, Judged
from leakwatch.tell import units
from leakwatch.tell.fleet_rows import growth_with_interval, headline

SHOWN = 300
"""Pictures on the page; more than anyone looks at, and still under a megabyte."""

WIDTH, HEIGHT = 220, 56
_MARGIN = 3


def render(
    containers: int,
    counts: dict[Answer, int],
    leaks: Sequence[Judged],
    groups: Sequence[Group],
    grid: Grid | None,
) -> str:
    """The page; names are escaped by the template, which runs no script."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(loader=PackageLoader("leakwatch.tell"), autoescape=select_autoescape(default=True))
    span = "" if grid is None else f"{units.moment(grid.start_seconds)} to {units.moment(grid.end_seconds)}"
    return environment.get_template("fleet.html.jinja").render(
        headline=headline(containers, counts, leaks, groups),
        span=span,
        width=WIDTH,
        height=HEIGHT,
        groups=[_group(group) for group in groups if group.claimed][:SHOWN],
        leaks=[_container(one) for one in leaks[:SHOWN]],
        more=max(len(leaks) - SHOWN, 0),
    )


def _group(group: Group) -> dict[str, object]:
    return {
        "name": units.visible(f"{group.kind} {group.name}"),
        "said": f"{group.rising} of {group.replicas + group.still} rise together, {group.leaking} proven alone",
        "growth": growth_with_interval(group.trend) + " each" if group.trend else "",
        "because": [units.visible(sentence) for sentence in group.because],
        "path": path(group.levels),
    }


def _container(one: Judged) -> dict[str, object]:
    left = f"{units.duration(one.forecast.low)} left" if one.forecast else "no limit known"
    return {
        "name": units.visible(one.name),
        "said": left,
        "growth": growth_with_interval(one.trend) if one.trend else "",
        "because": [units.visible(sentence) for sentence in one.because],
        "path": path(one.levels),
        "limit": _of_limit(one),
    }


def path(levels: FloatArray) -> str:
    """The ``d`` of an SVG path over the levels' own range; gaps stay gaps. Empty without two levels."""
    known = np.isfinite(levels)
    if known.sum() < 2:
        return ""
    low, high = float(levels[known].min()), float(levels[known].max())
    span = (high - low) or 1.0
    steps, drawing = [], False
    for i, level in enumerate(levels):
        if not known[i]:
            drawing = False
            continue
        x = _MARGIN + i / max(len(levels) - 1, 1) * (WIDTH - 2 * _MARGIN)
        y = HEIGHT - _MARGIN - (float(level) - low) / span * (HEIGHT - 2 * _MARGIN)
        steps.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
        drawing = True
    return "".join(steps)


def _of_limit(one: Judged) -> str:
    if not one.limit_bytes or one.last_bytes is None:
        return ""
    last, limit = one.last_bytes, one.limit_bytes
    return f"{units.size(last)}, {units.share(last / limit)} of {units.size(limit)}"
