"""How much more trace would decide."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.assess import assess
from detectors.contest import contest
from detectors.posterior import Posterior
from detectors.scene import Scene, prepare
from detectors.waiting import LEAST_SHARE, MOST_SHARE, error_exponent, wait_for_more, wait_for_samples

MIB = 2.0**20


def contested(level: np.ndarray, step: float = 16.0) -> tuple[Scene, Posterior]:
    time = step * np.arange(len(level))
    scene = prepare(time, level, {"anon_bytes": level}, None)
    return scene, contest(scene)[0]


def noisy(remembers: float) -> np.ndarray:
    white = np.random.default_rng(1).normal(size=1500)
    out, state = [], 0.0
    for w in white:
        state = remembers * state + w
        out.append(state)
    return 500 * MIB + 20 * MIB * np.linspace(0, 1, 1500) + MIB * np.array(out)


SCENE, LEAD = contested(noisy(0.0))


@settings(max_examples=60, deadline=None)
@given(
    growth=st.floats(1e-3, 1e12), faster=st.floats(1.0, 1e6), deviation=st.floats(0.0, 1e12), noise=st.floats(0.0, 1e12)
)
def test_more_growth_is_decided_sooner(growth: float, faster: float, deviation: float, noise: float) -> None:
    """The wait is positive and finite, and never longer for the faster of two leaks under the same noise."""
    slow = replace(LEAD, rate=growth, rate_deviation=deviation, noise=noise)
    fast = replace(slow, rate=growth * faster)
    waits = [wait_for_more(SCENE, lead).seconds for lead in (slow, fast)]
    assert np.isfinite(waits).all()
    assert LEAST_SHARE * SCENE.span <= waits[1] <= waits[0] <= MOST_SHARE * SCENE.span


def test_a_slope_that_is_not_known_is_waited_for() -> None:
    """Under white noise twice the uncertainty that may be left takes 2^(2/3) times the trace, 59 % more."""
    rate = 100.0 * max(SCENE.material, LEAD.noise)
    lead = replace(LEAD, rate=rate, rate_deviation=2.0 * rate / 1.96)
    told = wait_for_more(SCENE, lead)
    assert told.seconds / SCENE.span == pytest.approx(2.0 ** (1.0 / error_exponent(lead)) - 1.0)
    assert error_exponent(lead) > 1.3
    assert "slope" in told.why and "zero" in told.why


def test_wandering_noise_takes_longer() -> None:
    """What a random walk adds to a slope's error goes slowly: the exponent falls towards a half."""
    _, wandering = contested(noisy(0.999))
    assert 0.5 <= error_exponent(wandering) < error_exponent(LEAD) <= 1.5


def test_no_growth_is_not_promised_a_verdict_soon() -> None:
    """Where nothing grows the longest wait is given, with the reason."""
    told = wait_for_more(SCENE, replace(LEAD, rate=0.0))
    assert told.seconds == MOST_SHARE * SCENE.span
    assert "may be needed" in told.why


def test_a_day_cut_short_is_waited_for() -> None:
    """Under load or a cycle less than two days are no answer: one more day, whatever the slope says."""
    scene, lead = contested(noisy(0.0), step=80.0)
    assert 1.0 < scene.span / 86_400 < 2.0
    sure = replace(lead, rate=1e15, rate_deviation=0.0, best_leak=None)
    assert wait_for_more(scene, sure).seconds == pytest.approx(LEAST_SHARE * scene.span)
    cyclic = replace(sure, best=replace(sure.best, names=("cycle",)))
    assert wait_for_more(scene, cyclic).seconds == pytest.approx(86_400.0)


def test_too_few_samples_wait_for_the_rest() -> None:
    """Seven samples a minute apart need thirteen more minutes; one sample has no pace, so nothing is promised."""
    told = assess(60.0 * np.arange(7), {"anon_bytes": np.full(7, 5 * MIB)}, limit_bytes=None)
    assert told.undecided_until_seconds == 13 * 60.0
    assert assess(np.zeros(1), {"anon_bytes": np.full(1, MIB)}, limit_bytes=None).undecided_until_seconds is None
    assert assess(np.arange(50.0), {}, limit_bytes=None).undecided_until_seconds is None
    assert wait_for_samples(np.empty(0), 0, 20) is None
