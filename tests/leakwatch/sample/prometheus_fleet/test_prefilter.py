"""What the floors decide, on the benchmark's containers: the proof holds, and no leak that matters is lost."""

from typing import Any

import numpy as np
import pytest

from benchmarks.corpus import FAMILIES, Labelled, generate
from leakwatch.sample.prometheus_fleet.prefilter import DAY, LEAST_BYTES, Floors, chosen, could_leak, query

HOUR = 3600
RESTARTING = ("leak_across_deploys", "leak_oom_cycles")
"""Families whose leak is cut off by new containers: a new id each, which the server tells."""

A_DAY = 0.02
"""Of the level, a day: no leak as fast as this that has run for a day is lost here."""

FloatArray = Any


def memory(trace: Labelled) -> tuple[FloatArray, FloatArray]:
    names = ("anon_bytes", "working_set_bytes", "rss_bytes", "usage_bytes")
    level = next(trace.columns[name] for name in (*names, *trace.columns) if name in trace.columns)
    known = np.isfinite(level)
    return trace.time_seconds[known], level[known]


def floors_of(time: FloatArray, level: FloatArray, series: int = 1) -> Floors:
    """The server's expressions in numpy, asked at the last sample over two days."""

    def told(of: Any, width: float, offset: float) -> float:
        within = (time > time[-1] - offset - width) & (time <= time[-1] - offset)
        return float(of(level[within])) if within.any() else np.nan

    return Floors(
        last=told(np.min, 6 * HOUR, 0),
        last_a_day_before=told(np.min, 6 * HOUR, DAY),
        previous=told(np.min, 6 * HOUR, 6 * HOUR),
        previous_a_day_before=told(np.min, 6 * HOUR, 30 * HOUR),
        recent=told(np.min, 0.5 * HOUR, 0),
        three_hours=told(np.min, 3 * HOUR, 0),
        three_before=told(np.min, 3 * HOUR, 3 * HOUR),
        highest=told(np.max, 47.5 * HOUR, 0.5 * HOUR),
        series=series,
    )


def leaks() -> list[Labelled]:
    names = [name for name, family in FAMILIES.items() if name.startswith("leak")]
    traces = [generate(name, seed) for name in names for seed in range(5)]
    return [trace for trace in traces if trace.time_seconds[-1] - trace.time_seconds[0] > 6 * HOUR]


@pytest.fixture(scope="module")
def leaking() -> list[Labelled]:
    return leaks()


def test_the_proof_holds(leaking: list[Labelled]) -> None:
    """Wherever what the leak grows in a day exceeds theta and what the base falls in a day, the container passes."""
    held = 0
    for trace in leaking:
        time, level = memory(trace)
        if trace.slope_bytes_per_second is None or trace.onset_seconds is None or time[-1] - time[0] < 36.5 * HOUR:
            continue
        leak = trace.slope_bytes_per_second * np.maximum(time - trace.onset_seconds, 0.0)
        base, late = level - leak, time > time[-1] - DAY / 2
        falls = np.interp(time[late] - DAY, time, base) - base[late]
        grows = leak[late] - np.interp(time[late] - DAY, time, leak)
        floors = floors_of(time, level)
        if grows.min() > floors.theta + falls.max():
            held += 1
            assert could_leak(floors), (trace.family, trace.seed)
    assert held > 5


def test_no_leak_that_matters_is_lost(leaking: list[Labelled]) -> None:
    """Two per cent of the level a day and faster, for a day at least: all pass, whatever disturbs them."""
    seen = 0
    for trace in leaking:
        time, level = memory(trace)
        slope, onset = trace.slope_bytes_per_second, trace.onset_seconds
        if slope is None or onset is None or time[-1] - onset < 20 * HOUR:
            continue
        if slope * DAY >= A_DAY * np.median(level):
            seen += 1
            floors = floors_of(time, level, series=2 if trace.family in RESTARTING else 1)
            assert could_leak(floors), (trace.family, trace.seed)
    assert seen > 30


def test_what_holds_still_stays_where_it_is() -> None:
    """A flat container, one with a daily swing, one with bursts: none of them is transferred."""
    time = np.arange(0.0, 2 * DAY, 60.0)
    noise = np.random.default_rng(3).normal(0, 0.003, len(time))
    swing = 0.2 * np.sin(2 * np.pi * time / DAY)
    bursts = np.where(time % (5 * HOUR) < 1200, 0.5, 0.0)
    for shape in (noise, noise + swing, noise + bursts):
        assert not could_leak(floors_of(time, 1e9 * (1 + shape)))


def test_restarts_and_the_newborn_pass() -> None:
    """Too little is known of them."""
    still = Floors(1e9, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9)
    assert not could_leak(still)
    assert could_leak(Floors(series=2))
    assert could_leak(Floors())


def test_replicas_are_asked_for_together() -> None:
    """A rise that none of them shows is shown by all; a third of a workload brings the rest of it."""
    level, rise = 1e9, 0.4 * 0.005 * 1e9
    slow = Floors(level + rise, level, level + rise, level, level, level, level, level * 1.1)
    still = Floors(level, level, level, level, level, level, level, level * 1.1)
    fast = Floors(2 * level, level, 2 * level, level, 2 * level, level, level, level * 1.1)
    assert not could_leak(slow)
    assert chosen([slow] * 4 + [still], ["a"] * 4 + ["b"]) == [True] * 4 + [False]
    assert chosen([fast, still, still], ["a"] * 3) == [True] * 3
    assert chosen([fast, still, still, still], ["a"] * 4) == [True, False, False, False]
    assert chosen([slow] * 2, ["a"] * 2) == [False, False]


def test_theta_has_a_least() -> None:
    """A container of a few MiB is not asked for because of a page."""
    assert Floors(highest=1e6).theta == LEAST_BYTES


def test_one_question_tells_all_floors() -> None:
    """Every floor is in the query once, and a window shorter than two days does not shorten it."""
    text = query('m{pod="a"}', 3600)
    assert all(text.count(f'"floor", "{name}"') == 1 for name in Floors.__slots__)
    assert "[171000s] offset 30m" in text
