"""From parts and a leak to a labelled trace: columns as an exporter would give them, and the truth by construction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.containers.leaks import Leak
from benchmarks.containers.load import Load
from benchmarks.containers.memory_parts import Part, total
from benchmarks.containers.scene import DAY_SECONDS, FloatArray, Scene

PAGE_BYTES = 4_096
NO_TIMES: FloatArray = np.empty(0)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A trace with its truth.

    Attributes:
        family: name in FAMILIES.
        seed: with the family it fixes every number here.
        time_seconds: (n,) Unix seconds, strictly rising.
        columns: contract column names, (n,) each, NaN where unknown; without the limit.
        limit_bytes: None means no limit.
        leak: the label.
        slope_bytes_per_second: the leak's own rate; None where it is not one number.
        onset_seconds: Unix seconds at which the leak began; None without a leak.
        seconds_to_limit: from the trace's end to the first time that the level (anonymous memory where the trace has
            it, else the working set; noise apart) reaches the limit if the same container goes on without being
            killed or deployed, its load repeating itself; None without a limit or beyond 100 trace lengths.
        bytes_per_request: what each request (of ``leaking_model``, where that is given) leaves behind.
        full: whether the richer columns are there.
        leaking_model: the one model that leaks, of several.
    """

    family: str
    seed: int
    time_seconds: FloatArray
    columns: Mapping[str, FloatArray]
    limit_bytes: float | None
    leak: bool
    slope_bytes_per_second: float | None
    onset_seconds: float | None
    seconds_to_limit: float | None
    bytes_per_request: float | None
    full: bool
    leaking_model: str | None = None


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
    room_bytes: float
    limit_bytes: float
    limited: bool


def settle(scene: Scene, container: Container) -> Physics:
    """Fix limit, leak size, page cache and noise."""
    held = total(container.parts)
    median, peak = float(np.median(held)), float(held.max())
    limited = container.always_limited or scene.chance(0.9)
    ratio = scene.spread(*container.limit_ratio) if limited else scene.spread(2.0, 6.0)
    limit = np.ceil(max(ratio * median, peak * scene.between(1.08, 1.3)) / 2**20) * 2**20
    room = limit - peak
    leaked = np.zeros_like(held)
    if container.leak is not None:
        leaked = container.leak.growth * room * scene.spread(*container.leak_share)
    if container.cache_fill is None:
        file = np.full_like(held, min(median * scene.spread(0.02, 0.4), room * 0.2))
        active = file * scene.between(0.1, 0.6) if scene.full else np.zeros_like(held)
    else:
        free = np.maximum(limit * scene.between(0.975, 0.998) - held - leaked, 0.0)
        file = np.minimum(container.cache_fill * (limit - median), free)
        active = file * scene.between(0.4, 0.95)
    sigma, white = median * scene.spread(0.001, 0.02), scene.between(0.1, 0.9)
    noise = Noise(sigma * np.sqrt(white), sigma * np.sqrt(1 - white), scene.stretch(0.001, 0.02))
    return Physics(scene, container, noise, held, leaked, active, file, room, float(limit), limited)


