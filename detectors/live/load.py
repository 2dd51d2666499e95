"""What the request rate explains of the level, learned while watching."""

import math
from collections.abc import Mapping

import numpy as np

from detectors.types import FloatArray

LAGS_SECONDS = (90.0, 900.0, 7_200.0)
"""How long memory may follow the load after it: requests in flight, pools that shrink within minutes, within hours."""
LAG_BLOCKS = 6
FORGET_BLOCKS = 1_500.0
RIDGE = 3.0
SOLVE_EVERY = 8


def total(values: Mapping[str, float], name: str) -> float | None:
    """A counter: the column of this name, or the sum of its columns by model; None where unknown."""
    whole = values.get(name)
    if whole is not None and math.isfinite(whole):
        return float(whole)
    prefix = name + ":"
    parts = [v for key, v in values.items() if key.startswith(prefix) and math.isfinite(v)]
    return float(sum(parts)) if parts else None


class Rate:
    """Requests per second through three lags, from a counter that may be reset or missing.

    Attributes:
        views: requests per second through each of `LAGS_SECONDS`; served: requests since watching began.
        seen: whether there is a rate.
    """

    __slots__ = ("_at", "_count", "seen", "served", "views")

    def __init__(self) -> None:
        self._at: float | None = None
        self._count = 0.0
        self.views = (0.0, 0.0, 0.0)
        self.served = 0.0
        self.seen = False

    def count(self, time: float, count: float) -> bool:
        """Take a count; True where the counter was reset."""
        before, self._count = self._count, count
        if self._at is None or time <= self._at:
            self._at = time
            return False
        passed, self._at = time - self._at, time
        reset = count < before
        came = count if reset else count - before
        self.served += came
        rate = came / passed
        if not self.seen:
            self.views, self.seen = (rate, rate, rate), True
        else:
            f, s, h = self.views
            a, b, c = (1.0 - math.exp(-passed / lag) for lag in LAGS_SECONDS)
            self.views = (f + a * (rate - f), s + b * (rate - s), h + c * (rate - h))
        return reset


class LoadModel:
    """Bytes per request per second of each view: least squares on changes over `LAG_BLOCKS` blocks.

    Changes, so that neither level nor slow growth is taken for load; a free constant takes the growth that goes on.
    Old changes are forgotten exponentially, a wild one is cut at three typical deviations, and a coefficient is never
    negative: more load does not free memory.
    """

    __slots__ = ("_learned", "_moments", "_scale", "_spread", "coefficients")

    def __init__(self) -> None:
        self._moments = np.zeros((5, 5))
        self._spread = 0.0
        self._scale = 0.0
        self._learned = 0
        self.coefficients: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def learn(self, rows: FloatArray) -> None:
        """Take the change from the block `LAG_BLOCKS` before to the newest; ``rows`` as of a ring, one life."""
        if len(rows) <= LAG_BLOCKS:
            return
        new, old = rows[-1], rows[-1 - LAG_BLOCKS]
        change = new[1:5] - old[1:5]
        surprise = float(change[0] - change[1:] @ np.asarray(self.coefficients))
        cut = 3.0 * self._spread
        if self._spread > 0.0 and abs(surprise) > cut:
            change[0] -= surprise - math.copysign(cut, surprise)
            surprise = math.copysign(cut, surprise)
        self._spread += 0.02 * (1.5 * abs(surprise) - self._spread) if self._spread > 0 else abs(surprise)
        self._scale = max(self._scale * 0.999, float(np.abs(new[2:5]).max()))
        features = np.append(change[[1, 2, 3, 0]], 1.0)
        self._moments *= 1.0 - 1.0 / FORGET_BLOCKS
        self._moments += np.outer(features, features)
        self._learned += 1
        if self._learned % SOLVE_EVERY == 0 or self._learned < 40:
            self.coefficients = self._solve()

    def _solve(self) -> tuple[float, float, float]:
        """Least squares with a small ridge, coefficients at least zero."""
        free, out = [0, 1, 2], np.zeros(3)
        ridge = RIDGE * (0.03 * self._scale) ** 2
        while free:
            chosen = [*free, 4]
            matrix = self._moments[np.ix_(chosen, chosen)] + np.diag([ridge] * len(free) + [1.0])
            solved = np.linalg.solve(matrix, self._moments[chosen, 3])[: len(free)] if self._scale > 0 else np.zeros(3)
            if (solved >= 0).all():
                out[free] = solved
                break
            free = [f for f, value in zip(free, solved, strict=True) if value > 0]
        return float(out[0]), float(out[1]), float(out[2])
