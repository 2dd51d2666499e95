"""The page: what the template shows, the data that the script draws, and the policy that lets nothing else run."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from detectors.types import Assessment
from leakwatch.tell import sentences, units
from leakwatch.tell.document import document
from leakwatch.tell.html.panels import Panel, panels
from leakwatch.tell.html.reduction import encode_times, encode_values
from leakwatch.tell.html.sparkline import HEIGHT, WIDTH, sparkline
from leakwatch.tell.urgency import by_urgency
from leakwatch.trace import Trace

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
    panels: tuple[Panel, ...]
    facts: tuple[tuple[str, str, str], ...]
    reduced: str
    sparkline: str


def render(analyses: Sequence[tuple[Trace, Assessment]]) -> str:
    """The whole report as one HTML document, the most urgent trace first; pure, whatever the names hold.

    Series of more than 2,000 points (fewer where there are many traces) are reduced to the extremes of buckets.
    """
    import jinja2  # 90 ms that no other output needs
    from markupsafe import Markup

    ordered = by_urgency(analyses)
    series = sum(len(trace.columns) + SERIES_BESIDE_COLUMNS for trace, _ in ordered)
    max_points = min(MAX_POINTS, max(MIN_POINTS, VALUES_IN_ALL // max(series, 1)))
    views = [_view(trace, assessment, max_points) for trace, assessment in ordered]
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    environment.globals.update(units=units, sentences=sentences, extent=_extent)
    scripts, styles = (_assets(names) for names in (SCRIPTS, STYLES))
    return environment.from_string(_asset("report.html.jinja")).render(
        views=views,
        counts=_counts(views),
        policy=_policy(scripts, styles),
        scripts=[Markup(text) for text in scripts],
        styles=[Markup(text) for text in styles],
        data={"report": document(ordered), "charts": [_charts(view.panels) for view in views]},
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


def _counts(views: Sequence[View]) -> str:
    """2 leaks, 1 undecided, 97 no leak."""
    answers = [view.assessment.verdict.verdict for view in views]
    found = {answer: answers.count(answer) for answer in sentences.WORDS if answer in answers}
    return ", ".join(f"{number:,} {sentences.WORDS[answer].lower()}" for answer, number in found.items())


def _view(trace: Trace, assessment: Assessment, max_points: int) -> View:
    charts = panels(trace, assessment, max_points)
    reduced = ""
    if len(trace.time_seconds) > max_points:
        reduced = (
            f"The charts are reduced from {len(trace.time_seconds):,} to at most {max_points:,} points a line: "
            "the lowest and the highest value of each bucket, so no peak is lost. The verdict rests on all samples."
        )
    facts = tuple(_facts(trace, assessment))
    return View(trace, assessment, charts, facts, reduced, sparkline(trace, assessment))


def _facts(trace: Trace, assessment: Assessment) -> Iterator[tuple[str, str, str]]:
    """The numbers by name, each with its interval or what else belongs to it, in the order to read them."""
    verdict, attribution, time = assessment.verdict, assessment.attribution, trace.time_seconds
    if trend := verdict.trend:
        ends = units.size_range(trend.low * 3600, trend.high * 3600, trend.slope_per_second * 3600, "/h")
        yield "Growth", units.rate(trend.slope_per_second), f"95 %: {ends}"
    if forecast := assessment.forecast:
        ends = units.duration_range(forecast.low, forecast.high)
        yield "Time to the limit", units.duration(forecast.seconds_to_limit), f"95 %: {ends}"
    if attribution and (per := attribution.bytes_per_request):
        ends = units.size_range(per.low, per.high, per.estimate)
        yield "Left behind per request", units.size(per.estimate), f"95 %: {ends}"
    if attribution:
        yield "Grows with", attribution.follows, ""
    if verdict.onset is not None:
        ago = f"{units.duration(time[-1] - verdict.onset)} before the end" if len(time) else ""
        yield "Growing since", units.moment(verdict.onset), ago
    last, peak = sentences.last_bytes(trace, assessment), sentences.peak_bytes(trace, assessment)
    if last is not None and peak is not None:
        yield "Level at the end", units.size(last), f"peak {units.size(peak)}"
    yield "Memory limit", "none known" if trace.limit_bytes is None else units.size(trace.limit_bytes), ""
    yield "Shape", verdict.shape.replace("_", " "), ""
    yield "Confidence", units.share(verdict.confidence), ""
    yield "Restarts seen", f"{len(verdict.restarts):,}", ""
    yield "Samples", f"{len(time):,}", f"{trace.dropped_rows:,} rows dropped" if trace.dropped_rows else ""
    if len(time):
        yield "Recorded", units.duration(time[-1] - time[0]), f"{units.moment(time[0])} to {units.moment(time[-1])}"


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
