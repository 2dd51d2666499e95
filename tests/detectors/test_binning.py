"""What is judged: bins that keep to their piece, and what is taken off them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.binning import (
    BINS,
    FLOOR_BLOCK,
    Judged,
    bin_count,
    blockwise_trend,
    floor_of,
    floor_of_teeth,
    judge,
    judge_teeth,
    without_pulses,
)
from detectors.series import Series
from detectors.types import FloatArray

NO_CUTS = np.empty(0)


def judged(level: FloatArray, piece: FloatArray | None = None) -> Judged:
    """Equal bins with this level, which is its own floor."""
    n = len(level)
    pieces = np.zeros(n, dtype=np.int64) if piece is None else piece
    return Judged((np.arange(n) + 0.5) / n, pieces, level, level, piece is None)


@settings(max_examples=30)
@given(st.integers(200, 3000), st.sets(st.integers(1, 9), max_size=5), st.integers(0, 2**31))
def test_no_bin_straddles_a_cut(n: int, cuts: set[int], seed: int) -> None:
    """Whatever the cuts: pieces rise, every piece is there, each bin's level is of its own piece alone."""
    rng = np.random.default_rng(seed)
    time = np.cumsum(rng.uniform(0.5, 1.5, n))
    rows = np.array(sorted(n * tenth // 10 for tenth in cuts), dtype=np.int64)
    value = 100.0 * np.searchsorted(rows, np.arange(n), side="right") + rng.normal(0, 1e-3, n)
    found = judge(Series(time, value), time[rows])
    np.testing.assert_allclose(found.level, 100.0 * found.piece, atol=0.1)
    np.testing.assert_allclose(found.floor, 100.0 * found.piece, atol=0.1)
    np.testing.assert_array_equal(np.unique(found.piece), np.arange(len(rows) + 1))
    assert (np.diff(found.position) > 0).all()
    assert found.position[0] >= 0.0 and found.position[-1] <= 1.0
    assert len(found.level) <= BINS + 2 * (len(rows) + 1)


def test_the_bin_that_ends_in_a_fall_is_left_out() -> None:
    """Sampling may catch part of the fall in the last bin before a cut; the next piece begins whole."""
    time = np.arange(1000.0)
    value = np.where(time < 500, 10.0, 20.0)
    value[496:500] = 0.0
    found = judge(Series(time, value), np.array([500.0]))
    assert set(found.level) == {10.0, 20.0}
    assert found.position[found.piece == 1][0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("samples", "bins"), [(20, 30), (59, 30), (60, 60), (199, 60), (200, 126), (10**6, 126)])
def test_bins_are_fewer_where_samples_are_few(samples: int, bins: int) -> None:
    """Never more than 126."""
    assert bin_count(samples) == bins <= BINS


def test_only_bins_that_are_all_there_count_as_regular() -> None:
    """A gap that empties a bin makes the positions irregular, and they are where the samples are."""
    time = np.arange(1000.0)
    assert judge(Series(time, time), NO_CUTS).regular
    holey = time[(time < 300) | (time > 600)]
    found = judge(Series(holey, holey), NO_CUTS)
    assert not found.regular
    np.testing.assert_allclose(found.level, 999.0 * found.position, atol=5.0)
    assert not ((found.position > 0.31) & (found.position < 0.59)).any()


def test_a_single_wild_bin_is_put_back() -> None:
    """One spike of a few samples does not reach the judged level; its neighbours stay as they are."""
    value = np.random.default_rng(0).normal(100, 1, 1260)
    value[500:510] += 1000
    assert judge(Series(np.arange(1260.0), value), NO_CUTS).level.max() < 105


def test_many_teeth_are_judged_a_whole_tooth_to_a_bin() -> None:
    """At most 126 bins; a sawtooth without growth is level, and the teeth cut short at both ends are left out."""
    time = np.arange(40_000.0)
    found = judge_teeth(Series(time, time % 100 + 5.0), np.arange(100.0, 40_000, 100))
    assert 90 <= len(found.level) <= BINS
    assert not found.regular
    assert np.ptp(found.level) <= 1.0 and np.ptp(found.floor) <= 1.0
    assert found.position[0] > 0.0025 and found.position[-1] < 1.0


def test_a_pulse_with_two_edges_is_cut_down_and_a_step_is_not() -> None:
    """A job that came and went leaves nothing, on a rising level too; what stays is kept; quiet bins are untouched."""
    noise = np.random.default_rng(1).normal(0, 0.1, 126)
    line = np.linspace(0, 5, 126)
    pulse = np.where((np.arange(126) >= 60) & (np.arange(126) < 66), 50.0, 0.0)
    step = np.where(np.arange(126) >= 60, 50.0, 0.0)
    clean = without_pulses(judged(line + noise + pulse), 0.01)
    np.testing.assert_allclose(clean.level, line + noise, atol=2.5)
    np.testing.assert_array_equal(clean.floor, line + noise + pulse)
    np.testing.assert_array_equal(without_pulses(judged(line + noise + step), 0.01).level, line + noise + step)
    quiet = judged(line + noise)
    assert without_pulses(quiet, 0.01) is quiet


def test_a_pulse_that_persuades_nobody_is_left_alone() -> None:
    """The bar is never under eight times what is immaterial."""
    pulse = np.where(np.abs(np.arange(126) - 60) < 3, 1.0, 0.0)
    quiet = judged(pulse)
    assert without_pulses(quiet, 1.0) is quiet
    assert without_pulses(quiet, 1e-3).level.max() == 0.0


@settings(max_examples=20)
@given(st.integers(12, 126), st.integers(0, 4), st.integers(0, 2**31))
def test_the_floor_is_the_lowest_of_each_block(n: int, cut: int, seed: int) -> None:
    """Blocks do not overlap and keep to their piece; what comes back by itself is taken off first."""
    rng = np.random.default_rng(seed)
    piece = np.sort(rng.integers(0, cut + 1, n))
    level, periodic = rng.normal(0, 1, n), rng.normal(0, 1, n)
    seen = judged(level, piece if cut else None)
    found = floor_of(seen, periodic)
    blocks = [
        rows[i : i + FLOOR_BLOCK]
        for p in np.unique(piece)
        for rows in [np.flatnonzero(piece == p)]
        for i in range(0, len(rows), FLOOR_BLOCK)
    ]
    np.testing.assert_array_equal(found.level, [(level - periodic)[b].min() for b in blocks])
    np.testing.assert_allclose(found.position, [seen.position[b].mean() for b in blocks])
    np.testing.assert_array_equal(found.piece, [piece[b[0]] for b in blocks])
    assert found.regular == (cut == 0 and n % FLOOR_BLOCK == 0)


def test_the_floor_of_teeth_is_one_point_a_tooth() -> None:
    """Each whole tooth's lowest bin; the first, of which the beginning is missing, is left out."""
    found = floor_of_teeth(judged(np.array([9.0, 1, 2, 3, 4, 7, 8]), np.array([0, 1, 1, 1, 2, 2, 2])))
    np.testing.assert_array_equal(found.level, [1.0, 4.0])
    assert not found.piece.any()
    assert len(found.position) == 2


def test_the_blockwise_trend_is_the_line_and_no_tenth_of_wild_bins_bends_it() -> None:
    """A line's own slope, and its level to half a bin; robust where one block of twelve is anything."""
    position = (np.arange(120) + 0.5) / 120
    line = 3.0 + 7.0 * position
    np.testing.assert_allclose(np.diff(blockwise_trend(position, line)), np.diff(line))
    np.testing.assert_allclose(blockwise_trend(position, line), line, atol=7.0 / 240 + 1e-9)
    wild = line.copy()
    wild[40:50] += 1000.0
    np.testing.assert_allclose(blockwise_trend(position, wild), line, atol=0.5)
    np.testing.assert_allclose(blockwise_trend(position[:1], line[:1]), line[:1])


def test_a_judged_trace_is_binned_within_its_duration(traces: Any) -> None:
    """Positions are shares of the trace and the floor never lies above the level by more than its despiking."""
    made = traces.flat(500)
    found = judge(Series(made.time - made.time[0], made.columns["anon_bytes"]), NO_CUTS)
    assert (found.floor <= found.level).all()
