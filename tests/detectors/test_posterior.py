"""The mixture of all explanations, summed up."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.binning import Judged
from detectors.evidence import Group, Outcome, compete
from detectors.frames import Extra, plain, sawtooth
from detectors.noise import regular_whitener
from detectors.posterior import combine
from detectors.types import FloatArray

N = 60
U = (np.arange(N) + 0.5) / N
PIECE = (U > 0.5).astype(np.int64)
NOISE = np.random.default_rng(8).normal(0, 1.0, N)


def judged(level: FloatArray) -> Judged:
    return Judged(U, PIECE, level, level, True)


def outcomes(level: FloatArray) -> list[Outcome]:
    """The same series as it is and as two teeth."""
    whiten, bins = regular_whitener(N), judged(level)
    load = Group("load", np.sin(30 * U)[:, None], 1)
    frames = (
        plain(whiten, bins, ((load,),), Extra(None, None)),
        sawtooth(whiten, bins, np.array([0.5]), (), Extra(None, None)),
    )
    return [compete(f, level, 2.0, 0.05) for f in frames]


@pytest.mark.parametrize("grows", [0.0, 4.0, 12.0])
def test_the_rate_is_the_mixture_s_mean_and_deviation(grows: float) -> None:
    """By the law of total variance over every leaking explanation of every frame, weighed by belief and materiality."""
    level = grows * U + NOISE
    parts = outcomes(level)
    told = combine(parts, judged(level))
    top = max(o.log_weight.max() for o in parts)
    weight, exceeds, rate, variance, onset = (
        np.concatenate(values)
        for values in zip(
            *(
                (
                    np.exp(o.log_weight - top),
                    o.exceeds,
                    o.rate,
                    o.rate_variance,
                    np.concatenate([[0.0], o.frame.leaking.onset])[o.chosen[3]],
                )
                for o in parts
            ),
            strict=True,
        )
    )
    belief = weight * exceeds
    mean = np.average(rate, weights=belief)
    spread = np.average(variance, weights=belief) + np.average((rate - mean) ** 2, weights=belief)
    assert told.leak == pytest.approx(belief.sum() / weight.sum())
    assert told.rate == pytest.approx(mean)
    assert told.rate_deviation == pytest.approx(np.sqrt(spread), rel=1e-6)
    assert told.onset == pytest.approx(np.average(onset, weights=belief))


def test_belief_in_a_leak_grows_with_the_growth() -> None:
    """From nearly none on noise to nearly all on a clear line."""
    believed = [combine(outcomes(g * U + NOISE), judged(g * U + NOISE)).leak for g in (0.0, 5.0, 25.0)]
    assert believed[0] < 0.2 < 0.9 < believed[2]
    assert believed == sorted(believed)


def test_kinds_of_explanation_share_all_belief() -> None:
    """Weights sum to one over all frames, the best first, each losing by the ratio to it; each kind is named once."""
    level = 6.0 * U + NOISE
    kinds = combine(outcomes(level), judged(level)).explanations
    weights = np.array([k.weight for k in kinds])
    assert weights.sum() == pytest.approx(1.0)
    assert (np.diff(weights) <= 0).all()
    np.testing.assert_allclose([k.lost_by for k in kinds], np.log(weights[0] / weights), atol=1e-9)
    assert len({(k.name, k.leak) for k in kinds}) == len(kinds)
    assert any(k.leak for k in kinds) and any(not k.leak for k in kinds)


def test_the_best_explanation_is_drawn_on_the_bins() -> None:
    """Its parts sum to the series but for the noise that is told; what comes back by itself is the load's part."""
    wave = 5.0 * np.sin(30 * U)
    level = 20.0 * U + wave + 0.1 * NOISE
    told = combine(outcomes(level), judged(level))
    best = told.best_leak
    assert best is not None
    assert (best.frame, best.names, best.leak_family, best.power) == ("plain", ("load",), "line", 1.0)
    np.testing.assert_allclose(best.nuisance + best.growth + best.leak, level, atol=0.5)
    np.testing.assert_allclose(best.periodic, wave, atol=0.5)
    assert told.noise == pytest.approx(0.1, rel=0.3)


def test_a_fall_is_no_leak() -> None:
    """However clear the line, and though it is the best explanation, none of its belief is in a leak."""
    level = -50.0 * U + 0.01 * NOISE
    told = combine(outcomes(level), judged(level))
    assert told.explanations[0].leak
    assert told.leak < 1e-6


def test_a_frame_that_is_far_behind_changes_nothing() -> None:
    """Frames share one normalisation."""
    level = 12.0 * U + NOISE
    first, second = outcomes(level)
    hopeless = replace(second, log_weight=second.log_weight - 1e4)
    alone, both = combine([first], judged(level)), combine([first, hopeless], judged(level))
    assert both.leak == pytest.approx(alone.leak)
    assert both.rate == pytest.approx(alone.rate)
