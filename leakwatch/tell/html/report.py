"""The page: what the template shows, the data that the script draws, and the policy that lets nothing else run."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from detectors.types import Assessment
from leakwatch.tell import sentences, units
from leakwatch.tell.document import document
from leakwatch.tell.figures import figures, models
from leakwatch.tell.html.panels import Panel, panels
from leakwatch.tell.html.reduction import encode_times, encode_values
from leakwatch.tell.html.sparkline import HEIGHT, WIDTH, sparkline
from leakwatch.tell.summary import summary_line
from leakwatch.tell.urgency import by_urgency
from leakwatch.trace import Trace
from playbooks.types import Diagnosis

MAX_POINTS, MIN_POINTS = 2_000, 120
"""Points of a series: more than a screen is wide, and what a small chart needs at least."""

VALUES_IN_ALL = 1_000_000
"""Values in one page, over all its series: at 16 bits, 2.7 characters each, under 3 MB."""

SERIES_BESIDE_COLUMNS = 8
"""What a trace's charts hold besides its columns, in series of 16 bits: the judged level once more, the fit, the fit
without the leak, what it leaves over, and two time axes of 32 bits."""

SCRIPTS = ("vendor/uPlot.iife.min.js", "report.js")
STYLES = ("vendor/uPlot.min.css", "report.css")


@dataclass(frozen=True, slots=True)
class View:
    """One trace as the template shows it: ready text, and its charts."""

    trace: Trace
    assessment: Assessment
    diagnosis: Diagnosis | None
    panels: tuple[Panel, ...]
    sparkline: str
    reduced: str


def render(analyses: Sequence[tuple[Trace, Assessment]], diagnoses: Sequence[Diagnosis | None] | None = None) -> str:
    """The whole report as one HTML document, the most urgent trace first; pure, whatever the names hold.

    Series of more than 2,000 points (fewer where there are many traces) are reduced to the extremes of buckets.

    Args:
        analyses: any number, in any order.
        diagnoses: one for each of ``analyses``, None where none was made.

    Raises:
        ValueError: ``diagnoses`` has another length than ``analyses``.
    """
    import jinja2  # 90 ms that no other output needs
    from markupsafe import Markup

    made = [None] * len(analyses) if diagnoses is None else diagnoses
    diagnosis_of = {id(assessment): diagnosis for (_, assessment), diagnosis in zip(analyses, made, strict=True)}
    ordered = by_urgency(analyses)
    series = sum(len(trace.columns) + SERIES_BESIDE_COLUMNS for trace, _ in ordered)
    max_points = min(MAX_POINTS, max(MIN_POINTS, VALUES_IN_ALL // max(series, 1)))
    views = [_view(trace, assessment, diagnosis_of[id(assessment)], max_points) for trace, assessment in ordered]
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    environment.globals.update(units=units, sentences=sentences, figures=figures, models=models, extent=_extent)
    scripts, styles = (_assets(names) for names in (SCRIPTS, STYLES))
    return environment.from_string(_asset("report.html.jinja")).render(
        views=views,
        heading=summary_line(ordered) if ordered else "No trace was given",
        policy=_policy(scripts, styles),
        scripts=[Markup(text) for text in scripts],
        styles=[Markup(text) for text in styles],
        data={
            "report": document(ordered, [view.diagnosis for view in views]),
            "charts": [_charts(view.panels) for view in views],
        },
        sparkline_width=WIDTH,
        sparkline_height=HEIGHT,
    )


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _assets(names: Sequence[str]) -> list[str]:
    return [_asset(name) for name in names]


def _policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """A content security policy that runs these scripts and styles, by their hash, and loads nothing at all."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {' '.join(map(_hash, styles))}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _view(trace: Trace, assessment: Assessment, diagnosis: Diagnosis | None, max_points: int) -> View:
    reduced = ""
    if len(trace.time_seconds) > max_points:
        reduced = (
            f"The charts are reduced from {len(trace.time_seconds):,} to at most {max_points:,} points a line: "
            "the lowest and the highest value of each bucket, so no peak is lost. The verdict rests on all samples."
        )
    return View(
        trace, assessment, diagnosis, panels(trace, assessment, max_points), sparkline(trace, assessment), reduced
    )


def _extent(values: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[str, str, str, str]:
    """First, lowest, highest and last known value, for the table under a chart."""
    known = values[np.isfinite(values)]
    if not len(known):
        return ("unknown",) * 4
    first, lowest, highest, last = (units.number(v) for v in (known[0], known.min(), known.max(), known[-1]))
    return first, lowest, highest, last


def _charts(charts: Sequence[Panel]) -> dict[str, Any]:
    """A trace's panels as report.js reads them; a time axis that several share is there once."""
    axes = {id(panel.time_seconds): panel.time_seconds for panel in charts}
    places = {axis: place for place, axis in enumerate(axes)}
    return {
        "times": [encode_times(axis) for axis in axes.values()],
        "panels": [_chart(panel, places[id(panel.time_seconds)]) for panel in charts],
    }


def _chart(panel: Panel, axis: int) -> dict[str, Any]:
    return {
        "time": axis,
        "dated": units.moment(panel.time_seconds[-1]).endswith("Z"),  # else elapsed seconds
        "lines": [{"ink": line.ink, **encode_values(panel.time_seconds, line.values)} for line in panel.lines],
        "limit": panel.limit,
        "limitLabel": panel.limit_label,
        "marks": [asdict(mark) for mark in panel.marks],
        "leakBetween": panel.leak_between,
    }
