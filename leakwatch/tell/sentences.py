"""The verdict and the next step in words, one line each, as plain text that is safe to show anywhere."""

import math

import numpy as np

from detectors.types import Answer, Assessment, Shape
from leakwatch.tell import units
from leakwatch.trace import Trace

WORDS = {Answer.LEAK: "LEAK", Answer.NO_LEAK: "NO LEAK", Answer.UNDECIDED: "UNDECIDED"}
SOON_SECONDS = 1800.0
"""Half an hour: under this there is no time to look for the cause before acting."""
CROWDED_SHARE = 0.9
"""A healthy container whose peak takes this share of its limit is one burst away from being killed."""

_STEADY = {
    Shape.FLAT: "{metric} stays level{level}",
    Shape.PLATEAU: "{metric} warmed up and has stopped growing{level}",
    Shape.LOAD_FOLLOWING: "{metric} follows the load and comes back{level}",
    Shape.STEPS: "{metric} rose in steps and rests between them{level}",
    Shape.SAWTOOTH: "{metric} goes up and down over a level floor{level}",
    Shape.CYCLES: "{metric} repeats a cycle over a level floor{level}",
    Shape.PAGE_CACHE: "only page cache grows, which the kernel gives back when memory is short{level}",
    Shape.DECELERATING: "the growth of {metric} has slowed to nothing{level}",
    Shape.IRREGULAR: "{metric} moves without lasting growth{level}",
    Shape.TOO_SHORT: "too little trace to see growth{level}",
}


def metric_name(metric: str | None) -> str:
    """anon_bytes -> "anon", working_set_bytes -> "working set"."""
    return units.visible(metric).removesuffix("_bytes").replace("_", " ") if metric else "memory"


def trace_name(trace: Trace) -> str:
    """The path as given, and the container where the source names one: "trace.csv (serving)"."""
    source = units.visible(trace.target.source)
    return source if trace.target.container is None else f"{source} ({units.visible(trace.target.container)})"


def verdict_line(trace: Trace, assessment: Assessment) -> str:
    """LEAK  trace.csv: anon grows 12.1 MiB/h (11.6 to 12.7), since 14:05Z; ..."""
    return f"{WORDS[assessment.verdict.verdict]}  {trace_name(trace)}: {verdict_in_words(trace, assessment)}"


def verdict_in_words(trace: Trace, assessment: Assessment) -> str:
    """What the memory does, how fast, since when, and how long is left."""
    answer = assessment.verdict.verdict
    if not len(trace.time_seconds):
        return f"no sample to judge; {_dropped(trace)}" if trace.dropped_rows else "no sample to judge"
    if answer is Answer.LEAK:
        return f"{_growth(trace, assessment)}; {_time_left(trace, assessment)}"
    if answer is Answer.NO_LEAK:
        return _steady(trace, assessment)
    return _undecided(trace, assessment)


def next_step(trace: Trace, assessment: Assessment) -> str:
    """What to do about it, in one line."""
    answer = assessment.verdict.verdict
    if answer is Answer.LEAK:
        return _after_leak(trace, assessment)
    if not len(trace.time_seconds):
        noted = bool(trace.notes or trace.dropped_rows)
        return "mend what the note says and analyse again" if noted else "record some samples and analyse again"
    if answer is Answer.UNDECIDED:
        more = assessment.undecided_until_seconds
        longer = f"another {units.duration(more)}" if more is not None and more > 0 else "longer, under the usual load,"
        return f"record {longer} and analyse again; until then watch it"
    peak, limit = peak_bytes(trace, assessment), trace.limit_bytes
    if limit and peak is not None and peak >= CROWDED_SHARE * limit:
        return f"its peak takes {units.share(peak / limit)} of the limit: give it more room or less load"
    if limit is None:
        return "nothing to do; set a memory limit, so that a leak to come cannot take the whole node"
    return "nothing to do"


def peak_bytes(trace: Trace, assessment: Assessment) -> float | None:
    """The highest value of the judged column; None where there is none."""
    return _extreme(trace, assessment, last=False)


def last_bytes(trace: Trace, assessment: Assessment) -> float | None:
    """The last known value of the judged column; None where there is none."""
    return _extreme(trace, assessment, last=True)


def kill_times(assessment: Assessment) -> tuple[float, ...]:
    """Unix seconds at which logs prove that something was killed for want of memory, in order."""
    proven = {event.at for _, event in assessment.oom_events if event.proves_oom and event.at is not None}
    return tuple(sorted(proven))


