"""Leaks: memory that is never given back, each with the truth about itself.

A leak is drawn in units of its own size (1 = what it grows over the whole trace without restarts); container.py gives
it bytes once the headroom is known.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.containers.load import Load
from benchmarks.containers.scene import DAY_SECONDS, FloatArray, Scene


@dataclass(frozen=True, slots=True)
class Leak:
    """Growth and its truth.

    Attributes:
        growth: (n,) units leaked and still held.
        rate_per_second: units a second; None where it is not one number.
        onset: seconds since the start at which it began.
        after: units added this many seconds after the end (vectorised); None where nobody can know, which is where
            the traffic that drives the leak is itself still growing.
        per_request: units left behind by one request; None where the clock drives the leak.
        model: the model whose requests leak; None where it is not one of several.
    """

    growth: FloatArray
    rate_per_second: float | None
    onset: float
    after: Callable[[FloatArray], FloatArray] | None
    per_request: float | None = None
    model: str | None = None


def by_time(scene: Scene, onset: float = 0.0) -> Leak:
    """A constant rate from the onset (a share of the trace) on."""
    begin = onset * scene.span_seconds
    rate = 1 / (scene.span_seconds - begin)
    return Leak(rate * np.maximum(scene.time - begin, 0.0), rate, begin, lambda s: rate * s)


def accelerating(scene: Scene) -> Leak:
    """A power of time: each leaked object brings others with it."""
    power = scene.between(1.6, 3.0)
    span = scene.span_seconds

    def held(time: FloatArray) -> FloatArray:
        return (time / span) ** power

    return Leak(held(scene.time), None, 0.0, lambda s: held(span + s) - 1.0)


def in_chunks(scene: Scene) -> Leak:
    """A piece every so often: a cache rebuilt and the old one kept, a worker that dies and leaves its arena."""
    count = int(scene.rng.integers(8, 41))
    spacing = scene.span_seconds / count
    times = (np.arange(count) + scene.between(0.1, 0.9) + scene.rng.uniform(-0.25, 0.25, count)) * spacing
    sizes = scene.rng.lognormal(0, 0.2, count)
    sizes /= sizes.sum()
    total = np.concatenate([[0.0], np.cumsum(sizes)])
    # A step at a time of its own: the next piece comes one spacing after the last.
    first = times[-1] + spacing - scene.span_seconds
    return Leak(
        total[np.searchsorted(np.sort(times), scene.time, side="right")],
        1 / scene.span_seconds,
        0.0,
        lambda s: np.maximum(np.floor((s - first) / spacing) + 1, 0.0) / count,
    )


def by_request(scene: Scene, load: Load, counts: FloatArray, model: str | None = None) -> Leak:
    """Each request leaves the same behind. After the end the traffic since it settled repeats itself, by whole days.

    Args:
        scene: the stage.
        load: the traffic that leaks.
        counts: (n,) cumulative requests of that traffic.
        model: which model's traffic it is, of several.
    """
    unit = 1 / float(counts[-1])
    smooth = scene.lagged(load.rate, scene.span_seconds / 20)
    steady = not load.daily and float(smooth.std() / smooth.mean()) < 0.1
    period = float(scene.time[-1]) - load.settled_seconds
    if load.daily and period > DAY_SECONDS:
        period -= period % DAY_SECONDS
    tail = scene.time >= scene.time[-1] - period
    clock = scene.time[tail] - scene.time[tail][0]
    made = (counts[tail] - counts[tail][0]) * unit

    def after(seconds: FloatArray) -> FloatArray:
        rounds, rest = np.divmod(seconds, clock[-1])
        added: FloatArray = rounds * made[-1] + np.interp(rest, clock, made)
        return added

    return Leak(counts * unit, 1 / scene.span_seconds if steady else None, 0.0, after, unit, model)


def since_restart(scene: Scene, since: FloatArray) -> Leak:
    """A constant rate by the clock, begun anew by every process."""
    rate = 1 / scene.span_seconds
    return Leak(rate * since, rate, 0.0, lambda s: rate * s)
