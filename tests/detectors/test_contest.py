"""Which explanations compete, from what the trace offers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.contest import contest
from detectors.cuts import Cut
from detectors.posterior import Posterior
from detectors.scene import Scene, prepare

MIB = 2.0**20
N = 1500


def heard(made: Any) -> tuple[Scene, Posterior, Posterior]:
    (metric, *_) = made.columns
    scene = prepare(made.time, made.columns[metric], made.columns, made.limit)
    return scene, *contest(scene)


def load(traces: Any) -> np.ndarray:
    """A rate that comes and goes, not by the clock."""
    rng = np.random.default_rng(5)
    return np.round(60 + 40 * np.interp(np.arange(N), np.linspace(0, N, 30), rng.normal(0, 1, 30)).clip(-1.2, 2))


def test_memory_that_follows_the_load_is_explained_by_it(traces: Any) -> None:
    """By the rate and its lags; without the count the same level is not so well explained."""
    rate = load(traces)
    made = traces.of(500 * MIB + MIB * rate + traces.noise(N, 1, 0.3 * MIB))
    _, level, floor = heard(made.having(requests_total=np.cumsum(rate)))
    assert "load" in level.best.names or level.best.healthy_family == "load"
    assert level.leak < 0.2 and floor.leak < 0.3
    _, blind, _ = heard(made)
    assert level.noise < 0.7 * blind.noise
    assert "load" not in blind.best.names


def test_a_leak_under_load_is_seen_on_its_floor_as_well(traces: Any) -> None:
    """What comes back by itself is taken off before the floor is judged; both read the same slope."""
    rate = load(traces)
    level = 500 * MIB + MIB * rate + 150 * MIB * traces.share(N) + traces.noise(N, 1, 0.3 * MIB)
    _, judged, floor = heard(traces.of(level).having(requests_total=np.cumsum(rate)))
    assert judged.leak > 0.9 and floor.leak > 0.9
    for posterior in (judged, floor):
        assert posterior.rate == pytest.approx(150 * MIB, rel=0.15)
    assert len(floor.judged.level) < len(judged.judged.level) / 3


def test_a_steady_load_explains_nothing(traces: Any) -> None:
    """A rate that does not vary is a constant; its count is the clock."""
    _, level, _ = heard(traces.flat(N).having(requests_total=np.arange(float(N))))
    assert not any("load" in e.name or "request" in e.name for e in level.explanations)


def test_a_sawtooth_on_a_line_is_told_from_one_without(traces: Any) -> None:
    """The teeth are modelled one by one; the line is what is left."""
    teeth = 80 * MIB * (traces.share(N) * 7.5 % 1)
    for grown, leaks in ((0.0, False), (120 * MIB, True)):
        scene, level, _ = heard(traces.of(500 * MIB + teeth + grown * traces.share(N) + traces.noise(N, 2)))
        assert scene.cuts.kind is Cut.TEETH
        assert level.best.frame == "sawtooth"
        assert (level.leak > 0.9) == leaks and (level.leak < 0.2) != leaks


@pytest.mark.parametrize(("count", "kind"), [(14.5, Cut.TEETH), (60.5, Cut.MANY_TEETH)])
def test_the_floor_of_many_teeth_is_theirs(traces: Any, count: float, kind: Cut) -> None:
    """One lowest point a tooth, or a bin of whole teeth: without growth it is level."""
    teeth = 80 * MIB * (traces.share(N) * count % 1)
    scene, _, floor = heard(traces.of(500 * MIB + teeth + traces.noise(N, 2)))
    assert scene.cuts.kind is kind
    assert np.ptp(floor.judged.level) < 25 * MIB
    assert floor.leak < 0.3


def test_proven_restarts_leave_no_other_way_to_look(traces: Any) -> None:
    """Lives that a counter proves compete among themselves; falls that nothing proves may be anything."""
    level = 400 * MIB + 150 * MIB * (traces.share(N) * 3 % 1) + traces.noise(N, 3)
    scene, proven, _ = heard(traces.of(level).having(requests_total=np.tile(9.0 * np.arange(500), 3)))
    assert scene.cuts.proven and proven.best.frame == "restart"
    unproven = replace(scene, cuts=replace(scene.cuts, proven=False))
    frames = {contest(s)[0].explanations for s in (scene, unproven)}
    assert len(frames) == 2


def test_a_step_at_a_model_load_is_explained_by_it(traces: Any) -> None:
    """A second model of 100 MiB loaded half-way is a step that the count of loads dates."""
    level = 500 * MIB + 100 * MIB * (traces.share(N) > 0.5) + traces.noise(N, 2)
    loads = 1.0 + (traces.share(N) > 0.5)
    _, judged, floor = heard(traces.of(level).having(model_loads_total=loads))
    assert judged.best.names in (("model loads",), ("steps",))
    assert judged.leak < 0.1 and floor.leak < 0.3


def test_each_model_s_requests_may_be_the_leak(traces: Any) -> None:
    """One model of three leaks: its own count explains the level better than all requests together."""
    rng = np.random.default_rng(9)
    share = traces.share(N)
    counts = {
        m: np.cumsum(np.round(50 + 45 * np.sin(2 * np.pi * f * share + p) + rng.normal(0, 2, N)))
        for m, f, p in (("a", 1.3, 0.0), ("b", 2.1, 2.0), ("c", 0.8, 4.0))
    }
    level = 500 * MIB + 200 * MIB * counts["b"] / counts["b"][-1] + traces.noise(N, 2, 0.3 * MIB)
    made = traces.of(level).having(requests_total=sum(counts.values()))
    _, together, _ = heard(made)
    _, apart, _ = heard(made.having(**{f"requests_total:{m}": c for m, c in counts.items()}))
    assert apart.best_leak is not None and apart.best_leak.leak_family == "requests"
    assert apart.noise < together.noise
    assert apart.leak > 0.95
