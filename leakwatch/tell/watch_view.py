"""What `leakwatch watch` knows of its container at one moment, and the words and figures made of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.types import Answer, Assessment, Fit, Level, LiveVerdict, Shape, Verdict
from leakwatch.tell import units
from leakwatch.tell.first_line import growth
from leakwatch.tell.sentences import metric_name
from leakwatch.trace import MEMORY_COLUMNS, Trace

Json = dict[str, Any]

_WORDS = {Level.LEAK: "LEAK", Level.SUSPECTED: "SUSPECTED", Level.QUIET: "NO LEAK"}


@dataclass(frozen=True, slots=True)
class View:
    """One moment.

    Attributes:
        name: what the target is called.
        trace: the samples so far, the limit among them.
        verdict: what the live detector holds true; None before the first judgement.
        values: the newest sample; empty before the first.
        restarts: Unix seconds of those that were seen.
        every_seconds: between two samples.
        age_seconds: of the newest sample; None before the first.
        trouble: what cannot be read, a sentence each.
        paused: the screen stands still, and samples are taken all the same.
        note: what the last key did.
    """

    name: str
    trace: Trace
    verdict: LiveVerdict | None
    values: Mapping[str, float]
    restarts: tuple[float, ...] = ()
    every_seconds: float = 5.0
    age_seconds: float | None = None
    trouble: tuple[str, ...] = ()
    paused: bool = False
    note: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether there was enough to judge."""
        verdict = self.verdict
        return verdict is not None and (verdict.level is not Level.QUIET or verdict.verdict is Answer.NO_LEAK)

    @property
    def metric(self) -> str | None:
        """The column that is shown: the verdict's, or the best one that there is."""
        if self.verdict is not None and self.verdict.metric is not None:
            return self.verdict.metric
        return next((name for name in MEMORY_COLUMNS if name in self.values), None)


def headline(view: View) -> tuple[str, str]:
    """The word, and the sentence after the target's name."""
    verdict = view.verdict
    if not view.values:
        return "WAITING", "no sample yet"
    if verdict is None or not view.is_judged:
        return "WATCHING", f"{_level(view)}; too little seen yet to judge"
    if verdict.level is Level.QUIET:
        return _WORDS[verdict.level], _level(view)
    return _WORDS[verdict.level], growth(verdict, view.trace.limit_bytes)


def figures(view: View) -> tuple[tuple[str, str], ...]:
    """Label and value of what is known, in the order in which one asks for it."""
    verdict, values, found = view.verdict, view.values, []
    if view.metric in values:
        found.append(("Memory", _level(view)))
    if verdict is not None and verdict.trend is not None:
        trend = verdict.trend
        extent = units.size_range(trend.low * 3600, trend.high * 3600, trend.slope_per_second * 3600, "/h")
        found.append(("Growth", f"{units.rate(trend.slope_per_second)} ({extent})"))
    if verdict is not None and verdict.forecast is not None:
        forecast = verdict.forecast
        left = units.duration_range(forecast.low, forecast.high)
        found.append(("Time to limit", f"{units.duration(forecast.seconds_to_limit)} ({left})"))
    found += _requests(view)
    if view.restarts:
        last = units.moment(view.restarts[-1])
        found.append(("Restarts", f"{len(view.restarts):,}, the last {last}"))
    if values.get("oom_kills_total"):
        found.append(("OOM kills", f"{values['oom_kills_total']:,.0f}"))
    if "memory_pressure_ratio" in values:
        found.append(("Pressure", f"{units.share(values['memory_pressure_ratio'])} of the last 10 s some task waited"))
    slow = max(((v, n) for n, v in values.items() if n.startswith("latency_p95_seconds:")), default=None)
    if slow is not None:
        found.append(("P95", f"{units.duration(slow[0])} ({units.visible(slow[1].partition(':')[2])})"))
    if "threads" in values:
        found.append(("Threads", f"{values['threads']:,.0f}"))
    return tuple(found)


