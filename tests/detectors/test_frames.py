"""Ways of looking at a trace, each beside a series that it should explain exactly."""

import numpy as np
import pytest

from detectors.binning import Judged
from detectors.evidence import Frame
from detectors.frames import Extra, plain, restart, sawtooth
from detectors.noise import regular_whitener, whitener
from detectors.shapes import Shapes
from detectors.types import FloatArray

N = 120
U = (np.arange(N) + 0.5) / N
CUTS = np.array([0.25, 0.5, 0.75])
PIECE = np.searchsorted(CUTS, U, side="right").astype(np.int64)
NOTHING = Extra(None, None)


def judged(level: FloatArray, piece: FloatArray = PIECE) -> Judged:
    return Judged(U, piece, level, level, False)


def left(level: FloatArray, columns: FloatArray) -> float:
    """Share of the level's spread that the columns leave."""
    rest = level - columns @ np.linalg.lstsq(columns, level, rcond=None)[0]
    return float(np.abs(rest).max() / np.ptp(level))


def consistent(frame: Frame) -> None:
    """Every part has a row for each bin and a word for each column."""
    for columns in (frame.base, frame.healthy.columns, frame.leaking.columns):
        assert columns.shape[0] == N and np.isfinite(columns).all()
    assert frame.base_parameters >= frame.base.shape[1]
    for shapes in (frame.healthy, frame.leaking):
        assert len(shapes.family) == len(shapes.onset) == len(shapes.rate) == shapes.columns.shape[1]


def test_a_sawtooth_of_one_height_needs_no_leak() -> None:
    """Teeth of even height are the base's own; on a line the leak is what is left; each cut's time costs a number."""
    teeth = 50.0 * (U * 4 % 1)
    frame = sawtooth(regular_whitener(N), judged(teeth), CUTS, (), NOTHING)
    consistent(frame)
    assert left(teeth, frame.base) < 1e-9
    assert frame.base_parameters == frame.base.shape[1] + len(CUTS)
    rising = teeth + 20.0 * U
    assert left(rising, np.concatenate([frame.base, frame.leaking.columns[:, :1]], axis=1)) < 1e-9
    assert "accelerating" not in frame.leaking.family


@pytest.mark.parametrize("cuts", [np.array([0.5]), np.array([0.1, 0.6]), np.array([0.05, 0.35, 0.65, 0.95])])
def test_teeth_cut_short_at_the_ends_have_the_height_of_the_others(cuts: FloatArray) -> None:
    """Phases lie in 0..1 whatever the first and the last tooth lack."""
    piece = np.searchsorted(cuts, U, side="right").astype(np.int64)
    frame = sawtooth(regular_whitener(N), judged(U, piece), cuts, (), NOTHING)
    phase = frame.base[:, 1]
    assert phase.min() >= 0.0 and phase.max() <= 1.0
    for p in range(len(cuts) + 1):
        assert (np.diff(phase[piece == p]) > 0).all()


def test_each_life_has_its_own_level_and_the_leak_begins_anew() -> None:
    """Growth at one rate in every life, from levels of their own, is a line since the restart and nothing else."""
    since = U - np.concatenate([[0.0], CUTS])[PIECE]
    level = np.array([10.0, 30.0, 20.0, 5.0])[PIECE] + 40.0 * since
    frame = restart(whitener(U, PIECE), judged(level), CUTS, (), NOTHING)
    consistent(frame)
    np.testing.assert_allclose(frame.leaking.columns[:, 0], since)
    assert left(level, np.concatenate([frame.base, frame.leaking.columns[:, :1]], axis=1)) < 1e-9
    assert left(level, frame.base) > 0.01


def test_a_leak_of_a_later_release_alone_is_drawn() -> None:
    """Growth only since the second restart, its onset there; never one that only the last short life would show."""
    since = U - np.concatenate([[0.0], CUTS])[PIECE]
    frame = restart(whitener(U, PIECE), judged(since), CUTS, (), NOTHING)
    late = [i for i, f in enumerate(frame.leaking.family) if f == "late line"]
    onsets = {float(frame.leaking.onset[i]) for i in late}
    assert onsets == {0.25, 0.5, 0.75}
    for i in late:
        grows = frame.leaking.columns[:, i] > 0
        assert not grows[frame.leaking.onset[i] > U].any()
        assert (frame.leaking.onset[i] < U)[grows].all()
    short = np.array([0.5, 0.9])
    piece = np.searchsorted(short, U, side="right").astype(np.int64)
    few = restart(whitener(U, piece), judged(U, piece), short, (), NOTHING)
    assert {float(o) for o in few.leaking.onset} == {0.0, 0.5}


def test_counters_add_their_curves_to_every_frame() -> None:
    """Load among the healthy, requests among the leaks, after the standard ones."""
    load, requests = (
        Shapes(U[:, None] * k, (name,), np.zeros(1), np.ones(1), np.ones(1))
        for k, name in ((2.0, "load"), (3.0, "requests"))
    )
    extra = Extra(load, requests)
    for frame in (
        plain(regular_whitener(N), judged(U), (), extra),
        sawtooth(regular_whitener(N), judged(U), CUTS, (), extra),
        restart(whitener(U, PIECE), judged(U), CUTS, (), extra),
    ):
        consistent(frame)
        assert (frame.healthy.family[-1], frame.leaking.family[-1]) == ("load", "requests")
        np.testing.assert_array_equal(frame.healthy.columns[:, -1], 2.0 * U)
        np.testing.assert_array_equal(frame.leaking.columns[:, -1], 3.0 * U)
        assert not any(f in ("load", "requests") for f in (*frame.healthy.family[:-1], *frame.leaking.family[:-1]))
