"""What a trace and its verdict say, in the vocabulary of playbooks."""

from collections.abc import Iterator, Sequence

import numpy as np

from detectors.types import Assessment, FloatArray
from leakwatch.diagnose.kill_facts import facts_of_kill, last_running_level, matters_since
from leakwatch.diagnose.page_facts import facts_of_page, last_rise, rise
from leakwatch.diagnose.value_facts import facts_of_values
from leakwatch.trace import Trace
from playbooks.types import Fact

GUILTY_LIMIT_RATIO = 0.92
"""A container that restarts from this share of its limit or above is taken for one killed there, as Robusta does."""

_EDGE = 10  # growth is measured from the median of the first tenth to that of the last


def facts_of_trace(trace: Trace, assessment: Assessment) -> tuple[Fact, ...]:
    """What one trace and its assessment say, in the vocabulary of playbooks; what they do not hold is left out."""
    return (
        *facts_of_values(latest(trace)),
        *facts_of_page(trace, assessment.verdict.restarts[-1] if assessment.verdict.restarts else None),
        *_killed(trace, assessment),
        *_judged(assessment),
        *_limits(trace, assessment),
        *_attributed(assessment),
        *_measured(trace, assessment),
    )


def latest(trace: Trace) -> dict[str, float]:
    """The last known value of every column."""
    known = {name: column[np.isfinite(column)] for name, column in trace.columns.items()}
    return {name: float(values[-1]) for name, values in known.items() if len(values)}


def _killed(trace: Trace, assessment: Assessment) -> Iterator[Fact]:
    """The kills that the cgroup itself counted, and where the memory stood before the last of them."""
    kills = trace.columns.get("oom_kills_total")
    killed = last_rise(trace.time_seconds, kills) if kills is not None else None
    # A count that stands still proves nothing: a container that starts again has a new one.
    if kills is None or killed is None or killed < matters_since(trace, assessment):
        return
    yield Fact("oom_proven", True, f"the cgroup counted {rise(kills):.0f} kills for want of memory")
    before = trace.time_seconds[trace.time_seconds < killed]  # the kill lies between two looks
    yield from facts_of_kill(trace, assessment, float(before[-1]))


def _judged(assessment: Assessment) -> Iterator[Fact]:
    verdict = assessment.verdict
    yield Fact(
        "verdict", verdict.verdict.value, f"the verdict is {verdict.verdict} ({verdict.confidence:.0%} confident)"
    )
    yield Fact("shape", verdict.shape.value, f"the shape is {verdict.shape} ({verdict.confidence:.0%} confident)")
    if verdict.metric is not None:
        yield Fact("metric", verdict.metric, f"the verdict rests on {verdict.metric}")
    count = len(verdict.restarts)
    yield Fact("restarts", count, f"{count} {'restart' if count == 1 else 'restarts'} in the trace")


def _limits(trace: Trace, assessment: Assessment) -> Iterator[Fact]:
    limited = trace.limit_bytes is not None
    seen = f"the limit is {_mib(trace.limit_bytes)}" if trace.limit_bytes is not None else "no limit was seen"
    yield Fact("limit_known", limited, seen)
    if assessment.forecast is not None:
        low = assessment.forecast.low
        yield Fact("time_to_limit_seconds", low, f"the limit may be reached {_duration(low)} after the trace's end")
    ratio = _limit_ratio(trace, assessment.verdict.metric)
    if ratio is None or not np.isfinite(ratio).any():
        return
    peak = float(np.nanmax(ratio))
    yield Fact("peak_limit_ratio", peak, f"the highest level is {peak:.0%} of the limit")
    before = _before_restarts(trace.time_seconds, ratio, assessment.verdict.restarts)
    count = sum(level >= GUILTY_LIMIT_RATIO for level in before)
    yield Fact(
        "oom_like_restarts",
        count,
        f"{count} of {len(before)} restarts came with the memory at {GUILTY_LIMIT_RATIO:.0%} of the limit or above"
        if before
        else "0 restarts in the trace",
    )


def _attributed(assessment: Assessment) -> Iterator[Fact]:
    attribution = assessment.attribution
    if attribution is None:
        return
    each = attribution.bytes_per_request
    left = "" if each is None else f"; each request leaves {each.estimate:.0f} bytes behind"
    follows = {
        "requests": f"the growth follows the request count better than the clock{left}",
        "time": "the growth follows the clock better than the request count",
        "unclear": "requests and clock explain the growth equally well",
    }
    yield Fact("leak_follows", attribution.follows, follows.get(attribution.follows, ""))
    if each is not None:
        yield Fact("bytes_per_request", each.estimate, f"each request leaves {each.estimate:.0f} bytes behind")
    if attribution.by_model:
        most = max(attribution.by_model, key=lambda model: model.share)
        yield Fact("leaking_model_share", most.share, f"requests of {most.model} hold {most.share:.0%} of the leak")


