"""What restarts give back: a leak begins anew with every life, what load or the time of day does goes on.

Replicas that restart at different times tell a leak from whatever all of them share, seen or not. Beside the others,
one that restarts falls by what it had leaked: the more, the longer it had run. What a restart gives back anyway
(caches, a heap in pieces, what leaked before the trace began) does not grow with that time. This is the effect of age
in the two-way layout of `detectors.pooling`, beside that of the clock, which is its mean.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.types import FloatArray

FEWEST_RESTARTS = 3
"""A line and what it leaves."""

FEWEST_PEERS = 4
"""Replicas that lived on while one restarted: how far their levels moved is the noise of what it gave back."""

SETTLING = 0.25
"""Share of a life after a restart that is left out: it loads and warms up."""

FEWEST_CELLS = 6


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A leak as restarts show it.

    Attributes:
        restarts: how many were compared.
        slope: bytes per second by which what they give back grows with the time that a life had run; deviation: its
            standard error.
    """

    restarts: int
    slope: float
    deviation: float


def given_back(time_seconds: FloatArray, beyond: FloatArray, lives: NDArray[np.int64]) -> GivenBack | None:
    """Regress what each restart gave back on how long the life before it had been watched.

    Args:
        time_seconds: (m,) rising.
        beyond: (r, m) what each replica has beyond the common course, bytes; NaN where unknown.
        lives: (r, m) the number of the life that each cell belongs to.

    Returns:
        None with fewer than three restarts between lives long enough to have a level, while others lived on; or where
        all come at one age.
    """
    found = [
        (float(time_seconds[after[0]] - time_seconds[before[0]]), *fell)
        for who, life in enumerate(lives)
        for before, after in _restarts(life)
        if (fell := _fell(beyond, lives, who, before, after)) is not None
    ]
    if len(found) < FEWEST_RESTARTS:
        return None
    ran, gave, variance = np.array(found).T
    return _line(ran, gave, 1.0 / variance)


def _line(ran: FloatArray, gave: FloatArray, weight: FloatArray) -> GivenBack | None:
    """Weighted least squares with what is given back anyway as an intercept. That is no less than nothing: where it
    seems to be, the line is one through the origin, and no surer. Scatter beyond the noise (ages before the trace)
    widens the error."""
    middle, mean = (float(weight @ values / weight.sum()) for values in (ran, gave))
    spread = float(weight @ (ran - middle) ** 2)
    if spread <= 1e-6 * float(weight @ ran**2):
        return None
    slope = float(weight @ ((ran - middle) * gave)) / spread
    rest = gave - mean - slope * (ran - middle)
    excess = max(float(weight @ rest**2) / (len(ran) - 2), 1.0)
    if slope * middle > mean:
        slope = float(weight @ (ran * gave)) / float(weight @ ran**2)
    return GivenBack(len(ran), slope, float(np.sqrt(excess / spread)))


def _restarts(life: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The cells of the life before and of the life after each restart of a replica."""
    cells = [np.flatnonzero(life == number) for number in range(int(life[-1]) + 1)]
    return list(zip(cells[:-1], cells[1:], strict=True))


def _fell(
    beyond: FloatArray, lives: NDArray[np.int64], who: int, before: NDArray[np.int64], after: NDArray[np.int64]
) -> tuple[float, float] | None:
    """By how many bytes a replica's level fell from one life to the next, and the variance of that: the mean square of
    what those that lived on did between the same cells."""
    lived_on = lives[:, before[0]] == lives[:, after[-1]]
    early = before[int(SETTLING * len(before)) :] if before[0] else before
    late = after[int(SETTLING * len(after)) :]
    known = np.isfinite(beyond)
    lived_on &= (known[:, early].sum(axis=1) >= FEWEST_CELLS) & (known[:, late].sum(axis=1) >= FEWEST_CELLS)
    own = min(known[who, early].sum(), known[who, late].sum()) >= FEWEST_CELLS
    if not own or lived_on.sum() < FEWEST_PEERS:
        return None
    lived_on[who] = True
    moved = np.nanmedian(beyond[np.ix_(lived_on, early)], axis=1) - np.nanmedian(beyond[np.ix_(lived_on, late)], axis=1)
    at = int(np.flatnonzero(lived_on).searchsorted(who))
    variance = float(np.mean(np.delete(moved, at) ** 2))
    return (float(moved[at]), variance) if variance > 0 else None
