"""Sets up the frames and lets the explanations compete, once on the level and once on its floor."""

import numpy as np

from detectors import frames, nuisance
from detectors.binning import Judged
from detectors.cuts import Cut
from detectors.evidence import Frame, Group, compete
from detectors.frames import Extra
from detectors.load import bin_edges, rate_columns
from detectors.noise import Whitener, regular_whitener, whitener
from detectors.posterior import Posterior, combine
from detectors.scene import IMMATERIAL_SHARE, Scene
from detectors.shapes import Shapes
from detectors.types import FloatArray

LOAD_LOG_PRIOR = 1.0
MINIMUM_LOAD_VARIATION = 0.02


def contest(scene: Scene, judged: Judged) -> Posterior:
    """Weigh every explanation of ``judged.level``."""
    whole = _whole_whitener(judged)
    load, extra = _load(scene, judged)
    whole_trace = scene.cuts.kind is Cut.NONE
    cycle = nuisance.cycle(judged.position, judged.level, scene.span) if whole_trace else None
    states = nuisance.states(judged.position, judged.level) if whole_trace else None
    shared = tuple((g,) for g in (load, cycle, states) if g is not None)
    immaterial = IMMATERIAL_SHARE * scene.material
    outcomes = [compete(f, judged.level, scene.material, immaterial) for f in _frames(scene, judged, whole, shared, extra)]
    return combine(outcomes, judged)


def _frames(
    scene: Scene, judged: Judged, whole: Whitener, shared: tuple[tuple[Group, ...], ...], extra: Extra
) -> list[Frame]:
    """The trace as teeth, as lives, or as it is where neither is proven."""
    kind = scene.cuts.kind
    out = []
    if kind is Cut.LIVES:
        own = whitener(judged.position, judged.piece)
        out.append(frames.restart(own, judged, scene.cut_at, shared, extra))
    if kind is Cut.TEETH:
        out.append(frames.sawtooth(whole, judged, scene.cut_at, shared, extra))
    if not scene.cuts.proven and (kind is not Cut.TEETH or len(scene.cut_at) == 1):
        steps = () if kind is Cut.MANY_TEETH else _steps(whole, judged)
        out.append(frames.plain(whole, judged, (*shared, *steps), extra, startup=False))
    return out


def _whole_whitener(judged: Judged) -> Whitener:
    if judged.regular:
        return regular_whitener(len(judged.position))
    return whitener(judged.position, np.zeros_like(judged.piece))


def _steps(whole: Whitener, judged: Judged) -> tuple[tuple[Group, ...], ...]:
    """Steps found under short-lived and under wandering noise, as alternatives."""
    base = np.ones((len(judged.position), 1))
    found = [nuisance.steps(whole, judged.position, base, judged.level, law) for law in nuisance.STEP_LAWS]
    distinct: list[Group] = []
    for group in found:
        if group is not None and not any(np.array_equal(group.columns, d.columns) for d in distinct):
            distinct.append(group)
    return (tuple(distinct),) if distinct else ()


def _load(scene: Scene, judged: Judged) -> tuple[Group | None, Extra]:
    """Columns by which memory follows the load, and the leak by cumulative requests."""
    if scene.requests is None:
        return None, Extra(None, None)
    rates = rate_columns(scene.requests, bin_edges(judged.position, scene.series), judged.piece)
    total = scene.requests.at(scene.first + scene.span * judged.position)
    passed = float(np.diff(scene.requests.at(np.array([scene.first, scene.first + scene.span])))[0])
    if passed <= 0 or rates[:, 0].std() < MINIMUM_LOAD_VARIATION * rates[:, 0].mean():
        return None, Extra(None, None)
    scaled = rates / rates.max()
    count = scaled.shape[1]
    healthy = Shapes(scaled, ("load",) * count, np.zeros(count), np.zeros(count))
    cumulative = _column((total - total[0]) / passed)
    leaking = Shapes(cumulative, ("requests",), np.zeros(1), np.ones(1))
    return Group("load", scaled[:, [0, 2, 4]], 3, LOAD_LOG_PRIOR), Extra(healthy, leaking)


def _column(values: FloatArray) -> FloatArray:
    return values[:, None]
