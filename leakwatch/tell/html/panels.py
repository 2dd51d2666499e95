"""Which charts a trace gets, and what stands on each: lines in readable units, the limit, restarts, the onset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np

from detectors.types import Assessment, Fit
from leakwatch.tell.html.reduction import reduce
from leakwatch.tell.sentences import kill_times, metric_name
from leakwatch.tell.units import count, moment, size, size_unit, visible
from leakwatch.trace import MEMORY_COLUMNS, FloatArray, Trace

FITTED, WITHOUT_LEAK = "explanation", "without the leak"
INKS = tuple(f"ink{i}" for i in range(7))
"""Colours of lines with no meaning of their own; report.css says which."""

COUNTED = {
    "requests_total": ("Requests", "per second", "The rate between one sample and the next."),
    "model_loads_total": ("Model versions loaded", "since the start", ""),
    "threads": ("Threads", "", ""),
    "open_fds": ("Open file descriptors", "", ""),
}
"""Kind of column: title, unit, caption."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: (n,) values in the panel's unit, NaN where unknown; ``ink`` names its colour in the CSS."""

    label: str
    ink: str
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at a moment."""

    at: float
    label: str
    ink: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart.

    Attributes:
        title: what it shows.
        caption: what the lines do not say, in words.
        unit: of all its lines.
        time_seconds: (n,) Unix seconds.
        lines: at least one.
        bytes_per_unit: 1 where it does not measure bytes.
        limit: in the panel's unit; None where there is none, or the panel does not measure what is limited.
        limit_label: how to write it.
        marks: restarts and the onset.
        leak_between: indexes of two lines; the area between them is the leak.
    """

    title: str
    caption: str
    unit: str
    time_seconds: FloatArray
    lines: tuple[Line, ...]
    bytes_per_unit: float = 1.0
    limit: float | None = None
    limit_label: str = ""
    marks: tuple[Mark, ...] = ()
    leak_between: tuple[int, int] | None = None


def panels(trace: Trace, assessment: Assessment, max_points: int) -> tuple[Panel, ...]:
    """The judged metric first, then its residuals, all memory columns, and each other kind of column."""
    if len(trace.time_seconds) == 0:
        return ()
    time, columns = reduce(trace.time_seconds, drawable(trace), max_points)
    return tuple(_panels(trace, assessment, time, columns, max_points))


def drawable(trace: Trace) -> dict[str, FloatArray]:
    """Columns with at least one known value; request counters as rates, load counters counted from the start."""
    columns = {}
    for name, values in trace.columns.items():
        if not np.isfinite(values).any():
            continue
        if name.startswith("requests_total"):
            values = _per_second(trace.time_seconds, values)
        elif name.startswith("model_loads_total"):
            values = np.nancumsum(_increase(values))
        columns[name] = values
    return columns


def _panels(
    trace: Trace, assessment: Assessment, time: FloatArray, columns: Mapping[str, FloatArray], max_points: int
) -> Iterator[Panel]:
    metric = assessment.verdict.metric
    if metric is not None and metric in columns:
        yield _judged(trace, assessment, metric, time, columns[metric])
        if assessment.fit is not None and len(assessment.fit.time_seconds):
            yield _residuals(assessment.fit, metric, max_points)
    memory = [name for name in MEMORY_COLUMNS if name in columns]
    if memory and memory != [metric]:
        yield _in_bytes("Every memory column", time, {metric_name(name): columns[name] for name in memory})
    groups: dict[str, dict[str, FloatArray]] = {}
    for name in sorted(columns.keys() - set(memory)):
        groups.setdefault(name.partition(":")[0], {})[name] = columns[name]
    kinds = [kind for kind in COUNTED if kind in groups] + [kind for kind in groups if kind not in COUNTED]
    for kind in kinds:
        yield _counted(kind, time, groups[kind])


