"""The curves that healthy growth and leaks draw, on a time axis from 0 to 1.

Every curve is one column; its amplitude is fitted, its own parameters are a grid. Steps of the exponential grid are
a factor of 1.45: coarser ones bias the slope of a line beside them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from detectors.types import FloatArray

EXPONENTIAL_STEP = 1.45
EXPONENTIAL_TIMES: FloatArray = 0.012 * EXPONENTIAL_STEP ** np.arange(11, dtype=np.float64)
LOG_TIMES = np.array([0.001, 0.003, 0.01, 0.03, 0.1])
LIFE_SETTLING_TIMES = 0.03 * 1.6 ** np.arange(6)
RAMP_KNOTS = tuple(k / 10 for k in range(10))
ONSETS = np.arange(0.1, 0.75, 0.1)
POWERS = (1.5, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Columns of one kind.

    Attributes:
        columns: (n, k).
        family: (k,) name of each column's grid; the columns of a grid share its prior weight.
        onset: (k,) where its growth begins, 0..1.
        rate: (k,) its growth over one unit of time once begun (mean rate of a curved one), per unit of amplitude.
        power: (k,) of time since its onset: 1 for a line.
    """

    columns: FloatArray
    family: tuple[str, ...]
    onset: FloatArray
    rate: FloatArray
    power: FloatArray


_RAMPS = np.array([(a, b) for i, a in enumerate(RAMP_KNOTS) for b in RAMP_KNOTS[i + 1 :]])
_EXPONENTIALS, _LOGARITHMS = len(EXPONENTIAL_TIMES), len(LOG_TIMES)


def healthy(u: FloatArray) -> Shapes:
    """Growth that ends: warm-up (exponential), slow settling (logarithm), a ramp that has ended."""
    columns = [_exponentials(u, EXPONENTIAL_TIMES), _logarithms(u, LOG_TIMES), _ramps(u, _RAMPS)]
    return _ending(columns, ("exponential", "logarithm", "ramp"))


def healthy_around(u: FloatArray, curves: Iterable[int]) -> Shapes:
    """Finer neighbours of some of `healthy`'s curves, given by their number there.

    Between two points of a grid a clean curve is a neighbour and a line on top of it: without the neighbours a warm-up
    under little noise looks like a leak.
    """
    times, scales, ramps = np.empty(0), np.empty(0), np.empty((0, 2))
    inside = np.array([j / 5 for j in range(-4, 5) if j])
    for curve in curves:
        if curve < _EXPONENTIALS:
            beyond = [1.0, 1.5, 2.0] if curve == _EXPONENTIALS - 1 else []
            times = np.append(times, EXPONENTIAL_TIMES[curve] * EXPONENTIAL_STEP ** np.append(inside, beyond))
        elif curve < _EXPONENTIALS + _LOGARITHMS:
            scales = np.append(scales, LOG_TIMES[curve - _EXPONENTIALS] * 3.0**inside)
        else:
            around = _RAMPS[curve - _EXPONENTIALS - _LOGARITHMS] + _KNOT_SHIFTS
            ramps = np.concatenate([ramps, around[around[:, 1] - around[:, 0] > 0.01]])
    return _ending(
        [_exponentials(u, times), _logarithms(u, scales), _ramps(u, ramps)], ("exponential", "logarithm", "ramp")
    )


_KNOT_SHIFTS = np.array([(a, b) for a in (-0.05, 0.0, 0.05) for b in (-0.05, 0.0, 0.05) if (a, b) != (0.0, 0.0)])


def _exponentials(u: FloatArray, times: FloatArray) -> FloatArray:
    return 1.0 - np.exp(-u[:, None] / times)


def _logarithms(u: FloatArray, scales: FloatArray) -> FloatArray:
    return np.log1p(u[:, None] / scales)


def _ramps(u: FloatArray, knots: FloatArray) -> FloatArray:
    return np.clip((u[:, None] - knots[:, 0]) / (knots[:, 1] - knots[:, 0]), 0.0, 1.0)


def _ending(columns: list[FloatArray], names: tuple[str, ...]) -> Shapes:
    family = tuple(name for name, c in zip(names, columns, strict=True) for _ in range(c.shape[1]))
    return Shapes(np.concatenate(columns, axis=1), family, *(np.zeros(len(family)) for _ in range(3)))


def joined(shapes: Shapes, more: Shapes | None) -> Shapes:
    """Both side by side."""
    if more is None:
        return shapes
    return Shapes(
        np.concatenate([shapes.columns, more.columns], axis=1),
        shapes.family + more.family,
        np.concatenate([shapes.onset, more.onset]),
        np.concatenate([shapes.rate, more.rate]),
        np.concatenate([shapes.power, more.power]),
    )


def settling(since: FloatArray, longest: float, rise: FloatArray) -> Shapes:
    """What each life of a restarted process does before it settles.

    Args:
        since: (n,) time since the last restart, in shares of the trace.
        longest: a typical life in the same unit; growth that lasts longer than half of it is no settling.
        rise: (n,) how much the level of the bin's own life rose: start-ups differ from life to life.
    """
    share = since / longest
    columns = [1.0 - np.exp(-share / tau) for tau in LIFE_SETTLING_TIMES]
    columns += [np.log1p(share / scale) for scale in LOG_TIMES[:-1]]
    columns += [rise * c for c in columns[: len(LIFE_SETTLING_TIMES)]]
    count = len(LIFE_SETTLING_TIMES)
    family = ("exponential",) * count + ("logarithm",) * (len(LOG_TIMES) - 1) + ("own exponential",) * count
    return Shapes(np.stack(columns, axis=1), family, *(np.zeros(len(family)) for _ in range(3)))


def leaking(u: FloatArray) -> Shapes:
    """Growth that goes on to the end: a line, a line from a later onset, an accelerating curve."""
    columns = [u] + [np.maximum(u - onset, 0.0) for onset in ONSETS] + [u**power for power in POWERS]
    family = ("line",) + ("late line",) * len(ONSETS) + ("accelerating",) * len(POWERS)
    onset = np.concatenate([[0.0], ONSETS, np.zeros(len(POWERS))])
    power = np.concatenate([np.ones(1 + len(ONSETS)), POWERS])
    return Shapes(np.stack(columns, axis=1), family, onset, np.ones(len(family)), power)
