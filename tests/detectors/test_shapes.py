"""Curves that end, and curves that go on."""

import numpy as np

from detectors.shapes import Shapes, healthy, leaking, settling

U = np.linspace(0.0, 1.0, 1001)


def test_shapes_describe_each_of_their_columns() -> None:
    """Family, onset, rate and power are there for every column, and every column is finite."""
    for shapes in (healthy(U), leaking(U), settling(U % 0.25, 0.25, np.ones_like(U))):
        count = shapes.columns.shape[1]
        assert [len(shapes.family), len(shapes.onset), len(shapes.rate), len(shapes.power)] == [count] * 4
        assert np.isfinite(shapes.columns).all()


def test_healthy_growth_slows_down() -> None:
    """Every healthy curve rises, and gains less than its share in its last twentieth; a ramp has ended by then."""
    shapes = healthy(U)
    for i, family in enumerate(shapes.family):
        column = shapes.columns[:, i]
        assert (np.diff(column) >= 0).all() and column[0] <= column[-1]
        late = column[-1] - column[950]
        assert late < 0.05 * (column[-1] - column[0])
        assert family != "ramp" or late == 0.0


def test_a_leak_s_rate_and_onset_are_what_is_claimed() -> None:
    """Nothing before the onset, at the end (1 - onset) times the mean rate, and growth in the last tenth."""
    shapes: Shapes = leaking(U)
    for i in range(len(shapes.family)):
        column = shapes.columns[:, i]
        assert not column[shapes.onset[i] > U].any()
        np.testing.assert_allclose(column[-1] - column[0], shapes.rate[i] * (1.0 - shapes.onset[i]), rtol=1e-9)
        assert column[-1] > column[900] > 0
        shifted = np.maximum(U - shapes.onset[i], 0.0) ** shapes.power[i]
        np.testing.assert_allclose(column, shifted, atol=1e-9)


def test_settling_begins_anew_with_each_life() -> None:
    """The same share of a life draws the same, but for the columns that rise with their own life."""
    since = np.tile(np.linspace(0, 0.24, 25), 4)
    rise = np.repeat([1.0, 0.5, 0.0, -0.5], 25)
    shapes = settling(since, 0.25, rise)
    own = np.array([f.startswith("own") for f in shapes.family])
    lives = shapes.columns.reshape(4, 25, -1)
    assert own.any() and not own.all()
    np.testing.assert_allclose(lives[:, :, ~own], np.broadcast_to(lives[0][:, ~own], lives[:, :, ~own].shape))
    np.testing.assert_allclose(lives[1][:, own], 0.5 * lives[0][:, own])
    assert not lives[2][:, own].any()
