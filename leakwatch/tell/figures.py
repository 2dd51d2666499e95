"""The numbers of one verdict as (what, value, interval or remark) in readable units; the same for every text output."""

from typing import NamedTuple

from detectors.types import Assessment, Interval
from leakwatch.tell import units
from leakwatch.tell.sentences import last_bytes, metric_name, notes, peak_bytes
from leakwatch.trace import Trace

NOTE = "Note"
"""What the reader assumed or left out: a sentence and no number."""


class Figure(NamedTuple):
    """One line of the table of numbers."""

    what: str
    value: str
    remark: str = ""


def figures(trace: Trace, assessment: Assessment, *, full: bool = False) -> tuple[Figure, ...]:
    """What is known, in the order in which one asks for it; ``full`` adds what ``-o wide`` shows."""
    verdict, time = assessment.verdict, trace.time_seconds
    found = [*_leak(assessment), *_requests(assessment), *_memory(trace, assessment)]
    if assessment.undecided_until_seconds is not None:
        found.append(Figure("Decided after", units.duration(assessment.undecided_until_seconds), "more trace"))
    if verdict.restarts:
        when = verdict.restarts if full else verdict.restarts[-1:]
        remark = ", ".join(units.moment(at) for at in when)
        found.append(Figure("Restarts", f"{len(verdict.restarts):,}", remark if full else f"the last {remark}"))
    shape = str(verdict.shape).replace("_", " ")
    judged = f"{shape}, judged on {metric_name(verdict.metric)}" if verdict.metric else shape
    found.append(Figure("Confidence", units.share(verdict.confidence), judged))
    if len(time):
        extent = f"{units.moment(time[0])} to {units.moment(time[-1])}" if full else f"to {units.moment(time[-1])}"
        found.append(Figure("Samples", f"{len(time):,}", f"over {units.duration(time[-1] - time[0])}, {extent}"))
    else:
        found.append(Figure("Samples", "0", "" if notes(trace) else "the file holds none"))
    found.extend(Figure(NOTE, note) for note in notes(trace))
    return tuple(found)


def models(assessment: Assessment) -> tuple[Figure, ...]:
    """One line a model: bytes that each of its requests leaves behind, and its share of the leak."""
    shares = assessment.attribution.by_model if assessment.attribution else ()
    return tuple(
        Figure(
            units.visible(m.model),
            f"{units.size(m.bytes_per_request.estimate)} a request",
            f"{_bounds(m.bytes_per_request)}, {units.share(m.share)} of the leak",
        )
        for m in sorted(shares, key=lambda m: -m.share)
    )


def _leak(assessment: Assessment) -> list[Figure]:
    verdict, forecast, found = assessment.verdict, assessment.forecast, []
    if verdict.trend is not None:
        trend = verdict.trend
        hourly = units.size_range(trend.low * 3600, trend.high * 3600, trend.slope_per_second * 3600, "/h")
        found.append(Figure("Growth", units.rate(trend.slope_per_second), hourly))
    if verdict.onset is not None:
        found.append(Figure("Since", units.moment(verdict.onset)))
    if forecast is not None:
        left = units.duration_range(forecast.low, forecast.high)
        found.append(Figure("Time to limit", units.duration(forecast.seconds_to_limit), left))
    return found


def _requests(assessment: Assessment) -> list[Figure]:
    attribution = assessment.attribution
    if attribution is None:
        return []
    remark = {"requests": "follows requests", "time": "follows time, not requests"}.get(
        attribution.follows, "requests or time: unclear"
    )
    each = attribution.bytes_per_request
    if each is None:
        return [Figure("Per request", "unknown", remark)]
    return [Figure("Per request", units.size(each.estimate), f"{_bounds(each)}, {remark}")]


def _memory(trace: Trace, assessment: Assessment) -> list[Figure]:
    last, peak, limit = last_bytes(trace, assessment), peak_bytes(trace, assessment), trace.limit_bytes
    found = []
    if last is not None and peak is not None:
        of_limit = f" ({units.share(last / limit)} of {units.size(limit)})" if limit else ""
        found.append(Figure("Memory", f"{units.size(last)}{of_limit}", f"peak {units.size(peak)}"))
    if limit is None:
        found.append(Figure("Limit", "none known"))
    elif last is None:
        found.append(Figure("Limit", units.size(limit)))
    return found


def _bounds(interval: Interval) -> str:
    return units.size_range(interval.low, interval.high, interval.estimate)