def as_assessment(view: View) -> Assessment:
    """For the chart, which draws one: the live verdict with the growth as a line from its onset."""
    verdict, trace = view.verdict, view.trace
    fit = None
    if verdict is not None and verdict.trend is not None and verdict.onset is not None and len(trace.time_seconds):
        column = trace.columns.get(view.metric or "", np.empty(0))
        known = np.flatnonzero(np.isfinite(column))
        first, last = max(verdict.onset, float(trace.time_seconds[0])), float(trace.time_seconds[-1])
        if known.size and first < last:
            recent = float(np.sort(column[known[-9:]])[min(4, known.size // 2)])
            time = np.array([first, last])
            grown = verdict.trend.slope_per_second * (time - last)
            fit = Fit(time, np.full(2, recent), recent + grown, grown - grown[0])
    return Assessment(
        Verdict(
            verdict=verdict.verdict if verdict is not None else Answer.UNDECIDED,
            shape=verdict.shape if verdict is not None else Shape.TOO_SHORT,
            confidence=0.0,  # the live detector has levels instead; the chart shows neither
            metric=view.metric,
            trend=verdict.trend if verdict is not None else None,
            onset=verdict.onset if verdict is not None else None,
            restarts=view.restarts,
            because=(),
        ),
        fit=fit,
    )


def as_document(view: View) -> Json:
    """For scripts: what `leakwatch analyze -o json` says under the same names, and the live ``level``."""
    verdict = view.verdict
    trend, forecast, each = (
        (verdict.trend, verdict.forecast, verdict.bytes_per_request) if verdict is not None else (None, None, None)
    )
    return {
        "schema_version": 1,
        "container": view.name,
        "samples": len(view.trace.time_seconds),
        "level": str(verdict.level) if verdict is not None else "quiet",
        "verdict": str(verdict.verdict) if verdict is not None else "undecided",
        "shape": str(verdict.shape) if verdict is not None else "too_short",
        "metric": view.metric,
        "slope_bytes_per_second": None if trend is None else _bounds(trend.slope_per_second, trend.low, trend.high),
        "onset": verdict.onset if verdict is not None else None,
        "restarts": list(view.restarts),
        "limit_bytes": None if view.trace.limit_bytes is None else round(view.trace.limit_bytes),
        "time_to_limit_seconds": (
            None if forecast is None else _bounds(forecast.seconds_to_limit, forecast.low, forecast.high)
        ),
        "bytes_per_request": None if each is None else _bounds(each.estimate, each.low, each.high),
        "because": list(verdict.because) if verdict is not None else [],
        "values": {name: float(value) for name, value in view.values.items()},
    }


def _level(view: View) -> str:
    metric, limit = view.metric, view.trace.limit_bytes
    if metric is None or metric not in view.values:
        return "no memory seen"
    level = view.values[metric]
    of_limit = f" of {units.size(limit)} ({units.share(level / limit)})" if limit else ", no limit known"
    return f"{metric_name(metric)} {units.size(level)}{of_limit}"


def _requests(view: View) -> list[tuple[str, str]]:
    total = view.values.get("requests_total")
    if total is None:
        return []
    found = [("Requests", f"{_per_second(view.trace)}{total:,.0f} in all")]
    each = view.verdict.bytes_per_request if view.verdict is not None else None
    if each is not None:
        found.append(("Per request", f"{units.size(each.estimate)} stay behind"))
    return found


def _per_second(trace: Trace, over_seconds: float = 60.0) -> str:
    column = trace.columns.get("requests_total")
    if column is None:
        return ""
    recent = np.isfinite(column) & (trace.time_seconds >= trace.time_seconds[-1] - over_seconds)
    time, total = trace.time_seconds[recent], column[recent]
    if time.size < 2:
        return ""
    counted = float(np.maximum(np.diff(total), 0.0).sum())  # a counter that begins anew counts nothing
    return f"{units.number(counted / float(time[-1] - time[0]))}/s, "


def _bounds(estimate: float, low: float, high: float | None) -> Json:
    return {"estimate": float(estimate), "low": float(low), "high": None if high is None else float(high)}
