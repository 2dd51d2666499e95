"""Every gate between belief and a verdict, one by one, on the competition's own words about a clear leak."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.contest import contest
from detectors.posterior import Posterior
from detectors.ruling import Ruling, rule
from detectors.scene import Scene, prepare
from detectors.types import Answer, FloatArray

MIB = 2.0**20


@pytest.fixture(scope="module")
def clear(traces: Any) -> tuple[Scene, Posterior, Posterior]:
    """A leak that nothing speaks against."""
    return heard(traces.leak())


def heard(made: Any) -> tuple[Scene, Posterior, Posterior]:
    (metric, *_) = made.columns
    scene = prepare(made.time, made.columns[metric], made.columns, made.limit)
    return scene, *contest(scene)


def at_level(posterior: Posterior, level: FloatArray) -> Posterior:
    """The same belief about other bins."""
    return replace(posterior, judged=replace(posterior.judged, level=level, floor=level))


def test_a_leak_that_level_and_floor_show_is_one(clear: tuple[Scene, Posterior, Posterior]) -> None:
    """And the slope is read from the steadier of the two."""
    scene, level, floor = clear
    ruling = rule(scene, level, floor)
    assert ruling.answer is Answer.LEAK and ruling.objection is None
    assert ruling.probability > 0.8
    assert rule(scene, level, replace(floor, rate_deviation=0.0)).lead.judged is floor.judged
    assert rule(scene, replace(level, rate_deviation=0.0), floor).lead.judged is level.judged
    assert rule(scene, level, replace(floor, rate_deviation=0.0, leak=0.4)).lead.judged is level.judged


def test_where_neither_shows_a_leak_there_is_none(clear: tuple[Scene, Posterior, Posterior]) -> None:
    """However steep the line would have been."""
    scene, level, floor = clear
    ruling = rule(scene, replace(level, leak=0.01), replace(floor, leak=0.01))
    assert ruling.answer is Answer.NO_LEAK and ruling.probability < 0.25


def test_peaks_alone_are_no_leak(clear: tuple[Scene, Posterior, Posterior]) -> None:
    """A floor that is sure of no growth vetoes the level."""
    scene, level, floor = clear
    assert rule(scene, level, replace(floor, leak=1e-4, rate=0.0)).answer is not Answer.LEAK


@pytest.mark.parametrize("ends_at", [0.5, 0.7, 0.85])
def test_growth_that_has_stopped_is_no_leak(traces: Any, ends_at: float) -> None:
    """A straight rise that ended, though most of the trace shows it."""
    n = 1500
    level = 500 * MIB + 200 * MIB * np.minimum(traces.share(n) / ends_at, 1.0)
    assert traces.of(level + traces.noise(n, 4), limit=2048 * MIB).assessed().verdict.verdict is not Answer.LEAK


def test_more_belief_never_makes_a_leak_less_likely(clear: tuple[Scene, Posterior, Posterior]) -> None:
    """Of the level or of its floor."""
    scene, level, floor = clear
    for which in range(2):
        found = []
        for belief in (0.001, 0.1, 0.4, 0.6, 0.9, 0.999):
            pair = [level, floor]
            pair[which] = replace(pair[which], leak=belief)
            found.append(rule(scene, *pair).probability)
        assert found == sorted(found)


def test_a_slope_that_may_be_zero_is_undecided(clear: tuple[Scene, Posterior, Posterior]) -> None:
    """A leak is never told with an interval that holds zero."""
    scene, level, floor = clear
    level, floor = (replace(p, rate_deviation=0.6 * p.rate) for p in (level, floor))
    ruling = rule(scene, level, floor)
    assert ruling.answer is Answer.UNDECIDED
    assert ruling.objection is not None and "zero" in ruling.objection


def test_a_claim_that_the_last_bins_contradict_is_turned_down(clear: tuple[Scene, Posterior, Posterior]) -> None:
    """Whatever the belief in the line: bins that are level to the end say no."""
    scene, level, floor = clear
    stops_at = 0.5
    stopped = [at_level(p, p.judged.level[np.minimum(np.arange(n), int(stops_at * n))] + 1e3 * np.sin(np.arange(n)))
               for p in (level, floor) for n in [len(p.judged.level)]]  # fmt: skip
    ruling = rule(scene, *stopped)
    assert ruling.answer is Answer.NO_LEAK
    assert ruling.objection is not None and "end" in ruling.objection


def test_a_floor_that_stays_is_an_objection(clear: tuple[Scene, Posterior, Posterior]) -> None:
    """What grew were peaks."""
    scene, level, floor = clear
    stays = replace(at_level(floor, np.full_like(floor.judged.level, 500 * MIB)), leak=0.8)
    ruling = rule(scene, replace(level, rate_deviation=0.0), stays)
    assert ruling.answer is Answer.UNDECIDED
    assert ruling.objection is not None and "floor" in ruling.objection


def test_a_level_that_has_been_higher_before_is_an_objection(clear: tuple[Scene, Posterior, Posterior]) -> None:
    """Falling steps must not pay for a rising line."""
    scene, level, floor = clear
    fallen = np.where(floor.judged.position < 0.5, 900 * MIB, 600 * MIB)
    flat = at_level(level, np.where(level.judged.position < 0.5, 900 * MIB, 600 * MIB))
    ruling = rule(scene, replace(flat, rate_deviation=0.0), at_level(floor, fallen))
    assert ruling.answer is not Answer.LEAK and ruling.objection is not None


def test_growth_that_only_the_end_shows_may_be_a_peak(traces: Any) -> None:
    """A rise in the last twelfth alone is not yet a leak."""
    n = 1500
    late = 100 * MIB * np.maximum(traces.share(n) - 0.92, 0) / 0.08
    made = traces.of(500 * MIB + late + traces.noise(n, 4), limit=2048 * MIB)
    assert made.assessed().verdict.verdict is not Answer.LEAK


@pytest.mark.parametrize(
    "shape", ["warm-up that ended", "steps that ended", "load that rises", "teeth", "jobs", "a step"]
)
def test_what_is_explained_without_a_leak_is_none(traces: Any, shape: str) -> None:
    """Growth that ended, that the requests explain, or that comes back."""
    n = 1500
    share = traces.share(n)
    rate = 20 + np.round(60 * share) + np.round(20 * np.sin(40 * share))
    level = {
        "warm-up that ended": 200 * (1 - np.exp(-share / 0.08)),
        "steps that ended": 60.0 * (share > 0.2) + 50.0 * (share > 0.45),
        "load that rises": 3 * rate,
        "teeth": 80 * (share * 11.3 % 1),
        "jobs": 150.0 * ((share * 6 % 1) > 0.8),
        "a step": 100.0 * (share > 0.5),
    }[shape]
    made = traces.of(500 * MIB + level * MIB + traces.noise(n, 1, 0.5 * MIB), limit=2048 * MIB)
    if shape.startswith("load"):
        made = made.having(requests_total=np.cumsum(rate))
    assert made.assessed().verdict.verdict is Answer.NO_LEAK


def test_kills_at_the_limit_need_no_floor(traces: Any) -> None:
    """Of lives that end at the limit there are too few low points to judge: the level alone tells."""
    n = 1500
    level = 300 * MIB + 300 * MIB * (traces.share(n) * 4.4 % 1) + traces.noise(n, 2)
    made = traces.of(np.minimum(level, 600 * MIB), limit=600 * MIB)
    scene, judged, floor = heard(made)
    assert scene.cuts.proven and scene.cuts.at_limit == 1.0
    ruling: Ruling = rule(scene, judged, replace(floor, leak=0.0))
    assert ruling.answer is Answer.LEAK
    assert ruling.lead.judged is judged.judged


@pytest.mark.parametrize("phase", [9, 11, 13])
def test_half_of_a_daily_swing_is_undecided(phase: int) -> None:
    """A day that rises, falls, and ends as high as it began holds no proof of a leak; with a leak on top it does."""
    random = np.random.default_rng(phase)
    time = 60.0 * np.arange(1440)
    swing = np.sin(2.0 * np.pi * (time / 86_400.0 + phase / 60.0))
    level = 2e9 * (1.0 + 0.004 * random.standard_normal(1440) + 0.08 * swing)
    scene = prepare(time, level, {}, 4e9)
    assert rule(scene, *contest(scene)).answer is not Answer.LEAK
    grown = prepare(time, level + 1.2e9 * time / 86_400.0, {}, 4e9)
    assert rule(grown, *contest(grown)).answer is Answer.LEAK
