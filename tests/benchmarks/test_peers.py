"""The peers' rules do what their authors say, so that beating them means something."""

import itertools

import numpy as np
import pytest

from benchmarks import peers


def test_mann_kendall_agrees_with_the_sum_over_pairs() -> None:
    """S of 1 3 2 4 is 4 (five pairs rise, one falls) and its variance 4*3*13/18; ties lower the variance."""
    score, variance = peers.mann_kendall_score(np.array([1.0, 3.0, 2.0, 4.0]))
    assert (score, variance) == (4.0, pytest.approx(4 * 3 * 13 / 18))
    tied = np.array([1.0, 2.0, 2.0, 2.0, 5.0])
    score, variance = peers.mann_kendall_score(tied)
    assert score == sum(np.sign(b - a) for a, b in itertools.combinations(tied, 2)) == 7
    assert variance == pytest.approx((5 * 4 * 15 - 3 * 2 * 11) / 18)


def test_sen_slope_bears_a_third_of_wild_values() -> None:
    """The median of the pairs' slopes is the line's, whatever some samples do."""
    time = np.arange(30.0) * 60
    level = 5 + 0.25 * time
    level[::7] = 1e9
    assert peers.sen_slope(time, level) == pytest.approx(0.25)


def test_hamed_rao_follows_its_formula() -> None:
    """The inflation is the sum over significant lags of the rank autocorrelation, written out."""
    rng = np.random.default_rng(5)
    level = np.convolve(rng.standard_normal(70), np.ones(10), "valid")
    time = np.arange(len(level), dtype=float)
    n, rank = len(level), np.argsort(np.argsort(level)) - (len(level) - 1) / 2
    total = 0.0
    for lag in range(1, n):
        correlation = float(rank[lag:] @ rank[:-lag]) / float(rank @ rank)
        if abs(correlation) > 1.959964 / np.sqrt(n):
            total += (n - lag) * (n - lag - 1) * (n - lag - 2) * correlation
    expected = 1 + 2 / (n * (n - 1) * (n - 2)) * total
    assert peers.hamed_rao_inflation(time, level, 0.0) == pytest.approx(expected)
    assert expected > 2


def test_predict_linear_extends_the_last_window() -> None:
    """A line that was flat until an hour ago fires by its last hour alone, and never without a limit."""
    time = np.arange(0, 86_400.0, 60)
    level = 100 + np.maximum(time - 82_800, 0) / 3_600  # one byte in the last hour
    rule = peers.predict_linear(1, 4)
    assert rule(time, level, 104.9) and not rule(time, level, 105.1) and not rule(time, level, None)
    assert not peers.predict_linear(24, 4)(time, level, 104.9)


def test_coroot_looks_at_the_longest_run_and_its_last_quarter() -> None:
    """Growth that has stopped does not fire, growth after a halving does, slow growth only by its shape."""
    time = np.arange(0, 36_000.0, 60)
    rising = 100 + time / 3_600 * 10
    stopped = np.minimum(rising, 150.0)
    restarted = np.where(time < 9_000, 500.0, rising)
    assert peers.coroot(time, rising, 200.0) and not peers.coroot(time, rising, 400.0)
    assert peers.coroot_shape(time, rising, 400.0)
    assert not peers.coroot(time, stopped, 100.0)
    assert peers.coroot(time, restarted, 200.0)


@pytest.mark.parametrize("name", peers.RULES)
def test_every_rule_bears_any_trace(name: str) -> None:
    """Constant, two-point, long and unlimited traces give an answer, and a flat level is no alarm."""
    rule = peers.RULES[name]
    for n in (2, 3, 50, 5_000):
        time = np.arange(n) * 15.0
        assert rule(time, np.full(n, 1e9), 4e9) in (False, np.False_)
        assert isinstance(bool(rule(time, 1e9 + time, None)), bool)