def seconds_to_limit(
    clock: FloatArray,
    rest: FloatArray,
    leaked_bytes: float,
    after: Callable[[FloatArray], FloatArray],
    limit: float,
    reach: float,
) -> float | None:
    """First time after the end at which the repeating rest and the growing leak reach the limit.

    Args:
        clock: (m,) seconds within the repeating stretch, from its beginning.
        rest: (m,) healthy bytes in it.
        leaked_bytes: leak held at the end of the trace.
        after: bytes added so many seconds after the end; never falls.
        limit: bytes.
        reach: how many seconds to look ahead.
    """
    step = max(len(clock) // 2_000, 1)  # a two-thousandth of the stretch is finer than any claim about the future
    starts = np.arange(0, len(clock), step)
    clock, rest = clock[starts], np.maximum.reduceat(rest, starts)
    period = clock[-1] * len(clock) / max(len(clock) - 1, 1)

    def reached(lap: int) -> FloatArray:
        return np.flatnonzero(leaked_bytes + after(lap * period + clock) + rest >= limit).astype(np.float64)

    low, high = 0, int(np.ceil(reach / period))
    if not len(reached(high)):
        return None
    while low < high:  # the leak never falls, so the first lap that reaches the limit can be bisected
        middle = (low + high) // 2
        low, high = (low, middle) if len(reached(middle)) else (middle + 1, high)
    seconds = float(low * period + clock[int(reached(low)[0])])
    return seconds if 0 < seconds <= reach else None


def _future(physics: Physics) -> float | None:
    scene, container = physics.scene, physics.container
    leak = container.leak
    if leak is None or leak.after is None or not physics.limited:
        return None
    daily = container.traffic.daily and scene.days >= 1
    tail = container.tail_seconds or (min(DAY_SECONDS, scene.span_seconds) if daily else 0.4 * scene.span_seconds)
    if len(container.restarts):  # the present process alone, its start-up left out
        tail = min(tail, 0.6 * (scene.time[-1] - container.restarts[-1]))
    level = physics.held_bytes if scene.full else physics.held_bytes + physics.active_file_bytes
    begin = min(int(np.searchsorted(scene.time, scene.time[-1] - tail)), len(scene.time) - 8)
    unit = _unit_bytes(physics)
    return seconds_to_limit(
        scene.time[begin:] - scene.time[begin],
        level[begin:],
        float(physics.leaked_bytes[-1]),
        lambda s: unit * leak.after(s),  # type: ignore[misc]
        physics.limit_bytes,
        100 * scene.span_seconds,
    )


def _unit_bytes(physics: Physics) -> float:
    leak = physics.container.leak
    return 0.0 if leak is None else float(physics.leaked_bytes.max() / leak.growth.max())


def _counter(scene: Scene, counts: FloatArray, restarts: FloatArray, before: float) -> FloatArray:
    """A counter as the process shows it: some count from before the trace, zero after every restart."""
    at = np.searchsorted(scene.time, restarts)
    at = at[(at > 0) & (at < len(counts))]
    segment = np.searchsorted(at, np.arange(len(counts)), side="right")
    offsets = np.concatenate([[-before], counts[at - 1]]) if len(at) else np.array([-before])
    return counts - offsets[segment]


def _observed(physics: Physics) -> dict[str, FloatArray]:
    """The columns as an exporter would write them, every row there."""
    scene, container, noise = physics.scene, physics.container, physics.noise
    n = len(scene.time)
    random = noise.white_bytes * scene.rng.standard_normal(n) + noise.slow_bytes * scene.autocorrelated(
        noise.correlation_seconds
    )
    if scene.chance(0.3):  # short-lived big allocations caught by a sample
        hit = scene.rng.random(n) < scene.spread(0.0005, 0.008)
        random += hit * noise.white_bytes * scene.rng.pareto(2.5, n).clip(0, 40) * 3
    anon = np.clip(physics.held_bytes + physics.leaked_bytes + random, 2**20, physics.limit_bytes)
    working = np.minimum(anon + physics.active_file_bytes, physics.limit_bytes)
    memory = {"working_set_bytes": working}
    if scene.full:
        file = np.maximum(
            physics.file_bytes + 0.3 * noise.slow_bytes * scene.autocorrelated(noise.correlation_seconds), 0.0
        )
        memory["anon_bytes"] = anon
        memory["file_bytes"] = np.minimum(file, np.maximum(physics.limit_bytes - anon, 0.0))
        memory["usage_bytes"] = np.maximum(memory["anon_bytes"] + memory["file_bytes"], working)
    columns = {name: np.floor(values / PAGE_BYTES) * PAGE_BYTES for name, values in memory.items()}
    if not scene.full:
        return columns
    traffic = container.traffic
    fresh = scene.chance(0.4)
    old = {m: 0.0 if fresh else float(np.floor(c[-1] * scene.between(0, 5))) for m, c in traffic.counts.items()}
    shown = {m: _counter(scene, c, container.restarts, old[m]) for m, c in traffic.counts.items()}
    columns["requests_total"] = np.sum(list(shown.values()), axis=0)
    if len(shown) > 1:
        columns |= {f"requests_total:{m}": c for m, c in shown.items()}
    loads = np.searchsorted(container.model_loads, scene.time, side="right").astype(np.float64)
    columns["model_loads_total"] = _counter(scene, loads, container.restarts, 0.0) + float(len(shown))
    return columns


def _sampled(scene: Scene, columns: dict[str, FloatArray]) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Lose what scrapers lose: whole stretches, and single cells."""
    n = len(scene.time)
    keep = np.ones(n, bool)
    if scene.chance(0.3):
        for _ in range(scene.rng.integers(1, 4)):
            begin = int(scene.rng.integers(1, n))
            keep[begin : begin + int(n * scene.spread(0.003, 0.04))] = False
        keep[[0, -1]] = True
    if scene.chance(0.2):
        share = scene.spread(0.001, 0.02)
        columns = {name: np.where(scene.rng.random(n) < share, np.nan, values) for name, values in columns.items()}
    return scene.time[keep], {name: values[keep] for name, values in columns.items()}


def label(family: str, seed: int, physics: Physics) -> Labelled:
    """Write the trace and its truth down."""
    scene, leak, unit = physics.scene, physics.container.leak, _unit_bytes(physics)
    future = _future(physics)
    time, columns = _sampled(scene, _observed(physics))
    return Labelled(
        family=family,
        seed=seed,
        time_seconds=np.round(scene.start_seconds + time, 3),
        columns=columns,
        limit_bytes=physics.limit_bytes if physics.limited else None,
        leak=leak is not None,
        slope_bytes_per_second=None if leak is None or leak.rate_per_second is None else leak.rate_per_second * unit,
        onset_seconds=None if leak is None else scene.start_seconds + leak.onset,
        seconds_to_limit=future,
        bytes_per_request=None if leak is None or leak.per_request is None else leak.per_request * unit,
        full=scene.full,
        leaking_model=None if leak is None else leak.model,
    )
