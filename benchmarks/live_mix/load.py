"""Requests per second of a watched container, in units of their mean."""

import numpy as np

from benchmarks.live_mix.stage import DAY_SECONDS, FloatArray, Stage


def steady(stage: Stage) -> FloatArray:
    """A stream with slow swings and a burst now and then."""
    rate = np.exp(stage.between(0.03, 0.15) * stage.wander(stage.spread(600, 7_200)))
    for at in stage.arrivals(stage.between(0.0, 2.0)):
        length = stage.spread(120, 3_600)
        rate[(stage.time >= at) & (stage.time < at + length)] *= stage.between(1.3, 2.5)
    return rate


def daily(stage: Stage) -> FloatArray:
    """Two harmonics of the day, days of unlike strength, quieter week-ends in half of the containers."""
    day = stage.time / DAY_SECONDS + stage.rng.random()
    first, second = stage.between(0.35, 0.85), stage.between(0.0, 0.25)
    shape = 1 + first * np.sin(2 * np.pi * day) + second * np.sin(4 * np.pi * day + stage.between(0, 6.28))
    days = int(stage.time[-1] / DAY_SECONDS) + 3
    strength = 1 + stage.between(0.02, 0.12) * stage.rng.standard_normal(days)
    if stage.chance(0.5):
        quiet = (np.arange(days) + stage.rng.integers(7)) % 7 < 2
        strength = np.where(quiet, strength * stage.between(0.35, 0.8), strength)
    return np.maximum(shape, 0.05) * np.interp(day, np.arange(days) + 0.5, np.maximum(strength, 0.1))


def switching(stage: Stage) -> FloatArray:
    """Idle or active, with sojourns of unlike length."""
    busy = stage.spread(600, 6 * 3_600)
    idle = busy * stage.spread(0.2, 2.0)
    count = int(2 * stage.time[-1] / min(busy, idle)) + 20
    sojourns = stage.rng.exponential(1.0, count) * np.where(np.arange(count) % 2 == 0, busy, idle)
    active = np.searchsorted(np.cumsum(sojourns), stage.time) % 2 == 0
    return np.where(active, 1.0, stage.between(0.0, 0.1))


def memory_of(stage: Stage, rate: FloatArray, amplitude: float) -> FloatArray:
    """What requests in flight hold: with a lag, not always in proportion, and in a third of the containers given back
    more slowly than it was taken."""
    need = stage.smooth(rate, stage.spread(30, 1_800)) / float(np.quantile(rate, 0.98))
    need = need ** stage.between(0.7, 1.2)
    if stage.chance(0.33):
        need = _held(need, float(np.exp(-stage.step_seconds / stage.spread(1_800, 6 * 3_600))))
    return amplitude * need


def _held(need: FloatArray, keep: float) -> FloatArray:
    out, level = np.empty_like(need), float(need[0])
    for i, value in enumerate(need.tolist()):
        level = max(value, keep * level + (1.0 - keep) * value)
        out[i] = level
    return out
