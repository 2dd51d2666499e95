"""Robust numbers beside numpy's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import series
from detectors.series import FINE_POINTS, Series, bin_between, bin_equally, choose_metric, reduce


@settings(max_examples=40)
@given(st.integers(2, 400), st.integers(1, 60), st.integers(0, 2**31))
def test_bins_are_numpy_s_median_and_lower_tenth_of_each_ragged_group(n: int, count: int, seed: int) -> None:
    """Irregular times give groups of all sizes; empty ones are left out, and no sample is lost or counted twice."""
    rng = np.random.default_rng(seed)
    time = np.cumsum(rng.exponential(1.0, n) ** 3 + 1e-6)
    value = np.round(rng.normal(0, 5, n))
    bins = bin_equally(Series(time, value), count)
    ends = time[0] + (time[-1] - time[0]) * np.arange(1, count) / count
    of = (time[:, None] >= ends).sum(axis=1)
    groups = [of == k for k in range(count) if (of == k).any()]
    np.testing.assert_allclose(bins.median, [np.median(value[g]) for g in groups])
    np.testing.assert_array_equal(bins.floor, [np.quantile(value[g], 0.1, method="lower") for g in groups])
    np.testing.assert_allclose(bins.time, [(time[g][0] + time[g][-1]) / 2 for g in groups])


def test_a_sample_on_an_edge_belongs_to_the_bin_that_begins_there() -> None:
    """Edges are first samples of new pieces."""
    bins = bin_between(Series(np.arange(6.0), np.array([1.0, 1, 1, 9, 9, 9])), np.array([3.0]))
    np.testing.assert_array_equal(bins.median, [1.0, 9.0])
    np.testing.assert_array_equal(bins.time, [1.0, 4.0])


@pytest.mark.parametrize("n", [2, 100, 2 * FINE_POINTS, 2 * FINE_POINTS + 1, 50_000])
def test_a_series_is_reduced_to_at_most_twice_the_fine_points(n: int) -> None:
    """Short series pass unchanged; long ones keep their ends and their course."""
    rng = np.random.default_rng(n)
    time = np.cumsum(rng.uniform(0.1, 2.0, n))
    whole = Series(time, 3.0 * time)
    small = reduce(whole)
    assert len(small.time) == len(small.value) <= 2 * FINE_POINTS
    assert (np.diff(small.time) > 0).all()
    if n <= 2 * FINE_POINTS:
        assert small is whole
    else:
        step = (time[-1] - time[0]) / FINE_POINTS
        np.testing.assert_allclose(small.value, 3.0 * small.time, atol=3.0 * step)
        assert small.time[0] - time[0] < step and time[-1] - small.time[-1] < step


@settings(max_examples=40)
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=40), st.floats(0, 1))
def test_small_statistics_are_numpy_s(values: list[float], share: float) -> None:
    """Quantile, median, upper median and distinct values, without numpy.ma."""
    array = np.array(values)
    kept = array.copy()
    assert series.quantile(array, share) == pytest.approx(float(np.quantile(array, share)), rel=1e-9, abs=1e-3)
    assert series.median(array) == pytest.approx(float(np.median(array)), rel=1e-9, abs=1e-3)
    assert series.middle(array) == np.sort(array)[len(array) // 2]
    np.testing.assert_array_equal(series.distinct(np.sort(array)), np.unique(array))
    np.testing.assert_array_equal(array, kept)


def test_the_best_witness_of_a_leak_is_chosen() -> None:
    """Anonymous memory before the working set, unless half of its cells are unknown; page cache alone never."""
    full, gone = np.ones(10), np.where(np.arange(10) < 4, 1.0, np.nan)
    assert choose_metric({"usage_bytes": full, "working_set_bytes": full, "anon_bytes": full}) == "anon_bytes"
    assert choose_metric({"usage_bytes": full, "working_set_bytes": full, "anon_bytes": gone}) == "working_set_bytes"
    assert choose_metric({"usage_bytes": full, "rss_bytes": full}) == "rss_bytes"
    assert choose_metric({"file_bytes": full, "threads": full}) is None
    assert choose_metric({"anon_bytes": gone}) is None
    assert choose_metric({"anon_bytes": np.empty(0)}) is None
    assert choose_metric({}) is None
