"""One labelled trace before the judges: what leakwatch and the peers' rules said, beside the truth."""

import time
from dataclasses import dataclass

import numpy as np

from benchmarks.corpus import Labelled
from benchmarks.peers import RULES, FloatArray
from detectors.types import Answer, Assessment, Interval
from leakwatch.detect import assess
from leakwatch.trace import Target, Trace


@dataclass(frozen=True, slots=True)
class Claim:
    """An estimate with its interval (``high`` None: without bound) beside the truth; estimate None: none was given."""

    truth: float
    estimate: float | None
    low: float = 0.0
    high: float | None = None

    @property
    def covers(self) -> bool:
        """Whether the interval holds the truth; what was not given does not."""
        return self.estimate is not None and self.low <= self.truth and (self.high is None or self.truth <= self.high)


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and its truth.

    Attributes:
        material: which collection the trace is from.
        family, leak, full, limited: of the trace.
        verdict: what leakwatch said.
        alarms: the peers' rules that fired.
        slope, seconds_to_limit, bytes_per_request: claims, where a leak was found and the truth is one number.
        driver: what the growth was put down to ("requests", "time", "unclear"); None without a request column.
        by_request: whether requests drive the leak in truth.
        seconds: what the verdict took.
    """

    material: str
    family: str
    leak: bool
    full: bool
    limited: bool
    verdict: Answer
    alarms: frozenset[str]
    slope: Claim | None
    seconds_to_limit: Claim | None
    bytes_per_request: Claim | None
    driver: str | None
    by_request: bool
    seconds: float

    @property
    def found(self) -> bool:
        """Whether leakwatch called it a leak."""
        return self.verdict is Answer.LEAK


def _claim(truth: float | None, given: Interval | None) -> Claim | None:
    if truth is None:
        return None
    return Claim(truth, None) if given is None else Claim(truth, given.estimate, given.low, given.high)


def _slope(assessment: Assessment) -> Interval | None:
    trend = assessment.verdict.trend
    return None if trend is None else Interval(trend.slope_per_second, trend.low, trend.high)


def _seconds_to_limit(assessment: Assessment) -> Interval | None:
    ahead = assessment.forecast
    return None if ahead is None else Interval(ahead.seconds_to_limit, ahead.low, ahead.high)


def _bytes_per_request(assessment: Assessment, model: str | None) -> Interval | None:
    attribution = assessment.attribution
    if attribution is None:
        return None
    if model is None:
        return attribution.bytes_per_request
    return next((share.bytes_per_request for share in attribution.by_model if share.model == model), None)


def level_of(trace: Labelled) -> tuple[FloatArray, FloatArray]:
    """(m,) times and (m,) bytes that the peers' rules look at: anonymous memory where there is some, known cells."""
    names = ("anon_bytes", "working_set_bytes", "rss_bytes", "usage_bytes")
    level = next(trace.columns[name] for name in names if name in trace.columns)
    known = np.isfinite(level)
    return trace.time_seconds[known], level[known]


def judge(material: str, trace: Labelled) -> Judged:
    """Ask leakwatch and every peer."""
    source = Trace(Target(f"{trace.family}_{trace.seed}"), trace.time_seconds, trace.columns, trace.limit_bytes)
    begun = time.perf_counter()
    assessment = assess(source)
    took = time.perf_counter() - begun
    clock, level = level_of(trace)
    found = assessment.verdict.verdict is Answer.LEAK and trace.leak
    per_request = trace.bytes_per_request if trace.full else None
    return Judged(
        material=material,
        family=trace.family,
        leak=trace.leak,
        full=trace.full,
        limited=trace.limit_bytes is not None,
        verdict=assessment.verdict.verdict,
        alarms=frozenset(name for name, rule in RULES.items() if rule(clock, level, trace.limit_bytes)),
        slope=_claim(trace.slope_bytes_per_second, _slope(assessment)) if found else None,
        seconds_to_limit=_claim(trace.seconds_to_limit, _seconds_to_limit(assessment)) if found else None,
        bytes_per_request=_claim(per_request, _bytes_per_request(assessment, trace.leaking_model)) if found else None,
        driver=assessment.attribution.follows if found and assessment.attribution else None,
        by_request=trace.bytes_per_request is not None,
        seconds=took,
    )
