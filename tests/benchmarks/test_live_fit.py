"""What the live detector's score is fitted by."""

import numpy as np
import pytest

from benchmarks.live_fit import Bags, curves, design, fit, knots_of, opened
from detectors.live.score import Curves


@pytest.fixture
def bags() -> Bags:
    """Three healthy days of four looks, and two leaks of four looks each."""
    day = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, *[-1] * 8])
    leak = np.array([*[-1] * 12, 0, 0, 0, 0, 1, 1, 1, 1])
    way = np.array([*[np.nan] * 12, 0.1, 0.3, 0.5, 0.9, 0.2, 0.4, 0.7, 0.97])
    return Bags(day, leak, way, np.array([1.0, 0.5, 2.0]), np.array([1.0, 0.7]))


def test_the_loss_s_slope_is_its_slope(bags: Bags) -> None:
    """A wrong derivative would still end somewhere, and nobody would know that it is not the best."""
    rng = np.random.default_rng(1)
    score = rng.normal(size=20)
    _, slope = bags.loss(score)
    for i in range(20):
        step = np.zeros(20)
        step[i] = 1e-5
        numeric = (bags.loss(score + step)[0] - bags.loss(score - step)[0]) / 2e-5
        assert slope[i] == pytest.approx(numeric, abs=1e-6)


def test_curves_say_what_the_fitted_weights_say() -> None:
    """What is written down for the detector gives the scores that were fitted, unknown evidence and ends included."""
    rng = np.random.default_rng(2)
    evidence = np.column_stack(
        [rng.normal(size=300), rng.integers(0, 2, 300), np.where(rng.random(300) < 0.2, np.nan, 1)]
    )
    knots = knots_of(evidence)
    weights = rng.normal(size=design(evidence, knots).shape[1])
    learned = Curves(curves(weights, knots))
    by_curves = np.array([learned.terms(row).sum() for row in evidence]) + weights[0]
    assert by_curves == pytest.approx(design(evidence, knots) @ weights, abs=1e-4)


def test_a_fit_tells_what_leaks_from_what_does_not(bags: Bags) -> None:
    """The evidence that separates the bags is found, though most looks at a leak are like healthy ones."""
    evidence = np.random.default_rng(3).normal(size=(20, 1))
    evidence[[12, 16], 0] = 9.0
    designed = design(evidence, knots_of(evidence))
    score = designed @ fit(designed, bags)
    assert score[[12, 16]].min() > 0 > score[:12].max()


def test_incidents_open_once_and_again_when_they_had_closed() -> None:
    """Held while looks hold it, closed by time or by growth given back; a look that only holds opens nothing."""
    time = np.array([0.0, 50.0, 140.0, 300.0, 310.0, 320.0])
    lasted, least = np.full(6, 100.0), np.full(6, 10.0)
    never = np.full(6, np.inf)
    finds = [True, False, False, False, True, True]
    assert opened(time, lasted, least, never, finds, [True] * 6) == [0, 4]
    back = np.array([*[np.inf] * 4, 315.0, np.inf])
    assert opened(time, lasted, least, back, finds, [True] * 6) == [0, 4, 5]
