"""The clock, the load and the dice of a simulated container; sizes are relative, an ordinary level is about 1.

All arrays are (n,) float64 on a regular grid of n steps, the time before the first sample included.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

DAY_SECONDS: Final = 86400.0
STEPS_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0)


class UnfairError(Exception):
    """The drawn trace cannot be labelled fairly; draw another."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a family is played: the clock, the load, and the dice.

    Attributes:
        rng: the source of all chance.
        step_seconds: between two grid points.
        n: grid points, the unseen ones before the first sample included.
        skip: how many come before the first sample; 0 where the trace begins with the process.
        daily: the load follows the time of day (only where the trace holds at least 2.2 days).
        load: (n,) expected requests per second.
        requests: (n,) requests in each step.
        full: whether the trace will show all columns.
    """

    rng: np.random.Generator
    step_seconds: float
    n: int
    skip: int
    daily: bool
    load: FloatArray
    requests: FloatArray
    full: bool

    def wobble(self) -> FloatArray:
        """(n,) what no part explains: slow wander and white noise, up to half a percent of the level each."""
        slow = wander(self.rng, self.n, self.n * self.rng.uniform(0.002, 0.02)) * 10 ** self.rng.uniform(-4, -2.4)
        white = self.rng.normal(size=self.n) * 10 ** self.rng.uniform(-4, -2.4)
        return slow + white

    def follows(self, share: float, lag_steps: float = 10.0) -> FloatArray:
        """(n,) memory that follows the load with a lag: 1 at the mean load, of which ``share`` moves."""
        return np.asarray(1 - share + share * smooth(self.load, lag_steps) / self.load.mean())


def draw_scene(
    rng: np.random.Generator, days: tuple[float, float] | None, cyclic: bool, launch: bool, full: bool
) -> Scene:
    """Draws clock and load; ``days`` forces a trace of so many days, ``cyclic`` allows a daily profile.

    With ``launch`` the load rises to a multiple within the trace and stays there.
    """
    if days is None and cyclic and rng.random() < 0.25:
        days = (2.3, 9.0)
    if days is not None:
        step = float(rng.choice([30.0, 60.0]))
        shown = int(rng.uniform(*days) * DAY_SECONDS / step)
    else:
        step = float(rng.choice(STEPS_SECONDS))
        low, high = ((300, 700), (700, 5000), (5000, 40000))[rng.choice(3, p=[0.06, 0.84, 0.10])]
        shown = int(np.exp(rng.uniform(np.log(low), np.log(high))))
    span = shown * step
    daily = cyclic and span >= 2.2 * DAY_SECONDS
    skip = int(shown * 0.3) if rng.random() < 0.5 else 0
    n = shown + skip
    load = request_rate(rng, n, skip, step, daily)
    if launch:
        begin, end = skip + np.sort(rng.uniform(0.05, 0.9, 2)) * shown
        load *= 1 + rng.uniform(0.5, 4) * np.clip((np.arange(n) - begin) / (end - begin), 0, 1)
    return Scene(rng, step, n, skip, daily, load, rng.poisson(load * step).astype(float), full)


def request_rate(rng: np.random.Generator, n: int, skip: int, step: float, daily: bool) -> FloatArray:
    """(n,) requests per second: profile of day and week, wander, flash crowds, outages (both early)."""
    seconds = np.arange(n) * step
    rate = np.exp(rng.uniform(0.02, 0.12) * wander(rng, n, n * 0.01)) * 10 ** rng.uniform(-0.3, 2.7)
    if daily:
        phase = 2 * np.pi * (seconds / DAY_SECONDS + rng.random())
        rate *= 1 + rng.uniform(0.15, 0.6) * (np.cos(phase) + 0.25 * np.cos(2 * phase + rng.uniform(0, 6))) / 1.25
        if n * step > 14 * DAY_SECONDS:
            rate *= np.where((seconds / DAY_SECONDS + rng.integers(7)) % 7 < 5, 1.0, rng.uniform(0.5, 0.9))
    for _ in range(rng.poisson(0.7)):
        start = skip + int(rng.uniform(0, 0.45) * (n - skip))
        length = max(2, int(rng.uniform(0.003, 0.04) * n))
        rate[start : start + length] *= rng.choice([rng.uniform(1.3, 2.5), 0.02])
    return np.asarray(rate)


def wander(rng: np.random.Generator, n: int, length_steps: float) -> FloatArray:
    """(n,) stationary first-order wander of unit variance which forgets in ``length_steps``."""
    keep = float(np.exp(-1 / max(length_steps, 0.5)))
    kicks = rng.normal(size=n) * np.sqrt(1 - keep**2)
    kicks[0] = rng.normal()
    return np.asarray(lfilter([1.0], [1.0, -keep], kicks))


def smooth(values: FloatArray, length_steps: float) -> FloatArray:
    """(n,) exponential smoothing: a level that lags behind its cause."""
    keep = float(np.exp(-1 / max(length_steps, 0.1)))
    return np.asarray(lfilter([1 - keep], [1.0, -keep], values, zi=[keep * values[0]])[0])


def events(rng: np.random.Generator, intensity: FloatArray, count: float) -> IntArray:
    """Grid indices, rising, of about ``count`` Poisson events spread as ``intensity``."""
    k = rng.poisson(intensity / intensity.sum() * count)
    return np.repeat(np.arange(len(intensity)), k)


def accumulate(at: IntArray, weights: FloatArray, n: int) -> FloatArray:
    """(n,) running sum of what the events bring."""
    return np.asarray(np.cumsum(np.bincount(at, weights, minlength=n)[:n]))
