"""Where one watched container plays: its clock, its chance, and where its lives begin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

FloatArray = NDArray[np.float64]

DAY_SECONDS = 86_400.0
WEEK_SECONDS = 7 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Stage:
    """What every part is drawn on. Sizes are in units of the container's settled heap; ``strength`` scales them.

    Attributes:
        rng: the one source of chance.
        step_seconds: time between samples.
        time: (n,) seconds since the first sample.
        births: (k,) rising seconds at which a life began; the first is <= 0, for watching may begin within a life.
        strength: what the amplitudes of all that moves are multiplied by.
    """

    rng: np.random.Generator
    step_seconds: float
    time: FloatArray
    births: FloatArray
    strength: float

    @property
    def life(self) -> NDArray[np.int64]:
        """(n,) which life each sample belongs to."""
        return np.searchsorted(self.births, self.time, side="right") - 1

    @property
    def age(self) -> FloatArray:
        """(n,) seconds since the birth of each sample's life."""
        return self.time - self.births[self.life]

    def between(self, low: float, high: float) -> float:
        """A uniform draw."""
        return float(self.rng.uniform(low, high))

    def spread(self, low: float, high: float) -> float:
        """A log-uniform draw."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def size(self, low: float, high: float) -> float:
        """A log-uniform amplitude, in units of the heap, with the mix's strength."""
        return self.strength * self.spread(low, high)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def by_life(self, spread: float) -> FloatArray:
        """(n,) a factor around 1 that differs from life to life."""
        factors = np.exp(spread * self.rng.standard_normal(len(self.births)))
        return factors[self.life]

    def arrivals(self, per_day: float) -> FloatArray:
        """Rising seconds at which something that happens by chance happens."""
        span = float(self.time[-1])
        return np.sort(self.rng.uniform(0.0, span, self.rng.poisson(per_day * span / DAY_SECONDS)))

    def wander(self, correlation_seconds: float) -> FloatArray:
        """(n,) noise of unit deviation that forgets itself over this time."""
        keep = float(np.exp(-self.step_seconds / correlation_seconds))
        white = self.rng.standard_normal(len(self.time)) * np.sqrt(1.0 - keep * keep)
        white[0] = self.rng.standard_normal()
        return np.asarray(lfilter([1.0], [1.0, -keep], white))

    def smooth(self, values: FloatArray, lag_seconds: float) -> FloatArray:
        """(n,) values seen through a lag."""
        if lag_seconds < self.step_seconds:
            return values
        keep = float(np.exp(-self.step_seconds / lag_seconds))
        out, _ = lfilter([1.0 - keep], [1.0, -keep], values, zi=[keep * values[0]])
        return np.asarray(out)
