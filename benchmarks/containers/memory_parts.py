"""What holds memory and is no leak: each part is a small function of the clock and the load, bytes out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.containers.load import Load
from benchmarks.containers.scene import FloatArray, Scene


@dataclass(frozen=True, slots=True)
class Part:
    """What one mechanism holds over time, and what of it nobody could know beforehand.

    Attributes:
        bytes: (n,) bytes held.
        columns: shapes of unknown size that an all-knowing observer would have to allow for (decidable.py); they
            stand for the part where its course follows from something visible.
        sigma_bytes: standard deviation of what is left to chance; 0 where nothing is.
        correlation_seconds: how long that chance persists.
        told: whether a column of the trace tells its course (requests, model loads).
    """

    bytes: FloatArray
    columns: tuple[FloatArray, ...] = ()
    sigma_bytes: float = 0.0
    correlation_seconds: float = 0.0
    told: bool = False


def base(scene: Scene, low: float = 0.5, high: float = 1.0) -> Part:
    """Code, weights, the resident heap: a constant."""
    held = np.full_like(scene.time, scene.heap(low, high))
    return Part(held, (held,))


def warm_up(scene: Scene, low: float, high: float, slowest: float = 0.15) -> Part:
    """Heap, code caches and pools filling up exponentially; slow beginnings make an S.

    ``slowest`` is the largest time constant as a share of the trace: at 0.15 the last tenth adds under 0.1 %.
    """
    size, tau = scene.heap(low, high), scene.stretch(0.004, slowest)
    power = scene.between(0.9, 1.6)

    def shape(scale: float) -> FloatArray:
        return 1 - np.exp(-((scene.time / (tau * scale)) ** power))

    return Part(size * shape(1.0), (shape(0.75), shape(1.0), shape(1.33)))


def warm_up_log(scene: Scene, low: float, high: float) -> Part:
    """Growth that slows for ever: logarithmic (fragmentation, rare code paths) or a stretched exponential."""
    size = scene.heap(low, high)
    if scene.chance(0.5):
        knee = scene.stretch(0.0005, 0.012)

        def shape(scale: float) -> FloatArray:
            out: FloatArray = np.log1p(scene.time / (knee * scale)) / np.log1p(scene.span_seconds / (knee * scale))
            return out
    else:
        tau = scene.stretch(0.003, 0.04)

        def shape(scale: float) -> FloatArray:
            return 1 - np.exp(-np.sqrt(scene.time / (tau * scale)))

    return Part(size * shape(1.0), (shape(0.7), shape(1.0), shape(1.4)))


def _explained(scene: Scene, load: Load) -> bool:
    """Whether an observer can tell what follows this load: by a request column or by two days of it."""
    return scene.full or (load.daily and scene.days >= 2)


def _of_load(scene: Scene, load: Load, held: FloatArray, columns: tuple[FloatArray, ...]) -> Part:
    if _explained(scene, load):
        return Part(held, columns, told=scene.full)
    return Part(held, (), float(held.std()), load.correlation_seconds)


def follow_load(scene: Scene, load: Load, low: float, high: float) -> Part:
    """Buffers and per-request state: memory that follows the rate with a lag and comes back with it."""
    size, lag = scene.heap(low, high), scene.stretch(0.0005, 0.015)
    need = scene.lagged(load.rate / load.rate.max(), lag)
    # An observer must also allow for an allocator that keeps the record: one rise and fall could be either.
    allowed = (need, scene.lagged(need, lag), np.maximum.accumulate(need))
    return _of_load(scene, load, size * need, allowed)


def high_water(scene: Scene, load: Load, low: float, high: float) -> Part:
    """An allocator that keeps what was once needed: the running maximum of the need, part of the excess trimmed."""
    size, trimmed = scene.heap(low, high), scene.between(0.05, 0.5)
    jitter = np.exp(scene.between(0.02, 0.12) * scene.autocorrelated(scene.stretch(0.001, 0.01)))
    need = scene.lagged(load.rate / load.rate.max() * jitter, scene.stretch(0.0005, 0.01))
    held = size * (trimmed * need + (1 - trimmed) * np.maximum.accumulate(need))
    record = np.maximum.accumulate(need)
    if _explained(scene, load):
        return Part(held, (need, record), told=scene.full)
    return Part(held, (record,), float((trimmed * size * need).std()), load.correlation_seconds)


def thread_arenas(scene: Scene, low: float, high: float) -> Part:
    """One malloc arena a thread, made at the first contention and never given back, up to eight a core."""
    arenas = int(scene.rng.integers(4, 33))
    each = scene.heap(low, high) / arenas
    born = np.sort(scene.span_seconds * scene.between(0.2, 0.55) * scene.rng.random(arenas) ** scene.between(1.3, 3))
    filling = scene.stretch(0.001, 0.01)
    held = np.zeros_like(scene.time)
    for at in born:
        held += each * -np.expm1(-np.maximum(scene.time - at, 0) / filling)
    return Part(held, (held,))


def model_swaps(scene: Scene, low: float, high: float, count: int) -> tuple[Part, FloatArray]:
    """Versions swapped: the new one beside the old one, then the old one goes and the allocator keeps a part.

    What is kept after the first swap is used again by the next ones: it does not add up.

    Returns:
        the part, and the times (seconds since start) at which versions were loaded.
    """
    size, kept = scene.heap(low, high), scene.between(0.0, 0.35)
    gaps = scene.rng.dirichlet(np.full(count + 1, 6.0)) * scene.span_seconds
    loads = np.cumsum(gaps)[:count]
    loading, overlap = scene.stretch(0.001, 0.006), scene.stretch(0.004, 0.04)
    held = np.full_like(scene.time, size)
    columns = [np.ones_like(scene.time)]
    current = size
    for at in loads:
        new = size * (1 + 0.04 * scene.rng.standard_normal())
        up = np.clip((scene.time - at) / loading, 0, 1)
        gone = scene.time > at + loading + overlap
        held += new * up - gone * current
        current = new
        columns += [(scene.time > at).astype(float), gone.astype(float)]
    if count:
        held += kept * size * (scene.time > loads[0] + loading + overlap)
    return Part(held, tuple(columns), told=scene.full), loads


def models_added(scene: Scene, low: float, high: float, until: float) -> tuple[Part, FloatArray]:
    """Models loaded one after another, each a step of its own size; none after the share ``until`` of the trace."""
    count = int(scene.rng.integers(2, 9))
    loads = np.sort(scene.rng.uniform(0.02, until, count)) * scene.span_seconds
    sizes = scene.rng.dirichlet(np.full(count, 2.0)) * scene.heap(low, high)
    loading = scene.stretch(0.001, 0.006)
    steps = [size * np.clip((scene.time - at) / loading, 0, 1) for at, size in zip(loads, sizes, strict=True)]
    return Part(np.sum(steps, axis=0), tuple(steps), told=scene.full), loads


def bounded_walk(scene: Scene, low: float, high: float) -> Part:
    """A cache that filled early and now lives between admission and eviction: a random walk between two walls."""
    width, settle = scene.heap(low, high), scene.stretch(0.006, 0.04)
    stride = np.sqrt(2 * scene.step_seconds / (np.pi**2 * settle))
    path = scene.rng.random() + np.cumsum(stride * scene.rng.standard_normal(len(scene.time)))
    folded = np.abs((path + 1) % 2 - 1)  # reflected at 0 and 1
    filling = -np.expm1(-scene.time / scene.stretch(0.003, 0.03)) if scene.chance(0.5) else np.ones_like(scene.time)
    return Part(width * folded * filling, (filling,), float(width * 0.29), settle)


def shape_cache(scene: Scene, low: float, high: float) -> Part:
    """Compiled graphs, one an input shape: grows only while new shapes arrive, frequent ones first, then stops."""
    shapes = int(scene.spread(15, 300))
    popularity = 1 / (np.arange(shapes) + 1.0) ** scene.between(0.8, 1.6)
    stop = scene.between(0.3, 0.6) * scene.span_seconds
    seen = scene.rng.exponential(1.0, shapes) / popularity
    seen *= stop / seen.max()
    sizes = scene.rng.lognormal(0, 0.6, shapes)
    order = np.argsort(seen)
    total = np.concatenate([[0.0], np.cumsum(sizes[order])])
    held = scene.heap(low, high) * total[np.searchsorted(seen[order], scene.time)] / total[-1]
    return Part(held, (held,))


def metric_cells(scene: Scene, bytes_over_trace: float) -> Part:
    """Label sets, log indexes, interned strings: a line so faint that nobody need act on it."""
    held = bytes_over_trace * scene.time / scene.span_seconds
    return Part(held, (held,))


def backlog(scene: Scene, low: float, high: float) -> Part:
    """A queue: it grows while more comes in than goes out, drains afterwards, and is empty at most times."""
    lag = scene.stretch(0.01, 0.04)
    surplus = scene.autocorrelated(lag) - scene.between(0.3, 0.8)
    sums = np.cumsum(surplus)
    queue = sums - np.minimum.accumulate(np.minimum(sums, 0.0))
    held = scene.heap(low, high) * queue / max(float(queue.max()), 1e-9)
    return Part(held, (), float(held.std()), 2 * lag)


def pulses(scene: Scene, low: float, high: float, scheduled: bool) -> Part:
    """Batch jobs beside the server: minutes to hours of extra memory, on a schedule or when somebody asks."""
    height, length = scene.heap(low, high), scene.stretch(0.008, 0.05)
    if scheduled:
        begins = np.arange(scene.between(0, 0.1), 1.0, scene.between(0.08, 0.25)) * scene.span_seconds
    else:
        begins = scene.rng.random(scene.rng.integers(3, 12)) * scene.span_seconds
    rise = scene.stretch(0.0005, 0.003)
    held = np.zeros_like(scene.time)
    for at in begins:
        lasts = length * scene.rng.lognormal(0, 0.25)
        since = scene.time - at
        pulse = np.clip(since / rise, 0, 1) * (since < lasts) * (since > 0)
        held = np.maximum(held, pulse * height * scene.rng.lognormal(0, 0.15))
    return Part(held, (held,))


def square_wave(scene: Scene, low: float, high: float) -> Part:
    """A job every hour or so that holds the same memory each time; seen in many production pods."""
    period, duty = scene.stretch(0.03, 0.09), scene.between(0.3, 0.7)
    phase = ((scene.time + scene.between(0, period)) / period) % 1.0
    held = scene.heap(low, high) * scene.lagged((phase < duty).astype(float), scene.stretch(0.0003, 0.001))
    return Part(held, (held,))


def level_shifts(scene: Scene, low: float, high: float, count: int) -> Part:
    """Small changes of the floor, up and down: a configuration reload, a table refreshed."""
    held = np.zeros_like(scene.time)
    columns = []
    for _ in range(count):
        after = (scene.time > scene.between(0.05, 0.85) * scene.span_seconds).astype(float)
        held += scene.heap(low, high) * scene.rng.choice([-1.0, 1.0]) * after
        columns.append(after)
    return Part(held, tuple(columns))


def states(scene: Scene, load: Load, low: float, high: float) -> Part:
    """Two levels, idle and active, between which a pod flips with its requests; the active one wobbles."""
    size, lag = scene.heap(low, high), scene.stretch(0.0003, 0.002)
    active = scene.lagged((load.rate > 0).astype(float), lag)
    wobble = 1 + scene.between(0.02, 0.15) * scene.autocorrelated(load.correlation_seconds)
    return Part(size * active * wobble, (active,), float(size * 0.05), load.correlation_seconds)


def dips(scene: Scene, low: float, high: float) -> Part:
    """A packed machine: memory stands near its ceiling, and jobs that end leave dips below it."""
    lag = scene.stretch(0.004, 0.02)
    excursion = np.maximum(scene.autocorrelated(lag) * 0.5 + scene.autocorrelated(lag / 8) * 0.3 + 0.3, 0.0)
    size = scene.heap(low, high)
    return Part(-size * excursion, (), size * 0.5, lag)


def total(parts: Sequence[Part]) -> FloatArray:
    """(n,) bytes held by all parts."""
    out: FloatArray = np.sum([p.bytes for p in parts], axis=0)
    return out
