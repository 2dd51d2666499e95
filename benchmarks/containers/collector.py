"""Garbage collectors: memory that climbs in teeth and falls back to a floor."""

import numpy as np

from benchmarks.containers.load import Load
from benchmarks.containers.memory_parts import Part
from benchmarks.containers.scene import FloatArray, Scene


def _teeth(scene: Scene, period_seconds: float, irregularity: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n,) phase 0..1 within the tooth, its number, and (teeth,) lengths in seconds."""
    count = int(scene.span_seconds / period_seconds * 2) + 8
    lengths = period_seconds * scene.rng.lognormal(0, irregularity, count)
    ends = np.cumsum(lengths) - scene.between(0, lengths[0])
    number = np.searchsorted(ends, scene.time, side="right")
    number = np.minimum(number, count - 1)
    begins = ends - lengths
    return (scene.time - begins[number]) / lengths[number], number.astype(np.float64), lengths


def sawtooth(scene: Scene, low: float, high: float, teeth: float, irregularity: float) -> Part:
    """Allocation at a steady rate up to a trigger, then a full collection down to the floor.

    Args:
        scene: the stage.
        low: least height of a tooth, as a share of the level.
        high: greatest height.
        teeth: how many there are in the trace, about.
        irregularity: log standard deviation of a tooth's length; its height follows half of it (the trigger adapts).
    """
    height, period = scene.heap(low, high), scene.span_seconds / teeth
    phase, number, lengths = _teeth(scene, period, irregularity)
    heights = height * (lengths / period) ** 0.5
    left_over = height * irregularity * 0.15 * scene.rng.standard_normal(len(lengths))
    which = number.astype(int)
    held = heights[which] * phase + left_over[which]
    return Part(held, (heights[which] * phase,), float(height * (0.02 + irregularity * 0.15)), period)


def generational(scene: Scene, low: float, high: float, majors: float) -> Part:
    """Small fast teeth of the nursery on the slow teeth of the old generation, which a major collection empties."""
    major = sawtooth(scene, low, high, majors, scene.between(0.05, 0.35))
    minor = sawtooth(scene, low / 4, high / 4, majors * scene.between(8, 25), 0.1)
    return Part(
        major.bytes + minor.bytes, major.columns, major.sigma_bytes + minor.sigma_bytes, major.correlation_seconds
    )


def load_driven(scene: Scene, load: Load, low: float, high: float, teeth: float) -> Part:
    """Teeth whose speed follows the traffic: each request allocates, the trigger is a fixed amount."""
    made = np.cumsum(load.rate)
    held = scene.heap(low, high) * ((made / made[-1] * teeth + scene.rng.random()) % 1.0)
    return Part(held, (held,), float(held.std() * 0.1), scene.span_seconds / teeth)