def _judged(trace: Trace, assessment: Assessment, metric: str, time: FloatArray, level: FloatArray) -> Panel:
    verdict, fit, limit = assessment.verdict, assessment.fit, trace.limit_bytes
    drawn = {metric_name(metric): level}
    said = []
    if fit is not None:
        drawn[FITTED] = _at(time, fit.time_seconds, fit.fitted_bytes)
        if fit.leak_bytes.any():
            drawn[WITHOUT_LEAK] = _at(time, fit.time_seconds, fit.fitted_bytes - fit.leak_bytes)
            said.append(f"The shaded area is the leak's own part: {size(float(fit.leak_bytes[-1]))} at the end.")
    marks = [Mark(at, "restart", "restart") for at in verdict.restarts]
    marks += [Mark(at, "killed", "limit") for at in kill_times(assessment)]
    if verdict.onset is not None:
        marks.append(Mark(verdict.onset, "onset", "leak"))
        said.append(f"The growth began at {moment(verdict.onset)}.")
    if verdict.restarts:
        said.append(f"{count(len(verdict.restarts), 'restart')}, the last at {moment(verdict.restarts[-1])}.")
    said.append("No memory limit is known." if limit is None else f"The limit is {size(limit)}.")
    panel = _in_bytes(f"The memory judged: {metric_name(metric)}", time, drawn, ("level", "fitted", "without"))
    return replace(
        panel,
        caption=" ".join(said),
        limit=None if limit is None else limit / panel.bytes_per_unit,
        limit_label="" if limit is None else f"limit {size(limit)}",
        marks=tuple(marks),
        leak_between=(1, 2) if WITHOUT_LEAK in drawn else None,
    )


def _residuals(fit: Fit, metric: str, max_points: int) -> Panel:
    left_over = fit.level_bytes - fit.fitted_bytes
    spread = float(np.sqrt(np.mean(left_over**2)))
    time, columns = reduce(fit.time_seconds, {f"{metric_name(metric)} minus fit": left_over}, max_points)
    words = f"The level of each of {count(len(left_over), 'bin')} minus the fit; {size(spread)} root mean square."
    return replace(_in_bytes("What the fit leaves over", time, columns), caption=words)


def _in_bytes(title: str, time: FloatArray, columns: Mapping[str, FloatArray], inks: Sequence[str] = INKS) -> Panel:
    unit, scale = size_unit(max(float(np.fmax.reduce(np.abs(values), initial=0.0)) for values in columns.values()))
    lines = tuple(
        Line(label, ink, values / scale) for (label, values), ink in zip(columns.items(), cycle(inks), strict=False)
    )
    return Panel(title, "", unit, time, lines, bytes_per_unit=scale)


def _counted(kind: str, time: FloatArray, columns: Mapping[str, FloatArray]) -> Panel:
    title, unit, caption = COUNTED.get(kind, (visible(kind), "", ""))
    lines = tuple(
        Line(visible(name.partition(":")[2] or "all" if len(columns) > 1 else title), ink, values)
        for (name, values), ink in zip(columns.items(), cycle(INKS), strict=False)
    )
    return Panel(title, caption, unit, time, lines)


def _at(time: FloatArray, bins: FloatArray, values: FloatArray) -> FloatArray:
    return np.interp(time, bins, values, left=np.nan, right=np.nan)


def _increase(counter: FloatArray) -> FloatArray:
    """(n,) how much a counter rose up to each known sample since the known one before; a reset starts again from 0."""
    known = np.flatnonzero(np.isfinite(counter))
    rise = np.diff(counter[known])
    increase = np.full(len(counter), np.nan)
    increase[known[1:]] = np.where(rise < 0, counter[known[1:]], rise)
    return increase


def _per_second(time_seconds: FloatArray, counter: FloatArray) -> FloatArray:
    known = np.flatnonzero(np.isfinite(counter))
    rate = _increase(counter)
    rate[known[1:]] /= np.diff(time_seconds[known])
    return rate
