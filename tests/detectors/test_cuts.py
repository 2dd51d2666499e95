"""What falls are: lives, teeth, jobs, or nothing."""

from typing import Any

import numpy as np
import pytest

from detectors.cuts import FEW_TEETH, Cut, Cuts, find_cuts, find_drops
from detectors.load import Counter, counter
from detectors.series import Series
from detectors.types import FloatArray

N = 1200
ROW = np.arange(N)
TIME = ROW * 10.0


def cut(level: FloatArray, requests: FloatArray | None = None, limit: float | None = None, seed: int = 0) -> Cuts:
    """Cuts of a level in MiB with a little noise, beside a cumulative request count."""
    level = np.minimum(level + np.random.default_rng(seed).normal(0, 0.3, N), np.inf if limit is None else limit)
    counts: Counter | None = None if requests is None else counter(TIME, requests)
    return find_cuts(Series(TIME, level), counts, limit)


def teeth(count: int, low: float = 100.0, high: float = 200.0) -> FloatArray:
    """Gradual rises that fall back at once; the last one is not finished."""
    return np.asarray(low + (high - low) * (ROW * (count + 0.5) / N % 1.0))


def ends(count: int) -> FloatArray:
    """Seconds at which each of those teeth falls."""
    return 10.0 * np.ceil(N / (count + 0.5) * np.arange(1, count + 1))


def test_a_request_count_that_resets_proves_a_restart() -> None:
    """Even where the level hardly falls; the cut is the first sample of the new process."""
    requests = np.where(ROW < 500, 5 * ROW, 5 * (ROW - 500))
    found = cut(np.full(N, 100.0), requests)
    assert (found.kind, found.proven, found.at_limit) == (Cut.LIVES, True, 0.0)
    np.testing.assert_array_equal(found.time, [5000.0])


def test_resets_at_the_very_ends_and_too_many_of_them_prove_nothing() -> None:
    """A piece of two samples cannot be judged, and a count that resets all the time is no process'."""
    assert cut(np.full(N, 100.0), np.where(ROW < 2, 1e6, ROW)).kind is Cut.NONE
    assert cut(np.full(N, 100.0), np.where(ROW < N - 2, ROW, 1.0)).kind is Cut.NONE
    assert cut(np.full(N, 100.0), (ROW % 20).astype(float)).kind is Cut.NONE


def test_a_reset_just_below_the_limit_is_told_as_such() -> None:
    """The share of the restarts that began above nine tenths of the limit."""
    level = np.where(ROW < 400, 100 + 0.22 * ROW, np.where(ROW < 800, 100 + 0.22 * (ROW - 400), 100.0))
    requests = (5 * ROW - 2000 * (ROW >= 400) - 2000 * (ROW >= 800)).astype(float)
    assert cut(level, requests, limit=200.0).at_limit == 1.0
    level[800:] = level[400:800]
    level[400:800] = 100.0
    assert cut(level, requests, limit=200.0).at_limit == 0.5
    assert cut(level, requests, limit=None).at_limit == 0.0


@pytest.mark.parametrize("count", [2, 4, 8])
def test_falls_from_the_limit_again_and_again_are_kills(count: int) -> None:
    """Gradual growth that ends at the limit and begins anew, without any counter: lives, proven."""
    found = cut(teeth(count), limit=203.0)
    assert (found.kind, found.proven) == (Cut.LIVES, True)
    assert found.at_limit == 1.0
    np.testing.assert_allclose(found.time, ends(count), atol=20.0)


def test_falls_from_below_the_limit_are_a_collector_s() -> None:
    """The same teeth far below the limit, or without one, are teeth; nothing proves a restart."""
    for limit in (None, 400.0):
        found = cut(teeth(8), limit=limit)
        assert (found.kind, found.proven) == (Cut.TEETH, False)
        np.testing.assert_allclose(found.time, ends(8), atol=20.0)


def test_a_request_count_that_goes_on_disproves_restarts() -> None:
    """Falls at the limit while the process keeps counting are collections, not kills."""
    assert cut(teeth(8), 5.0 * ROW, limit=203.0).kind is Cut.TEETH


def test_many_teeth_are_told_from_few() -> None:
    """Over FEW_TEETH they are judged whole."""
    assert cut(teeth(FEW_TEETH - 4)).kind is Cut.TEETH
    assert cut(teeth(FEW_TEETH + 6)).kind is Cut.MANY_TEETH


def test_a_dip_far_below_what_follows_is_a_new_process() -> None:
    """It starts nearly empty and loads its model again: lives, though nothing proves it."""
    level = np.full(N, 200.0)
    for at in (400, 800):
        level[at : at + 12] = np.linspace(20, 200, 12)
    found = cut(level)
    assert (found.kind, found.proven) == (Cut.LIVES, False)
    np.testing.assert_allclose(found.time, [4000.0, 8000.0], atol=20.0)


def test_jobs_that_came_and_went_are_no_cuts() -> None:
    """A sharp rise to a plateau and back to where it was: neither a life nor a tooth."""
    level = 100.0 + 80.0 * ((ROW % 300 > 200) & (ROW % 300 < 240))
    found = cut(level)
    assert found.kind is Cut.NONE
    assert len(found.time) == 0


def test_two_states_are_no_teeth() -> None:
    """A switch between two levels does not rise bit by bit."""
    assert cut(np.where(ROW // 150 % 2, 180.0, 100.0)).kind is Cut.NONE


@pytest.mark.parametrize("level", [np.full(N, 100.0), 100 + 0.1 * ROW, 100 + 20 * np.sin(ROW / 60), -0.05 * ROW + 200])
def test_what_never_falls_suddenly_has_no_cuts(level: FloatArray) -> None:
    """Noise, a line up or down, and a slow wave."""
    assert cut(level).kind is Cut.NONE


def test_a_fall_is_found_where_it_is() -> None:
    """The first sample after it, the highest level just before, and the level that follows."""
    level = np.where(ROW < 700, 100 + 0.1 * ROW, 60.0)
    drops = find_drops(Series(TIME, level))
    np.testing.assert_array_equal(drops.row, [700])
    assert drops.peak[0] == level[699]
    assert drops.before[0] == level[698]
    assert drops.after[0] == drops.trough[0] == 60.0


def test_too_few_samples_show_no_falls() -> None:
    """Under a dozen there is nothing to tell a fall from noise."""
    assert len(find_drops(Series(np.arange(11.0), np.array([9.0] * 6 + [1.0] * 5))).row) == 0


def test_a_cut_is_always_a_sample_inside(traces: Any) -> None:
    """Resets between samples of the reduced series move to the sample after."""
    requests = Counter(TIME, 1.0 * ROW, np.array([4321.5, 4322.5, 1e9]))
    found = find_cuts(Series(TIME, traces.noise(N, 1)), requests, None)
    np.testing.assert_array_equal(found.time, [4330.0])
