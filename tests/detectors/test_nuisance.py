"""What moves memory and is no growth is found, and what is growth is not taken for it."""

import numpy as np
import pytest

from detectors import nuisance
from detectors.noise import regular_whitener, whitener
from detectors.types import FloatArray

N = 126
POSITION = (np.arange(N) + 0.5) / N
NOISE = np.random.default_rng(4).normal(0, 0.05, N)
DAY = 86400.0
BASE = np.ones((N, 1))


def explained(columns: FloatArray, level: FloatArray) -> float:
    """Share of the level's variance that the columns and a parabola explain."""
    design = np.concatenate([np.stack([np.ones(N), POSITION, POSITION**2], axis=1), columns], axis=1)
    rest = level - design @ np.linalg.lstsq(design, level, rcond=None)[0]
    return float(1.0 - rest.var() / level.var())


@pytest.mark.parametrize("days", [2.0, 3.3, 7.0])
def test_a_daily_cycle_is_found_from_two_days_on(days: float) -> None:
    """Beside a line, whatever its phase."""
    level = np.sin(2 * np.pi * days * POSITION + 1.0) + 3 * POSITION + NOISE
    found = nuisance.cycle(POSITION, level, days * DAY)
    assert found is not None and found.name == "cycle"
    assert explained(found.columns, level) > 0.97


def test_a_cycle_of_any_length_is_found_from_three_periods_on() -> None:
    """A batch of ten a trace, in a trace of an hour; each of its parameters is counted, the searched one too."""
    level = np.sin(2 * np.pi * 10.3 * POSITION) + NOISE
    found = nuisance.cycle(POSITION, level, 3600.0)
    assert found is not None
    assert found.parameters == found.columns.shape[1] + 1
    assert explained(found.columns, level) > 0.9


@pytest.mark.parametrize(
    "level",
    [
        NOISE,
        5 * POSITION + NOISE,
        np.zeros(N),
        np.sin(2 * np.pi * 1.4 * POSITION) + NOISE,
        np.maximum(POSITION - 0.5, 0),
    ],
)
@pytest.mark.parametrize("days", [0.1, 1.4])
def test_growth_is_no_cycle(level: FloatArray, days: float) -> None:
    """Noise, a line, nothing, under two periods, a ramp: free harmonics would fit them all."""
    assert nuisance.cycle(POSITION, level, days * DAY) is None


@pytest.mark.parametrize("law", nuisance.STEP_LAWS)
@pytest.mark.parametrize("regular", [True, False])
def test_steps_are_found_where_they_are(law: int, regular: bool) -> None:
    """Beside a line, under both laws, with kept and with fresh whiteners; each costs its time and its height."""
    position = POSITION if regular else np.sort(np.random.default_rng(2).uniform(0, 1, N))
    whiten = regular_whitener(N) if regular else whitener(position, np.zeros(N, dtype=np.int64))
    level = 4.0 * (np.arange(N) >= 40) - 6.0 * (np.arange(N) >= 85) + 2.0 * position + NOISE
    found = nuisance.steps(whiten, position, BASE, level, law)
    assert found is not None and found.name == "steps"
    np.testing.assert_array_equal(found.columns, np.arange(N)[:, None] >= np.array([40, 85]))
    assert found.parameters == 4


@pytest.mark.parametrize("law", nuisance.STEP_LAWS)
@pytest.mark.parametrize("level", [np.zeros(N), NOISE, 5.0 * POSITION, 9.0 * POSITION + NOISE])
def test_no_steps_are_found_in_a_line(level: FloatArray, law: int) -> None:
    """With and without noise."""
    assert nuisance.steps(regular_whitener(N), POSITION, BASE, level, law) is None


def test_never_more_than_eight_steps_are_found() -> None:
    """A level that jumps all the time is no level with steps."""
    level = np.repeat(np.random.default_rng(1).normal(0, 5, 14), 9) + NOISE
    found = nuisance.steps(regular_whitener(N), POSITION, BASE, level, 1)
    assert found is not None and found.columns.shape[1] <= nuisance.MAXIMUM_STEPS


def test_a_staircase_is_growth() -> None:
    """Even steps up, on to the end, are chunks that are kept; a staircase that ended, or falls back, is steps."""
    even = np.floor(POSITION * 7)
    whiten = regular_whitener(N)
    assert nuisance.steps(whiten, POSITION, BASE, even + NOISE, 1) is None
    ended = np.minimum(np.floor(POSITION * 12), 5.0)
    assert nuisance.steps(whiten, POSITION, BASE, ended + NOISE, 1) is not None
    falls = even - 8.0 * (POSITION > 0.8)
    assert nuisance.steps(whiten, POSITION, BASE, falls + NOISE, 1) is not None


def test_few_bins_hold_no_steps() -> None:
    """Five bins are fitted by any step and a line."""
    whiten = regular_whitener(5)
    assert nuisance.steps(whiten, np.linspace(0.1, 0.9, 5), np.ones((5, 1)), np.array([0.0, 0, 9, 9, 9]), 1) is None


def test_a_step_at_a_model_load_costs_its_height_alone() -> None:
    """Its time is known; loads outside the trace and at its very ends are no steps."""
    found = nuisance.load_steps(POSITION, np.array([-1.0, 0.3, 0.3001, 0.7, 0.999, 2.0]))
    assert found is not None and found.parameters == found.columns.shape[1] == 2
    np.testing.assert_array_equal(found.columns, POSITION[:, None] >= np.array([0.3, 0.7]))
    assert nuisance.load_steps(POSITION, np.empty(0)) is None
    assert nuisance.load_steps(POSITION, np.array([0.999])) is None
    assert nuisance.load_steps(POSITION, np.linspace(0.1, 0.9, 30)) is None


def test_two_states_are_told_apart_beside_a_line() -> None:
    """Idle and active, several switches; the column is one in the upper state."""
    active = (POSITION * 7 % 1 > 0.5).astype(float)
    found = nuisance.states(POSITION, 10 * active + POSITION + NOISE)
    assert found is not None and found.name == "states"
    np.testing.assert_array_equal(found.columns[:, 0], active)


@pytest.mark.parametrize("level", [np.zeros(N), NOISE, POSITION, 10.0 * (POSITION > 0.5), np.eye(N)[60]])
def test_one_state_is_not_two(level: FloatArray) -> None:
    """Nothing, noise, a line, a step and a spike."""
    assert nuisance.states(POSITION, level) is None
