"""Counters made monotone, and the columns that memory may follow."""

import numpy as np
import pytest

from detectors.load import Counter, bin_edges, counter, model_columns, rate_columns
from detectors.series import Series

TEN = np.arange(10.0)


def test_a_reset_counts_from_zero_and_is_told() -> None:
    """The total goes on by what the new process has counted; the first sample after the fall is the reset."""
    found = counter(TEN, np.array([5.0, 7, 9, 11, 2, 4, 6, 1, 3, 5]))
    assert found is not None
    np.testing.assert_array_equal(found.total, [0, 2, 4, 6, 8, 10, 12, 13, 15, 17])
    np.testing.assert_array_equal(found.resets, [4.0, 7.0])


def test_unknown_cells_are_left_out_and_filled_by_a_straight_line() -> None:
    """A count between two samples is interpolated; before the first and after the last it stands still."""
    value = 10.0 * TEN
    value[[3, 4]] = np.nan
    found = counter(TEN, value)
    assert found is not None and len(found.resets) == 0
    np.testing.assert_allclose(found.at(np.array([-1.0, 3.5, 100.0])), [0.0, 35.0, 90.0])


@pytest.mark.parametrize(
    "value",
    [np.full(10, 7.0), np.full(10, np.nan), np.where(TEN < 6, np.nan, TEN), np.array([9.0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
)
def test_a_count_that_tells_nothing_is_none(value: np.ndarray) -> None:
    """One that never moves, or is unknown for the most part, or only falls."""
    assert counter(TEN, value) is None


def test_rate_columns_are_the_rate_its_lags_and_its_high_water_mark() -> None:
    """A steady rate gives five equal columns; a jump is followed the later the longer the lag, and never forgotten by
    the high-water mark until the next piece."""
    n = 120
    edges = np.arange(n + 1.0)
    rate = np.where((np.arange(n) >= 30) & (np.arange(n) < 60), 9.0, 3.0)
    count = Counter(edges, np.concatenate([[0.0], np.cumsum(rate)]), np.empty(0))
    piece = (np.arange(n) >= 90).astype(np.int64)
    columns = rate_columns(count, edges, piece)
    assert columns.shape == (n, 5)
    np.testing.assert_allclose(columns[:, 0], rate)
    np.testing.assert_allclose(columns[:30], 3.0)
    at_jump = columns[35, 1:4]
    assert 9.0 > at_jump[0] > at_jump[1] > at_jump[2] > 3.0
    np.testing.assert_allclose(columns[30:90, 4], 9.0)
    np.testing.assert_allclose(columns[90:, 4], 3.0)


def test_rates_are_per_second_whatever_the_bins() -> None:
    """Bins of uneven length do not change the rate of a steady load."""
    edges = np.array([0.0, 1, 5, 6, 20])
    count = Counter(np.array([0.0, 20.0]), np.array([0.0, 40.0]), np.empty(0))
    np.testing.assert_allclose(rate_columns(count, edges, np.zeros(4, dtype=np.int64)), 2.0)


def test_edges_lie_halfway_between_bins_and_reach_to_the_ends() -> None:
    """In seconds on the series' axis."""
    series = Series(np.array([10.0, 30.0]), np.zeros(2))
    np.testing.assert_allclose(bin_edges(np.array([0.1, 0.5, 0.7]), series), [10.0, 16.0, 22.0, 30.0])


def test_models_are_found_by_their_prefix() -> None:
    """A model's name may hold a colon; the total is no model."""
    columns = {"requests_total": TEN, "requests_total:a:b": TEN, "model_loads_total:c": TEN}
    assert list(model_columns(columns, "requests_total")) == ["a:b"]
