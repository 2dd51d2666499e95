"""The curves that healthy growth and leaks draw, on a time axis from 0 to 1.

Every curve is one column; its amplitude is fitted, its own parameters are a grid. Steps of the exponential grid are
a factor of 1.45: coarser ones bias the slope of a line beside them.
"""

from dataclasses import dataclass

import numpy as np

from detectors.types import FloatArray

EXPONENTIAL_TIMES = 0.012 * 1.45 ** np.arange(11)
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


def healthy(u: FloatArray) -> Shapes:
    """Growth that ends: warm-up (exponential), slow settling (logarithm), a ramp that has ended."""
    at = u[:, None]
    begin, end = np.array([(a, b) for i, a in enumerate(RAMP_KNOTS) for b in RAMP_KNOTS[i + 1 :]]).T
    ramps = np.clip((at - begin) / (end - begin), 0.0, 1.0)
    columns = np.concatenate([1.0 - np.exp(-at / EXPONENTIAL_TIMES), np.log1p(at / LOG_TIMES), ramps], axis=1)
    family = ("exponential",) * len(EXPONENTIAL_TIMES) + ("logarithm",) * len(LOG_TIMES) + ("ramp",) * len(begin)
    return Shapes(columns, family, *(np.zeros(len(family)) for _ in range(3)))


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
