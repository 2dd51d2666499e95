"""A container put together: parts, traffic, leak; and its sizes once they are settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.containers.leaks import Leak
from benchmarks.containers.load import Load
from benchmarks.containers.memory_parts import Part, total
from benchmarks.containers.scene import FloatArray, Scene

NO_TIMES: FloatArray = np.empty(0)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Loads by model, and what they count: (n,) cumulative requests of each."""

    loads: Mapping[str, Load]
    counts: Mapping[str, FloatArray]

    @property
    def daily(self) -> bool:
        """Whether any of it repeats by the day."""
        return any(load.daily for load in self.loads.values())


def serve(scene: Scene, *loads: Load) -> Traffic:
    """Count Poisson requests of one or several models."""
    names = [f"model_{chr(97 + i)}" for i in range(len(loads))]
    counts = {
        name: np.cumsum(scene.rng.poisson(load.rate * scene.step_seconds)).astype(np.float64)
        for name, load in zip(names, loads, strict=True)
    }
    return Traffic(dict(zip(names, loads, strict=True)), counts)


@dataclass(frozen=True, slots=True)
class Container:
    """What a family has drawn, before noise and sampling.

    Attributes:
        parts: what holds memory and is no leak.
        traffic: requests by model.
        leak: None in a healthy container.
        leak_share: the leak's size over the trace as a share of the headroom, log-uniform between the two.
        limit_ratio: the limit as a multiple of the level, log-uniform; always above the healthy peak.
        peaks_at_limit: whether the healthy peak is where the limit is, as in a kill by a burst.
        always_limited: whether the story needs a limit (else one container in ten has none).
        restarts: seconds since the start at which a new process took over.
        model_loads: seconds since the start at which model versions were loaded.
        cache_fill: (n,) page cache read in, in units of the room beside the heap; None for a steady small cache.
        tail_seconds: the stretch before the end that stands for the future; None takes a day, or 40 % of the trace.
    """

    parts: Sequence[Part]
    traffic: Traffic
    leak: Leak | None = None
    leak_share: tuple[float, float] = (0.05, 0.6)
    limit_ratio: tuple[float, float] = (1.3, 6.0)
    peaks_at_limit: bool = False
    always_limited: bool = False
    restarts: FloatArray = field(default_factory=lambda: NO_TIMES)
    model_loads: FloatArray = field(default_factory=lambda: NO_TIMES)
    cache_fill: FloatArray | None = None
    tail_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Noise:
    """Measurement and small allocations: a white part, and an AR(1) part with its correlation time."""

    white_bytes: float
    slow_bytes: float
    correlation_seconds: float


@dataclass(frozen=True, slots=True)
class Physics:
    """The container with its sizes fixed: what decidable.py judges and label() writes down.

    Attributes:
        held_bytes: (n,) healthy anonymous memory, without noise.
        leaked_bytes: (n,) the leak's part of it.
        active_file_bytes, file_bytes: (n,) page cache.
        leak_unit_bytes: what one unit of the leak's growth is worth.
        room_bytes: headroom, limit (told or not) minus the healthy peak.
        limit_bytes: what the container may use; told only where ``limited``.
    """

    scene: Scene
    container: Container
    noise: Noise
    held_bytes: FloatArray
    leaked_bytes: FloatArray
    active_file_bytes: FloatArray
    file_bytes: FloatArray
    leak_unit_bytes: float
    room_bytes: float
    limit_bytes: float
    limited: bool


def settle(scene: Scene, container: Container) -> Physics:
    """Fix limit, leak size, page cache and noise."""
    held = total(container.parts)
    median, peak = float(np.median(held)), float(held.max())
    limited = container.always_limited or container.peaks_at_limit or scene.chance(0.9)
    ratio = scene.spread(*container.limit_ratio) if limited else scene.spread(2.0, 6.0)
    limit = peak if container.peaks_at_limit else max(ratio * median, peak * scene.between(1.08, 1.3))
    limit = np.ceil(limit / 2**20) * 2**20
    room = limit - (median if container.peaks_at_limit else peak)
    unit = room * scene.spread(*container.leak_share)
    leaked = unit * container.leak.growth if container.leak else np.zeros_like(held)
    if container.cache_fill is None:
        file = np.full_like(held, min(median * scene.spread(0.02, 0.4), room * 0.2))
        active = file * scene.between(0.1, 0.6) if scene.full else np.zeros_like(held)
    else:
        free = np.maximum(limit * scene.between(0.975, 0.998) - held - leaked, 0.0)
        file = np.minimum(container.cache_fill * (limit - median), free)
        active = file * scene.between(0.4, 0.95)
    sigma, white = median * scene.spread(0.001, 0.02), scene.between(0.1, 0.9)
    noise = Noise(sigma * np.sqrt(white), sigma * np.sqrt(1 - white), scene.stretch(0.001, 0.02))
    return Physics(scene, container, noise, held, leaked, active, file, unit, room, float(limit), limited)
