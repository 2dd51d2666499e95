"""Traces whose truth is known by construction, at times that a float holds exactly."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from detectors.assess import assess
from detectors.types import Assessment, FloatArray

MIB = 2.0**20
START = 1_790_000_000.0
PAGE = 4096.0


@dataclass(frozen=True)
class Made:
    """A trace: times, columns and a limit, and how to judge it."""

    time: FloatArray
    columns: Mapping[str, FloatArray] = field(default_factory=dict)
    limit: float | None = None

    def assessed(self) -> Assessment:
        return assess(self.time, self.columns, limit_bytes=self.limit)

    def having(self, **columns: FloatArray) -> "Made":
        """The same trace with more, or other, columns."""
        return replace(self, columns={**self.columns, **columns})


class Traces:
    """Makes traces; every level is in whole pages. `share` (n,) is time from 0 to 1."""

    @staticmethod
    def of(level: FloatArray, *, step: float = 16.0, limit: float | None = None, metric: str = "anon_bytes") -> Made:
        """The given level at equal steps of time."""
        return Made(START + step * np.arange(len(level)), {metric: np.floor(level / PAGE) * PAGE}, limit)

    @staticmethod
    def share(n: int) -> FloatArray:
        return np.arange(n) / (n - 1.0)

    @staticmethod
    def noise(n: int, seed: int, scale: float = MIB, remembers: float = 0.0) -> FloatArray:
        """Gaussian noise of one deviation, first-order autoregressive where it remembers."""
        white = np.random.default_rng(seed).normal(size=n)
        out, state = np.empty(n), 0.0
        for i, w in enumerate(white):
            state = remembers * state + np.sqrt(1.0 - remembers**2) * w if i else w
            out[i] = state
        return scale * out

    def leak(self, n: int = 1500, *, grows: float = 200 * MIB, seed: int = 0, limit: float | None = 2048 * MIB) -> Made:
        """A straight line of `grows` bytes over the trace on 500 MiB, with 1 MiB of noise."""
        return self.of(500 * MIB + grows * self.share(n) + self.noise(n, seed), limit=limit)

    def flat(self, n: int = 1500, *, seed: int = 0, limit: float | None = 2048 * MIB) -> Made:
        """500 MiB with 1 MiB of noise."""
        return self.leak(n, grows=0.0, seed=seed, limit=limit)


@pytest.fixture(scope="session")
def traces() -> Traces:
    """Makes traces whose truth is known."""
    return Traces()
