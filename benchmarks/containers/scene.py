"""The stage of one simulated container: its clock, its size, its random numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

FloatArray = NDArray[np.float64]

DAY_SECONDS = 86_400.0

# (samples, seconds between them, weight): what people really export; a day at a minute is the commonest.
SAMPLINGS = (
    (300, 0.5, 7),
    (600, 1.0, 7),
    (720, 10.0, 7),
    (960, 30.0, 5),
    (1_440, 60.0, 34),
    (2_880, 30.0, 11),
    (5_760, 15.0, 8),
    (576, 300.0, 3),
    (2_016, 300.0, 5),
    (4_032, 300.0, 3),
    (8_640, 300.0, 2),
    (4_320, 60.0, 6),
    (10_080, 60.0, 3),
    (40_320, 15.0, 2),
    (43_200, 60.0, 2),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What every part of a container is drawn from.

    Attributes:
        rng: the one source of chance; parts draw from it in the order in which they are built.
        start_seconds: Unix time of the first sample.
        time: (n,) seconds since the start, strictly rising, sampling jitter included.
        step_seconds: nominal time between samples.
        level_bytes: the size of the container's resident heap.
        full: whether the richer columns will be in the trace.
    """

    rng: np.random.Generator
    start_seconds: float
    time: FloatArray
    step_seconds: float
    level_bytes: float
    full: bool

    @property
    def span_seconds(self) -> float:
        """The trace's length."""
        return len(self.time) * self.step_seconds

    @property
    def days(self) -> float:
        """The trace's length in days, the one period that is the same for everybody."""
        return self.span_seconds / DAY_SECONDS

    def between(self, low: float, high: float) -> float:
        """A uniform draw."""
        return float(self.rng.uniform(low, high))

    def spread(self, low: float, high: float) -> float:
        """A log-uniform draw: any order of magnitude is as likely as any other."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def heap(self, low: float, high: float) -> float:
        """Bytes: a log-uniform share of the container's level."""
        return self.level_bytes * self.spread(low, high)

    def stretch(self, low: float, high: float) -> float:
        """Seconds: a log-uniform share of the trace's length, so that short traces hold whole stories as well."""
        return self.span_seconds * self.spread(low, high)

    def autocorrelated(self, correlation_seconds: float) -> FloatArray:
        """(n,) AR(1) noise of unit variance with this correlation time, stationary from its first sample."""
        return self.autocorrelated_steps(len(self.time), correlation_seconds / self.step_seconds)

    def autocorrelated_steps(self, count: int, correlation_steps: float) -> FloatArray:
        """(count,) AR(1) noise of unit variance, correlation time counted in steps."""
        keep = float(np.exp(-1.0 / max(correlation_steps, 1e-3)))
        shocks = self.rng.standard_normal(count) * np.sqrt(1 - keep * keep)
        first = self.rng.standard_normal()
        out: FloatArray = lfilter([1.0], [1.0, -keep], shocks, zi=np.array([keep * first]))[0]
        return out

    def lagged(self, signal: FloatArray, lag_seconds: float) -> FloatArray:
        """(n,) the signal through a first-order lag, settled at its first value before the trace began."""
        keep = float(np.exp(-self.step_seconds / max(lag_seconds, 1e-9)))
        out: FloatArray = lfilter([1 - keep], [1.0, -keep], signal, zi=np.array([keep * signal[0]]))[0]
        return out


def draw_scene(
    rng: np.random.Generator,
    least_days: tuple[float, float] = (0.0, 0.0),
    most_samples: int = 50_000,
    full: bool | None = None,
) -> Scene:
    """Draw clock and size.

    Args:
        rng: source of chance.
        least_days: the shortest trace, in days, with and without the richer columns.
        most_samples: an upper bound, for families of short traces.
        full: whether the richer columns are there; None tosses a coin.
    """
    full = bool(rng.random() < 0.5) if full is None else full
    days = least_days[0] if full else least_days[1]
    choices = [s for s in SAMPLINGS if s[0] * s[1] >= days * DAY_SECONDS and s[0] <= most_samples]
    weights = np.array([s[2] for s in choices], float)
    samples, step, _ = choices[int(rng.choice(len(choices), p=weights / weights.sum()))]
    # A trace seldom has a round number of samples.
    samples = int(samples * rng.uniform(0.93, 1.07)) if days == 0 else int(samples * rng.uniform(1.0, 1.07))
    jitter = step * rng.choice([0.0, 0.002, 0.02, 0.1]) * rng.uniform(-1, 1, samples)
    time = np.arange(samples) * step + jitter - jitter[0]
    start = 1.76e9 + rng.uniform(0, 3e7)
    level = float(np.exp(rng.uniform(np.log(50 * 2**20), np.log(200 * 2**30))))
    return Scene(rng, float(np.round(start, 3)), time, step, level, full)
