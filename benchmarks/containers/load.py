"""Requests per second: how traffic comes to a model server."""

from dataclasses import dataclass

import numpy as np

from benchmarks.containers.scene import DAY_SECONDS, FloatArray, Scene


@dataclass(frozen=True, slots=True)
class Load:
    """Traffic on the trace's axis.

    Attributes:
        rate: (n,) requests per second.
        daily: whether it repeats by the day.
        correlation_seconds: how long its irregular swings last; what an observer without a request column must bear.
        settled_seconds: since when (from the trace's start) it has been of one kind, with no step or ramp to come.
    """

    rate: FloatArray
    daily: bool
    correlation_seconds: float
    settled_seconds: float = 0.0


def _mean_rate(scene: Scene) -> float:
    # Enough requests that a share of them can be told from chance, whatever the trace's length.
    return scene.spread(0.5, 200.0) + 2_000 / scene.span_seconds


def constant(scene: Scene) -> Load:
    """A steady stream with small slow swings."""
    lag = scene.stretch(0.005, 0.05)
    wobble = scene.between(0.01, 0.08)
    return Load(_mean_rate(scene) * np.exp(wobble * scene.autocorrelated(lag)), False, lag)


def diurnal(scene: Scene, weekly: bool = False) -> Load:
    """Two harmonics of the day, days of unlike strength, quiet week-ends where asked, short noise on top."""
    hours = (scene.start_seconds + scene.time) / DAY_SECONDS + scene.rng.random()
    first, second = scene.between(0.35, 0.8), scene.between(0.0, 0.25)
    shape = 1 + first * np.sin(2 * np.pi * hours) + second * np.sin(4 * np.pi * hours + scene.between(0, 6.28))
    days = int(scene.days) + 3
    strength = 1 + scene.between(0.01, 0.08) * scene.rng.standard_normal(days)
    if weekly:
        quiet = (np.arange(days) + scene.rng.integers(7)) % 7 < 2
        strength = np.where(quiet, strength * scene.between(0.3, 0.7), strength)
    since = scene.time / DAY_SECONDS + 1.0
    shape = np.maximum(shape, 0.04) * np.interp(since, np.arange(days) + 0.5, np.maximum(strength, 0.1))
    noise = np.exp(scene.between(0.02, 0.12) * scene.autocorrelated(scene.between(300, 3_600)))
    return Load(_mean_rate(scene) * shape * noise, True, DAY_SECONDS / 6)


def bursty(scene: Scene) -> Load:
    """Log-normal swings with short bursts of several times the mean."""
    lag = scene.stretch(0.004, 0.025)
    rate = np.exp(scene.between(0.25, 0.6) * scene.autocorrelated(lag))
    for _ in range(scene.rng.poisson(scene.between(4, 14))):
        begin = scene.between(0, scene.span_seconds)
        length = scene.stretch(0.003, 0.03)
        rate[(scene.time >= begin) & (scene.time < begin + length)] *= scene.between(2, 5)
    return Load(_mean_rate(scene) * rate, False, lag)


def ramp(scene: Scene, begin: float, end: float) -> Load:
    """Traffic that rises from one share of the trace to another and then stays."""
    steady = constant(scene)
    way = np.clip((scene.time / scene.span_seconds - begin) / (end - begin), 0, 1)
    rate = steady.rate * (1 + scene.between(0.5, 2.5) * way)
    return Load(rate, False, steady.correlation_seconds, min(end, 0.9) * scene.span_seconds)


def step(scene: Scene) -> Load:
    """Traffic that changes once or twice at a stroke: a rollout, a region that fails over."""
    steady = constant(scene)
    factor = np.ones_like(scene.time)
    changes = scene.rng.uniform(0.2, 0.7, scene.rng.integers(1, 3)) * scene.span_seconds
    for at in changes:
        factor[scene.time >= at] *= scene.spread(1.4, 3.0) if scene.chance(0.7) else 1 / scene.spread(1.4, 2.5)
    return Load(steady.rate * factor, False, steady.correlation_seconds, float(changes.max()))


def switching(scene: Scene) -> Load:
    """Idle or active, as pods behind a scheduler are: sojourns of unlike length, a busy time and a quiet one."""
    busy = scene.stretch(0.004, 0.03)
    idle = busy * scene.spread(0.15, 1.5)
    sojourns = scene.rng.exponential(1.0, 2_000) * np.where(np.arange(2_000) % 2 == 0, busy, idle)
    edges = np.cumsum(sojourns)
    active = np.searchsorted(edges, scene.time) % 2 == 0
    wobble = np.exp(0.1 * scene.autocorrelated(busy))
    return Load(_mean_rate(scene) * wobble * active, False, busy)


def any_load(scene: Scene) -> Load:
    """Whatever traffic a trace of this length may see."""
    if scene.days >= 2 and scene.chance(0.5):
        return diurnal(scene)
    return bursty(scene) if scene.chance(0.3) else constant(scene)
