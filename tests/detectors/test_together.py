"""Two witnesses of a group's leak: what its replicas do in time, and what their restarts give back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.given_back import given_back
from detectors.pooling import pool
from detectors.together import judge_together
from detectors.types import FloatArray, Replica

CELLS, DAY = 144, 86_400.0
TIME = 600.0 * (np.arange(CELLS) + 0.5)
LIMIT = 8e9


def fleet(
    growth_bytes: float,
    shared: FloatArray | float,
    *,
    restarts: int = 8,
    gives_back: float = 0.0,
    seed: int = 5,
) -> list[Replica]:
    """Sixteen containers of about 2 GB that grow by so much a day beside what all share; the first few restart."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(16):
        at = int(random.integers(30, 115)) if number < restarts else CELLS
        age = np.where(np.arange(CELLS) < at, np.arange(CELLS), np.arange(CELLS) - at) / CELLS
        level = 2e9 * random.uniform(0.8, 1.2) + random.normal(0, 1.2e7, CELLS) + growth_bytes * age + shared
        level[at:] -= gives_back
        made.append(Replica(level, None, (at,) if at < CELLS else ()))
    return made


def swing(phase: float, size_bytes: float = 1.2e8) -> FloatArray:
    """A day of load that comes back to where it was."""
    return size_bytes * np.sin(2 * np.pi * TIME / DAY + phase)


def test_restarts_show_a_leak_that_the_falling_load_hides() -> None:
    """The mean ends where it began or lower; each restart falls the more, the longer the life before it."""
    of = fleet(1.5e8, swing(2.0) - 1.5e8 * TIME / DAY)
    found = judge_together(TIME, of, LIMIT)
    assert found.trend is not None
    assert found.trend.low <= 1.5e8 / DAY <= found.trend.high
    assert found.rising >= 15
    assert any("8 restarts gave back" in sentence for sentence in found.because)


def test_a_rise_that_restarts_do_not_take_back_is_no_leak() -> None:
    """The same growth in all: by itself a leak; where lives begin anew in mid-rise and go on, load or data."""
    rise = 4e8 * TIME / DAY
    assert judge_together(TIME, fleet(0.0, rise, restarts=0), LIMIT).trend is not None
    assert judge_together(TIME, fleet(0.0, rise), LIMIT).trend is None


def test_a_slow_leak_is_not_charged_with_what_all_share() -> None:
    """The mean rises eight times as fast as what restarts give back: the leak is theirs, not the mean's."""
    found = judge_together(TIME, fleet(1e8, 7e8 * TIME / DAY), LIMIT)
    assert found.trend is not None
    assert found.trend.low <= 1e8 / DAY <= found.trend.high < 2e8 / DAY


def test_load_that_nobody_counts_does_not_pass_for_a_part_of_the_leak() -> None:
    """The mean rises by a quarter more than the leak, too little to be refuted: the interval holds the leak's slope."""
    for seed in range(30):
        trend = judge_together(TIME, fleet(3e8, 8e7 * TIME / DAY, restarts=4, seed=seed), LIMIT).trend
        assert trend is not None
        assert trend.low <= 3e8 / DAY <= trend.high, seed


def test_what_every_restart_gives_back_is_no_leak() -> None:
    """Caches and a heap in pieces: as much after two hours as after ten."""
    for seed in range(6):
        assert judge_together(TIME, fleet(0.0, swing(float(seed)), gives_back=8e7, seed=seed), LIMIT).trend is None


def test_one_swing_of_a_day_is_no_leak() -> None:
    """Whatever its phase, without restarts: at the same hour of the next day it is back."""
    for phase in np.arange(0.0, 6.3, 0.35):
        assert judge_together(TIME, fleet(0.0, swing(phase), restarts=0), LIMIT).trend is None, phase


def test_a_leak_under_no_load_needs_no_restart() -> None:
    """The mean alone."""
    found = judge_together(TIME, fleet(1.2e8, 0.0, restarts=0), LIMIT)
    assert found.trend is not None
    assert found.onset is not None


def test_too_few_restarts_say_nothing() -> None:
    """Two are a line without an error; where all restart at once, nobody lived on to compare with."""
    assert pool(TIME, fleet(2e8, 0.0, restarts=2)).given_back is None
    at_once = [Replica(one.level_bytes, None, (70,)) for one in fleet(0.0, 0.0, restarts=0)]
    assert pool(TIME, at_once).given_back is None
    gone = [Replica(np.full(CELLS, np.nan), None, (70,))] * 5
    assert pool(TIME, gone).given_back is None


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 1e3), st.lists(st.floats(-1e9, 1e9), min_size=16, max_size=16))
def test_levels_and_units_do_not_matter(seed: int, unit: float, offsets: list[float]) -> None:
    """Each replica has a level of its own, and bytes may be counted in anything."""
    random = np.random.default_rng(seed)
    beyond = random.normal(0, 1e7, (16, CELLS))
    lives = np.zeros((16, CELLS), dtype=np.int64)
    for number, at in enumerate(random.integers(20, 120, 6)):
        lives[number, at:] = 1
    one = given_back(TIME, beyond, lives)
    other = given_back(TIME, unit * (beyond + np.array(offsets)[:, None]), lives)
    assert one is not None
    assert other is not None
    assert np.isclose(unit * one.slope, other.slope, rtol=1e-3, atol=1e-3 * unit * one.deviation)
    assert np.isclose(unit * one.deviation, other.deviation, rtol=1e-3)
