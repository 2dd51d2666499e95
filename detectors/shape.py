"""The word for what the memory does, from the best explanation and the ruling."""

from collections.abc import Mapping

import numpy as np

from detectors.cuts import Cut
from detectors.posterior import Best, Posterior
from detectors.ruling import Ruling
from detectors.scene import Scene
from detectors.series import Series, median, quantile
from detectors.types import Answer, FloatArray, Shape

RESTLESS = 4.0
"""Times the material growth that what no part explains must span to be called irregular."""
STILL_SLOWING = 0.1
"""Share of slowing growth that fell into the last quarter, from which on it is not yet a plateau."""
FEWER_FALLS = 0.35
"""Teeth: this many times fewer falls than rises make up four fifths of all movement."""
LEAST_TEETH = 3.0


def name_shape(scene: Scene, level: Posterior, ruling: Ruling, metric: str, columns: Mapping[str, FloatArray]) -> Shape:
    """The shape in the words of contracts.md section 2."""
    if ruling.answer is Answer.LEAK:
        best = ruling.lead.best_leak
        if best is not None and best.frame == "sawtooth":
            return Shape.SAWTOOTH
        return Shape.ACCELERATING if best is not None and best.leak_family == "accelerating" else Shape.LINEAR
    if ruling.answer is Answer.UNDECIDED:
        slowing = level.best.healthy_family in ("exponential", "logarithm") and _rise(level.best.growth) > 0
        return Shape.DECELERATING if slowing else Shape.IRREGULAR
    return _healthy_shape(scene, level.best, metric, columns)


def cache_growth(columns: Mapping[str, FloatArray]) -> float:
    """Bytes by which page cache grew from the first to the last tenth; 0 where it is not recorded."""
    file = columns.get("file_bytes")
    known = file[np.isfinite(file)] if file is not None else np.empty(0)
    if not len(known):
        return 0.0
    tenth = max(len(known) // 10, 1)
    return median(known[-tenth:]) - median(known[:tenth])


def stepped(best: Best) -> FloatArray:
    """(n,) the part of an explanation that stands still and jumps: levels, steps, states."""
    returning = best.periodic - best.growth if best.healthy_family == "load" else best.periodic
    return best.nuisance - returning


def swing(values: FloatArray) -> float:
    """How far values go up and down, without the outermost fiftieth on both sides."""
    return quantile(values, 0.98) - quantile(values, 0.02)


def _healthy_shape(scene: Scene, best: Best, metric: str, columns: Mapping[str, FloatArray]) -> Shape:
    """By the part that moves most; what moves less than a leak would have to is level."""
    cached = cache_growth(columns)
    if metric in ("working_set_bytes", "usage_bytes") and cached > max(scene.material, 0.5 * _rise(scene.judged.level)):
        return Shape.PAGE_CACHE
    swing = quantile(scene.series.value, 0.99) - quantile(scene.series.value, 0.01)
    if swing < scene.material:
        return Shape.PAGE_CACHE if cached > RESTLESS * scene.material else Shape.FLAT
    if scene.cuts.kind in (Cut.TEETH, Cut.MANY_TEETH):
        return Shape.SAWTOOTH
    if best.frame == "restart":
        return _shape_of_lives(scene, best)
    return _moving_part(scene, best, swing, cached)


def _shape_of_lives(scene: Scene, best: Best) -> Shape:
    """Lives that end at the limit go up and down; others warm up anew, or have levels of their own."""
    if scene.cuts.at_limit > 0.5:
        return Shape.SAWTOOTH
    if float(np.ptp(best.growth)) > scene.material:
        return Shape.PLATEAU
    return Shape.STEPS if float(np.ptp(best.nuisance)) > scene.material else Shape.FLAT


def _moving_part(scene: Scene, best: Best, spread: float, cached: float) -> Shape:
    grown = 0.0 if best.healthy_family == "load" else abs(_rise(best.growth))
    follows = "load" in best.names or best.healthy_family == "load"
    by_part = {
        Shape.LOAD_FOLLOWING if follows else Shape.CYCLES: swing(best.periodic),
        Shape.PLATEAU: grown,
        Shape.IRREGULAR if "states" in best.names else Shape.STEPS: float(np.ptp(stepped(best))),
    }
    most = max(by_part, key=lambda shape: by_part[shape])
    rest = swing(scene.judged.level - best.nuisance - best.growth)
    if by_part[most] > max(scene.material, 0.5 * rest):
        return Shape.DECELERATING if most is Shape.PLATEAU and _slows_yet(best) else most
    if spread > RESTLESS * scene.material and _toothed(scene.series):
        return Shape.SAWTOOTH
    if rest > RESTLESS * scene.material:
        return Shape.IRREGULAR
    return Shape.PAGE_CACHE if cached > RESTLESS * scene.material else Shape.FLAT


def _slows_yet(best: Best) -> bool:
    """Growth without an end of its own, of which the last quarter still holds a share."""
    if best.healthy_family != "logarithm":
        return False
    return float(best.growth[-1] - best.growth[3 * len(best.growth) // 4]) > STILL_SLOWING * _rise(best.growth)


def _toothed(series: Series) -> bool:
    """Whether the level climbs in many small rises and comes down in few large falls, several times over."""
    change = np.diff(series.value)
    rises, falls = np.sort(change[change > 0])[::-1], np.sort(-change[change < 0])[::-1]
    if not len(rises) or not len(falls) or falls.sum() < LEAST_TEETH * swing(series.value):
        return False
    rising, falling = (int(np.searchsorted(np.cumsum(c), 0.8 * c.sum())) + 1 for c in (rises, falls))
    return falling < FEWER_FALLS * rising


def _rise(values: FloatArray) -> float:
    return float(values[-1] - values[0])