def _measured(trace: Trace, assessment: Assessment) -> Iterator[Fact]:
    loads = _loads(trace)
    if loads is not None:
        yield Fact("model_loads", loads, f"{loads:.0f} model versions were loaded during the trace")

    restarts = assessment.verdict.restarts
    since = int(np.searchsorted(trace.time_seconds, restarts[-1], side="right")) if restarts else 0
    ends = {name: _ends(column[since:]) for name, column in trace.columns.items()}
    threads = ends.get("threads")
    if threads is not None and threads[0] >= 1:
        first, last = threads
        yield Fact("threads_ratio", last / first, f"{first:.0f} threads at first and {last:.0f} in the end")
    page = ends.get("page_bytes")
    if page is not None and page[0] >= 1:
        said = f"the metrics page had {page[0]:.0f} bytes at first and {page[1]:.0f} in the end"
        yield Fact("page_ratio", page[1] / page[0], said)
    held, left = (_last(trace.columns.get(name)) for name in (assessment.verdict.metric or "", "host_available_bytes"))
    if held is not None and left is not None and held >= 1:
        yield Fact("host_left_ratio", left / held, f"the host has {_mib(left)} left, and it holds {_mib(held)}")
    charged = ends.get("usage_bytes") or ends.get("working_set_bytes")
    if charged is None or charged[1] <= charged[0]:
        return
    grown = charged[1] - charged[0]
    for name, column, words in (
        ("page_cache_share", "file_bytes", "page cache"),
        ("shmem_share", "shmem_bytes", "shared memory and tmpfs"),
        ("kernel_share", "kernel_bytes", "the kernel's own memory"),
    ):
        part = ends.get(column)
        if part is not None:
            share = min(max((part[1] - part[0]) / grown, 0.0), 1.0)
            yield Fact(name, share, f"{share:.0%} of the growth of {_mib(grown)} is {words}")


def _limit_ratio(trace: Trace, metric: str | None) -> FloatArray | None:
    """(n,) level of the metric as a share of the limit at that moment; NaN where either is unknown."""
    if metric is None or metric not in trace.columns or trace.limit_bytes is None:
        return None
    limit = trace.columns.get("limit_bytes", np.full(len(trace.time_seconds), trace.limit_bytes))
    ratio = np.full(len(limit), np.nan)
    np.divide(trace.columns[metric], limit, out=ratio, where=limit >= 1.0)  # less than a byte is no limit
    return ratio


def _before_restarts(time_seconds: FloatArray, ratio: FloatArray, restarts: Sequence[float]) -> list[float]:
    """The share of the limit from which each restart fell; 0 where none is known."""
    lives = np.split(ratio, np.searchsorted(time_seconds, restarts, side="left"))[:-1]
    return [last_running_level(life) or 0.0 for life in lives]


def _loads(trace: Trace) -> float | None:
    """How often the load counters rose, resets left out; the total where there is one, else the models' sum."""
    totals = [trace.columns[name] for name in ("model_loads_total",) if name in trace.columns] or [
        column for name, column in trace.columns.items() if name.startswith("model_loads_total:")
    ]
    counts = [column[np.isfinite(column)] for column in totals]
    known = [float(np.maximum(np.diff(count), 0.0).sum()) for count in counts if len(count)]
    return sum(known) if known else None


def _last(column: FloatArray | None) -> float | None:
    """The last known value; None where there is none."""
    known = column[np.isfinite(column)] if column is not None else np.empty(0)
    return float(known[-1]) if len(known) else None


def _ends(column: FloatArray) -> tuple[float, float] | None:
    """The medians of the first and of the last tenth of what is known; None where that is fewer than two samples."""
    known = column[np.isfinite(column)]
    if len(known) < 2:
        return None
    edge = max(1, len(known) // _EDGE)
    return _middle(known[:edge]), _middle(known[-edge:])


def _middle(values: FloatArray) -> float:
    """The upper median; numpy.median and numpy.quantile import numpy.ma, 12 ms."""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.1f} h"


def _mib(size_bytes: float) -> str:
    return f"{size_bytes / 2**20:.1f} MiB"