def notes(trace: Trace) -> tuple[str, ...]:
    """What the reader assumed, and the rows that it dropped with the first reasons."""
    said = tuple(units.visible(note) for note in trace.notes)
    if not trace.dropped_rows:
        return said
    reasons = "; ".join(f"line {row.line}: {units.visible(row.reason)}" for row in trace.dropped)
    more = "; ..." if trace.dropped_rows > len(trace.dropped) > 0 else ""
    return (*said, _dropped(trace) + (f" ({reasons}{more})" if reasons else ""))


def _dropped(trace: Trace) -> str:
    return f"{units.count(trace.dropped_rows, 'row')} dropped"


def _growth(trace: Trace, assessment: Assessment) -> str:
    verdict, time = assessment.verdict, trace.time_seconds
    said = f"{metric_name(verdict.metric)} grows"
    if verdict.trend is not None:
        trend = verdict.trend
        _, scale = units.size_unit(trend.slope_per_second * 3600)
        low, high = (units.number(end * 3600 / scale) for end in (trend.low, trend.high))
        said += f" {units.rate(trend.slope_per_second)} ({low} to {high})"
    if verdict.shape is Shape.ACCELERATING:
        said += ", faster and faster"
    if verdict.onset is not None:
        said += f", since {units.short_moment(verdict.onset, time[0], time[-1])}"
    if verdict.restarts:
        said += f", through {units.count(len(verdict.restarts), 'restart')}"
    return said


def _time_left(trace: Trace, assessment: Assessment) -> str:
    forecast, limit = assessment.forecast, trace.limit_bytes
    if limit is None:
        return "no memory limit is known, so neither is the time left"
    named = f"the {units.size(limit)} limit"
    if forecast is None or not math.isfinite(forecast.seconds_to_limit):
        return f"when it reaches {named} cannot be told"
    if forecast.seconds_to_limit <= 0:
        return f"{named} is reached already"
    left, bounds = units.duration(forecast.seconds_to_limit), units.duration_range(forecast.low, forecast.high)
    return f"{named} is reached in {left} ({bounds})"


def _steady(trace: Trace, assessment: Assessment) -> str:
    pattern = _STEADY.get(assessment.verdict.shape, "what growth {metric} shows, load or time of day explains{level}")
    last, limit = last_bytes(trace, assessment), trace.limit_bytes
    level = ""
    if last is not None:
        level = f"; now {units.size(last)}"
        if limit:
            level += f" of {units.size(limit)} ({units.share(last / limit)})"
    return pattern.format(metric=metric_name(assessment.verdict.metric), level=level)


def _undecided(trace: Trace, assessment: Assessment) -> str:
    verdict, time = assessment.verdict, trace.time_seconds
    if verdict.metric is None:
        return "no memory column can be judged"
    if verdict.shape is Shape.TOO_SHORT:
        said = f"too few to judge: {units.count(len(time), 'sample')} over {units.duration(time[-1] - time[0])}"
    elif verdict.shape is Shape.DECELERATING:
        said = f"{metric_name(verdict.metric)} grows ever more slowly and may yet stop"
    else:
        said = f"{metric_name(verdict.metric)} may grow or may not"
    more = assessment.undecided_until_seconds
    return said if more is None or more <= 0 else f"{said}; another {units.duration(more)} of trace would decide it"


def _after_leak(trace: Trace, assessment: Assessment) -> str:
    forecast, attribution = assessment.forecast, assessment.attribution
    if forecast is not None and forecast.low < SOON_SECONDS:
        return "move traffic away and restart it before the limit does; take a heap profile first if there is time"
    kept = "what each request leaves behind" if attribution and attribution.follows == "requests" else "what is kept"
    if attribution and attribution.by_model:
        worst = max(attribution.by_model, key=lambda m: m.share)
        kept = f"what requests to {units.visible(worst.model)} leave behind ({units.share(worst.share)} of it)"
    look = f"take a heap profile now and in an hour, and compare {kept}"
    if forecast is not None:
        return f"{look}; restart within {units.duration(forecast.low)}"
    return f"{look}; set a memory limit" if trace.limit_bytes is None else look


def _extreme(trace: Trace, assessment: Assessment, *, last: bool) -> float | None:
    column = trace.columns.get(assessment.verdict.metric or "")
    if column is None:
        return None
    known = column[np.isfinite(column)]
    if not known.size:
        return None
    return float(known[-1] if last else known.max())
