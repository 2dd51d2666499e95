"""Replicas judged as one: what all of them do is found, what one of them does is not taken for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.assess import assess
from detectors.pooling import false_discoveries, outline, pool
from detectors.types import Answer, Replica

CELLS = 144
TIME = 600.0 * np.arange(CELLS)


def replicas(count: int, growth_bytes: float, seed: int = 3, *, restarts: bool = False) -> list[Replica]:
    """So many containers of about 2 GB that each grow by so much over the day, with noise of their own."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        level = 2e9 * random.uniform(0.8, 1.2) + random.normal(0, 2e7, CELLS) + growth_bytes * np.arange(CELLS) / CELLS
        cut: tuple[int, ...] = ()
        if restarts:
            at = int(random.integers(30, 110))
            level[at:] -= growth_bytes * at / CELLS + random.uniform(0, 2e8)
            cut = (at,)
        made.append(Replica(level, None, cut))
    return made


def judged(of: list[Replica]) -> Answer:
    pooled = pool(TIME, of)
    return assess(pooled.time_seconds, pooled.columns, limit_bytes=8e9, replicas=len(of)).verdict.verdict


def test_a_leak_that_few_replicas_prove_is_proven_by_sixteen() -> None:
    """Noise of their own averages out: what is undecided or invisible in most is a leak of all."""
    of = replicas(16, growth_bytes=6e7)
    alone = [assess(TIME, {"anon_bytes": one.level_bytes}, limit_bytes=8e9).verdict.verdict for one in of]
    assert alone.count(Answer.LEAK) <= 2
    assert judged(of) is Answer.LEAK


def test_replicas_that_restart_leave_no_steps_in_the_mean() -> None:
    """Every life has a level of its own: a leak seen in pieces is seen, and restarts alone are none."""
    assert judged(replicas(16, growth_bytes=1.2e8, restarts=True)) is Answer.LEAK
    assert judged(replicas(16, growth_bytes=0.0, restarts=True)) is not Answer.LEAK


def test_one_bad_replica_does_not_speak_for_the_others() -> None:
    """The mean is trimmed: one container that leaks fast makes no leak of its group."""
    of = replicas(16, growth_bytes=0.0)
    of[5] = replicas(1, growth_bytes=3e9)[0]
    assert judged(of) is not Answer.LEAK


def test_who_rises_with_the_group_is_counted() -> None:
    """Twelve of sixteen leak: twelve rise with the group, the four do not."""
    pooled = pool(TIME, replicas(12, growth_bytes=4e8, seed=1) + replicas(4, growth_bytes=0.0, seed=2))
    assert pooled.rise_with(4e8 * 0.75 / 86_400.0) == 12


def test_gaps_and_late_comers_are_borne() -> None:
    """A replica that came late, and one with a hole, count where they were seen; moments that few saw are left out."""
    of = replicas(4, growth_bytes=2e8)
    late = of[1].level_bytes.copy()
    late[:70] = np.nan
    holed = of[2].level_bytes.copy()
    holed[40:90] = np.nan
    pooled = pool(TIME, [of[0], Replica(late, None), Replica(holed, None), of[3]])
    assert np.isfinite(pooled.columns["anon_bytes"]).all()
    assert len(pooled.time_seconds) == CELLS
    assert len(pool(TIME, [Replica(np.full(CELLS, np.nan), None)]).time_seconds) == 0


def test_a_mean_that_needs_no_lives_is_the_mean() -> None:
    """Without restarts and gaps the two-way layout is balanced: the course is that of the trimmed mean."""
    of = replicas(16, growth_bytes=2e8)
    levels = np.array([one.level_bytes - np.median(one.level_bytes) for one in of])
    plain = np.sort(levels, axis=0)[2:-2].mean(axis=0)
    course = pool(TIME, of).columns["anon_bytes"]
    assert np.corrcoef(np.diff(plain), np.diff(course))[0, 1] > 0.98


@given(st.lists(st.floats(0.0, 1.0), max_size=50))
def test_false_discoveries_stay_under_the_rate(probabilities: list[float]) -> None:
    """Of what is claimed, at most a twentieth is expected to be false; nothing less probable is claimed before it."""
    p = np.array(probabilities)
    claimed = false_discoveries(p, 0.05)
    if claimed.any():
        assert (1.0 - p[claimed]).mean() <= 0.05 + 1e-12
        assert p[claimed].min() >= (p[~claimed].max() if (~claimed).any() else 0.0)


def test_an_outline_has_medians_where_there_are_samples() -> None:
    """Cells without samples are unknown; rates come from the counter's rise, resets included, which begin a life."""
    time = np.array([0.0, 10.0, 20.0, 310.0, 320.0])
    found = outline(time, np.array([1.0, 9.0, 2.0, 5.0, np.nan]), None, None, np.array([0.0, 100.0, 200.0, 400.0]))
    assert np.array_equal(found.level_bytes, [2.0, np.nan, 5.0], equal_nan=True)
    assert found.request_rate is None
    clock = np.arange(0.0, 400.0, 10.0)
    count = np.where(clock < 200, clock, clock - 200.0)  # one a second, and a restart at 200
    found = outline(clock, np.ones(len(clock)), count, None, np.array([0.0, 190.0, 380.0]))
    assert found.request_rate == pytest.approx([1.0, 1.0], rel=0.1)
    assert found.restarts == (1,)


def test_a_restart_that_hardly_changed_the_level_begins_a_life() -> None:
    """The dip of a start-up tells, where neither a counter nor a fall does."""
    level = 2e9 + np.random.default_rng(1).normal(0, 5e6, 1440)
    level[700:703] *= 0.3
    edges = np.linspace(0.0, 86_400.0, CELLS + 1)
    assert outline(60.0 * np.arange(1440), level, None, 8e9, edges).restarts == (70,)


def test_a_caller_that_mixes_grids_is_told() -> None:
    """Levels that are not on the grid, or none at all, are the caller's mistake."""
    with pytest.raises(ValueError, match="level_bytes"):
        pool(TIME, [Replica(np.zeros(3), None)])
    with pytest.raises(ValueError, match="empty"):
        pool(TIME, [])
