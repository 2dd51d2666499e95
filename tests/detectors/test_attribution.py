"""Who leaks, on traces whose bytes a request are known by construction."""

from typing import Any

import numpy as np
import pytest

from detectors.types import Answer, Attribution, Interval

MIB = 2.0**20
N = 1500


def counts(seed: int, quiet_from: float = 1.0) -> np.ndarray:
    """A cumulative count whose rate changes slowly and by much; it nearly stops where it is told to."""
    rng = np.random.default_rng(seed)
    share = np.arange(N) / N
    rate = 60 + 50 * np.sin(2 * np.pi * rng.uniform(1.2, 4) * share + rng.uniform(0, 6)) + rng.normal(0, 4, N)
    return np.cumsum(np.round(np.maximum(np.where(share < quiet_from, rate, 1.0), 0)))


def told_of(made: Any) -> Attribution:
    told = made.assessed()
    assert told.verdict.verdict is Answer.LEAK
    assert told.attribution is not None
    return told.attribution


def holds(interval: Interval | None, truth: float, tolerance: float) -> None:
    """Near the truth, which its interval holds with a little room."""
    assert interval is not None and interval.high is not None
    assert interval.estimate == pytest.approx(truth, rel=tolerance)
    room = 0.5 * (interval.high - interval.low)
    assert interval.low - room <= truth <= interval.high + room


@pytest.mark.parametrize("seed", range(3))
def test_a_leak_by_requests_is_told_in_bytes_a_request(traces: Any, seed: int) -> None:
    """Growth that pauses when the requests do follows the requests."""
    requests = counts(seed, quiet_from=0.6 if seed else 1.0)
    per_request = 200 * MIB / requests[-1]
    level = 500 * MIB + per_request * requests + traces.noise(N, seed)
    who = told_of(traces.of(level, limit=2048 * MIB).having(requests_total=requests))
    assert who.follows == "requests"
    assert who.by_model == ()
    holds(who.bytes_per_request, per_request, 0.1)


@pytest.mark.parametrize("seed", range(3))
def test_a_leak_by_time_is_no_request_s(traces: Any, seed: int) -> None:
    """A straight line under a rate that changes by much: no bytes per request are told."""
    level = 500 * MIB + 200 * MIB * traces.share(N) + traces.noise(N, seed)
    who = told_of(traces.of(level, limit=2048 * MIB).having(requests_total=counts(seed, quiet_from=0.5)))
    assert who.follows == "time"
    assert who.bytes_per_request is None


def test_a_steady_load_does_not_tell_requests_from_time(traces: Any) -> None:
    """The two draw the same line: unclear, with the bytes a request would leave."""
    requests = np.cumsum(np.full(N, 40.0))
    who = told_of(traces.leak(N).having(requests_total=requests))
    assert who.follows == "unclear"
    holds(who.bytes_per_request, 200 * MIB / requests[-1], 0.1)


def test_each_model_gets_what_its_requests_leave(traces: Any) -> None:
    """Two models leak, each at its own rate, a third does not; shares add up, the greatest first."""
    models = {name: counts(seed) for name, seed in (("a", 1), ("b", 2), ("c", 3))}
    grown = {"a": 150 * MIB, "b": 75 * MIB}
    truth = {m: grown.get(m, 0.0) / models[m][-1] for m in models}
    level = 500 * MIB + sum(truth[m] * models[m] for m in models) + traces.noise(N, 5, 0.5 * MIB)
    made = traces.of(level, limit=2048 * MIB).having(
        requests_total=sum(models.values()), **{f"requests_total:{m}": c for m, c in models.items()}
    )
    who = told_of(made)
    assert {m.model for m in who.by_model} == {"a", "b", "c"}
    found = {m.model: m for m in who.by_model}
    assert who.by_model[0].model == "a"
    assert found["a"].share == pytest.approx(2 / 3, abs=0.1)
    assert found["b"].share == pytest.approx(1 / 3, abs=0.1)
    assert found["c"].share < 0.1
    assert found["a"].bytes_per_request.estimate == pytest.approx(truth["a"], rel=0.15)
    assert found["b"].bytes_per_request.estimate == pytest.approx(truth["b"], rel=0.25)


def test_a_model_that_gives_back_is_silent(traces: Any) -> None:
    """Where one model's share would be negative it gets nothing, and the other all of it."""
    a, b = counts(1), counts(2)
    level = 500 * MIB + 300 * MIB * a / a[-1] - 40 * MIB * b / b[-1] + traces.noise(N, 5, 0.5 * MIB)
    made = traces.of(level, limit=2048 * MIB).having(**{"requests_total:a": a, "requests_total:b": b})
    found = {m.model: m for m in told_of(made).by_model}
    assert found["b"].share == 0.0 and found["b"].bytes_per_request == Interval(0.0, 0.0, 0.0)
    assert found["a"].share == 1.0


def test_without_a_request_since_the_onset_nobody_is_told(traces: Any) -> None:
    """No count at all, or one that stood still since the growth began."""
    late = 300 * MIB * np.maximum(traces.share(N) - 0.5, 0)
    made = traces.of(500 * MIB + late + traces.noise(N, 1), limit=2048 * MIB)
    told = made.assessed()
    assert told.verdict.verdict is Answer.LEAK and told.attribution is None
    stopped = np.minimum(10.0 * np.arange(N), 10.0 * 0.3 * N)
    told = made.having(requests_total=stopped).assessed()
    assert told.verdict.verdict is Answer.LEAK
    assert told.attribution is None or told.attribution.bytes_per_request is None
