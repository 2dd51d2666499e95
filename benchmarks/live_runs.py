"""Watched containers replayed through the live detector, and what came of it counted."""

import math
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.live_mix import Leaking, Watched
from benchmarks.live_mix.stage import WEEK_SECONDS
from detectors.types import Level
from leakwatch.detect import live_detector

COUNTERS = ("requests_total", "model_loads_total")


@dataclass(frozen=True, slots=True)
class Changes:
    """What an agent saw of one container: each change of level as (Unix seconds, before, after); and what it cost."""

    changes: tuple[tuple[float, Level, Level], ...]
    samples: int
    weeks: float
    cpu_seconds: float
    acted_at: float | None = None

    def opened(self, level: Level) -> list[float]:
        """When incidents of at least this level were opened."""
        if level is Level.LEAK:
            return [at for at, _, after in self.changes if after is Level.LEAK]
        return [at for at, before, _ in self.changes if before is Level.QUIET]


ACT_BEFORE_LIMIT_SECONDS = 1_800.0
"""`act_before_limit` of the agent's settings: it may act when the low end of the time to the limit falls under this."""


def watch(watched: Watched, *, acting: bool = False) -> Changes:
    """Replay every sample and see whether the level has changed; ``acting``: whether an agent would act, too."""
    detector = live_detector()
    names, columns = list(watched.columns), [column.tolist() for column in watched.columns.values()]
    times = watched.time_seconds.tolist()
    changes: list[tuple[float, Level, Level]] = []
    level, acted = Level.QUIET, None
    began = time.process_time()
    for at, *values in zip(times, *columns, strict=True):
        detector.observe(at, dict(zip(names, values, strict=True)))
        if detector.level is not level:
            changes.append((at, level, detector.level))
            level = detector.level
        if acting and level is Level.LEAK and acted is None:
            ahead = detector.judge(at).forecast
            if ahead is not None and ahead.low < ACT_BEFORE_LIMIT_SECONDS:
                acted = at
    cpu = time.process_time() - began
    return Changes(tuple(changes), len(times), (times[-1] - times[0]) / WEEK_SECONDS, cpu, acted)


def memory_alone(watched: Watched) -> Watched:
    """The same container without its counters."""
    return replace(watched, columns={n: c for n, c in watched.columns.items() if n not in COUNTERS})


@dataclass(frozen=True, slots=True)
class Found:
    """One leaking container.

    Attributes:
        weeks_before: of watching before the onset; opened_before: incidents opened then.
        opened: incidents opened from the onset to the limit.
        way: when the first of them was, as a share of the time from onset to limit; None: never.
        to_limit_seconds: that time.
    """

    weeks_before: float
    opened_before: int
    opened: int
    way: float | None
    to_limit_seconds: float


def found(leak: Leaking, seen: Changes, level: Level) -> Found:
    """How far the leak had come when it was found."""
    start, onset, limit = float(leak.watched.time_seconds[0]), leak.onset_seconds, leak.limit_at_seconds
    opened = seen.opened(level)
    after = [at for at in opened if at > onset]
    way = (after[0] - onset) / (limit - onset) if after else None
    return Found((onset - start) / WEEK_SECONDS, len(opened) - len(after), len(after), way, limit - onset)


@dataclass(frozen=True, slots=True)
class Rate:
    """False alarms: how many, in how many container-weeks; per 50 with the 95 % Poisson interval (Garwood 1936)."""

    alarms: int
    weeks: float

    @property
    def per_50_weeks(self) -> float:
        """The point estimate."""
        return 50.0 * self.alarms / self.weeks if self.weeks else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Of `per_50_weeks`."""
        from scipy.stats import chi2

        if not self.weeks:
            return math.nan, math.nan
        low = float(chi2.ppf(0.025, 2 * self.alarms)) / 2 if self.alarms else 0.0
        high = float(chi2.ppf(0.975, 2 * self.alarms + 2)) / 2
        return 50.0 * low / self.weeks, 50.0 * high / self.weeks

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.per_50_weeks:.2f} ({low:.2f} to {high:.2f})"


def rate(healthy: Iterable[Changes], leaking: Iterable[Found], level: Level) -> Rate:
    """Alarms in healthy containers, and in leaking ones before their onset."""
    healthy, leaking = list(healthy), list(leaking)
    alarms = sum(len(one.opened(level)) for one in healthy) + sum(one.opened_before for one in leaking)
    return Rate(alarms, sum(one.weeks for one in healthy) + sum(one.weeks_before for one in leaking))


@dataclass(frozen=True, slots=True)
class Delays:
    """How far leaks had come when they were found, as shares of the way from onset to limit; inf: never."""

    count: int
    median: float
    p90: float
    within_30: float
    within_45: float
    within_75: float
    never: float
    one_incident: float


def delays(leaking: Sequence[Found]) -> Delays:
    """Summarise; quantiles are taken over all leaks, those never found included."""
    ways = [math.inf if one.way is None else one.way for one in leaking]
    known = [one for one in leaking if one.way is not None]
    if not ways:
        return Delays(0, *[math.nan] * 7)

    def within(share: float) -> float:
        return sum(way <= share for way in ways) / len(ways)

    return Delays(
        count=len(ways),
        median=statistics.median(ways),
        p90=float(np.quantile(ways, 0.9, method="higher")),
        within_30=within(0.30),
        within_45=within(0.45),
        within_75=within(0.75),
        never=sum(math.isinf(way) for way in ways) / len(ways),
        one_incident=sum(one.opened == 1 for one in known) / len(known) if known else math.nan,
    )
