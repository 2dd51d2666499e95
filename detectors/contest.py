"""Sets up the frames and lets the explanations compete, once on the level and once on its floor."""

from dataclasses import replace

import numpy as np

from detectors import frames, nuisance
from detectors.binning import Judged, floor_of, floor_of_teeth
from detectors.cuts import Cut
from detectors.evidence import Frame, Group, Outcome, compete
from detectors.frames import Extra
from detectors.load import bin_edges, rate_columns
from detectors.noise import Whitener, regular_whitener, whitener
from detectors.posterior import Posterior, combine
from detectors.scene import IMMATERIAL_SHARE, Scene
from detectors.series import distinct
from detectors.shapes import Shapes, healthy_around, joined

LOAD_LOG_PRIOR = 1.0
WITHOUT_DOUBT = 0.02
"""Below this belief in a leak the curves of the grid are fine enough."""
ENOUGH_TEETH = 10
"""From this many teeth on their lowest points alone make a series that can be judged."""
MAXIMUM_MODELS = 8
MINIMUM_LOAD_VARIATION = 0.02


def contest(scene: Scene) -> tuple[Posterior, Posterior]:
    """Weigh every explanation of the level, then of its floor once what comes back by itself is taken off."""
    judged = scene.judged
    load, extra = _load(scene, judged)
    whole_trace = scene.cuts.kind is Cut.NONE
    cycle = nuisance.cycle(judged.position, judged.level, scene.span) if whole_trace else None
    shared = tuple((g,) for g in (load, cycle) if g is not None)
    level = _compete(scene, judged, shared, extra)
    if scene.cuts.kind is Cut.MANY_TEETH:
        floor = replace(judged, level=judged.floor)
    elif scene.cuts.kind is Cut.TEETH and len(scene.cut_at) >= ENOUGH_TEETH:
        floor = floor_of_teeth(judged)
    else:
        best = level.best_leak if level.best_leak is not None and level.leak > 0.5 else level.best
        floor = floor_of(judged, best.periodic)
    requests = _requests(scene, floor) if load is not None else None
    return level, _compete(scene, floor, (), Extra(None, requests), named=False)


def _compete(
    scene: Scene, judged: Judged, shared: tuple[tuple[Group, ...], ...], extra: Extra, *, named: bool = True
) -> Posterior:
    """Weigh all frames' explanations; where growth that ends is in doubt with a leak, once more on a finer grid."""
    ways = _frames(scene, judged, shared, extra)
    posterior = combine([_weigh(scene, judged, frame) for frame in ways], judged, named=named)
    if posterior.leak < WITHOUT_DOUBT:
        return posterior
    best = (b for b in (posterior.best, posterior.best_leak) if b is not None and b.frame != "restart")
    curves = {b.healthy_curve for b in best if b.healthy_family in ("exponential", "logarithm", "ramp")}
    if not curves:
        return posterior
    finer = healthy_around(judged.position, curves)
    ways = [f if f.name == "restart" else replace(f, healthy=joined(f.healthy, finer)) for f in ways]
    return combine([_weigh(scene, judged, frame) for frame in ways], judged, named=named)


def _weigh(scene: Scene, judged: Judged, frame: Frame) -> Outcome:
    return compete(frame, judged.level, scene.material, IMMATERIAL_SHARE * scene.material)


def _frames(scene: Scene, judged: Judged, shared: tuple[tuple[Group, ...], ...], extra: Extra) -> list[Frame]:
    """The trace as teeth, as lives, or as it is where neither is proven."""
    kind = scene.cuts.kind
    whole = _whole_whitener(judged)
    out = []
    if kind is Cut.LIVES:
        apart = whitener(judged.position, judged.piece)
        out.append(frames.restart(apart, judged, scene.cut_at, shared, extra))
    if kind is Cut.TEETH and len(distinct(judged.piece)) > 1:
        out.append(frames.sawtooth(whole, judged, scene.cut_at, shared, extra))
    if not scene.cuts.proven:
        own = _own(scene, whole, judged) if kind in (Cut.NONE, Cut.LIVES) or len(scene.cut_at) == 1 else ()
        out.append(frames.plain(whole, judged, (*shared, *own), extra))
    return out


def _whole_whitener(judged: Judged) -> Whitener:
    if judged.regular:
        return regular_whitener(len(judged.position))
    return whitener(judged.position, np.zeros_like(judged.piece))


def _own(scene: Scene, whole: Whitener, judged: Judged) -> tuple[tuple[Group, ...], ...]:
    """What shifts the level: two states; or steps, at model loads where these are known, else as found under
    short-lived and under wandering noise, as alternatives."""
    base = np.ones((len(judged.position), 1))
    states = nuisance.states(judged.position, judged.level)
    found = [nuisance.steps(whole, judged.position, base, judged.level, law) for law in nuisance.STEP_LAWS]
    found.append(nuisance.load_steps(judged.position, (scene.loads - scene.first) / scene.span))
    steps: list[Group] = []
    for group in found:
        if group is not None and not any(np.array_equal(group.columns, d.columns) for d in steps):
            steps.append(group)
    return tuple(a for a in ((states,) if states else (), tuple(steps)) if a)


def _load(scene: Scene, judged: Judged) -> tuple[Group | None, Extra]:
    """Columns by which memory follows the load, and the leak by cumulative requests."""
    if scene.requests is None:
        return None, Extra(None, None)
    rates = rate_columns(scene.requests, bin_edges(judged.position, scene.series), judged.piece)
    if rates[:, 0].mean() <= 0 or rates[:, 0].std() < MINIMUM_LOAD_VARIATION * rates[:, 0].mean():
        return None, Extra(None, None)
    scaled = rates / rates.max()
    count = scaled.shape[1]
    healthy = Shapes(scaled, ("load",) * count, *(np.zeros(count) for _ in range(3)))
    return Group("load", scaled[:, [0, 2, 4]], 3, LOAD_LOG_PRIOR), Extra(healthy, _requests(scene, judged))


def _requests(scene: Scene, judged: Judged) -> Shapes | None:
    """The leak by cumulative requests, of all models and of each, from 0 to 1 over the trace."""
    counters = [c for c in (scene.requests, *scene.model_requests.values()) if c is not None]
    if not counters:
        return None
    columns = []
    for count in counters[: 1 + MAXIMUM_MODELS]:
        ends = count.at(np.array([scene.first, scene.first + scene.span]))
        total = count.at(scene.first + scene.span * judged.position)
        columns.append((total - ends[0]) / max(float(ends[1] - ends[0]), 1.0))
    names = ("requests",) * len(columns)
    return Shapes(np.stack(columns, axis=1), names, np.zeros(len(names)), np.ones(len(names)), np.ones(len(names)))
