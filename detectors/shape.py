"""The word for what the memory does, from the best explanation and the ruling."""

from collections.abc import Mapping

import numpy as np

from detectors.posterior import Best, Posterior
from detectors.ruling import Ruling
from detectors.scene import Scene
from detectors.series import median
from detectors.types import Answer, FloatArray, Shape


def name_shape(scene: Scene, level: Posterior, ruling: Ruling, metric: str, columns: Mapping[str, FloatArray]) -> Shape:
    """The shape in the words of contracts.md section 2."""
    if ruling.answer is Answer.LEAK:
        best = ruling.lead.best_leak
        if best is not None and best.frame == "sawtooth":
            return Shape.SAWTOOTH
        return Shape.ACCELERATING if best is not None and best.leak_family == "accelerating" else Shape.LINEAR
    if ruling.answer is Answer.UNDECIDED:
        return Shape.DECELERATING if level.best.healthy_family in ("exponential", "logarithm") else Shape.IRREGULAR
    return _healthy_shape(scene, level.best, metric, columns)


def _healthy_shape(scene: Scene, best: Best, metric: str, columns: Mapping[str, FloatArray]) -> Shape:
    if metric in ("working_set_bytes", "usage_bytes") and _mostly_file(scene, columns):
        return Shape.PAGE_CACHE
    if best.frame in ("sawtooth", "restart"):
        return Shape.SAWTOOTH
    if "load" in best.names or best.healthy_family == "load":
        return Shape.LOAD_FOLLOWING
    if best.healthy_family and _moves(best.growth, scene):
        return Shape.PLATEAU
    if "cycle" in best.names:
        return Shape.CYCLES
    if "steps" in best.names:
        return Shape.STEPS
    rest = scene.judged.level - median(scene.judged.level)
    return Shape.IRREGULAR if float(np.ptp(rest)) > 4.0 * scene.material else Shape.FLAT


def _moves(growth: FloatArray, scene: Scene) -> bool:
    return bool(abs(float(growth[-1] - growth[0])) > scene.material)


def _mostly_file(scene: Scene, columns: Mapping[str, FloatArray]) -> bool:
    """Whether page cache grew by most of what the metric did."""
    file = columns.get("file_bytes")
    if file is None or not np.isfinite(file).any():
        return False
    known = file[np.isfinite(file)]
    tenth = max(len(known) // 10, 1)
    grown = median(known[-tenth:]) - median(known[:tenth])
    return grown > scene.material
