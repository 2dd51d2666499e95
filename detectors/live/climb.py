"""A hinge through the newest blocks: level, then a line from the onset; and what speaks for it going on."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detectors.types import FloatArray

LEAST_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class Climb:
    """Growth found at one scale.

    Attributes:
        onset: seconds, on the detector's axis, where the line begins; ``end``: of the newest block.
        slope: bytes per second; ``error``: its standard deviation, autocorrelation allowed for.
        grown: bytes, slope times the time since the onset.
        base: level at the onset, without the load's part.
        blocks: since the onset; ``before``: in the window before it.
        straight: R squared of the blocks since the onset.
        late: slope of the newest half over that of all since the onset; ``last``: of the newest quarter.
        least_step: the smallest of the four quarters' steps, over their mean.
        largest_step: the largest change between neighbouring blocks, as a share of the growth.
        dip: how far the highest block before the onset stands over its base, in bytes.
    """

    onset: float
    end: float
    slope: float
    error: float
    grown: float
    base: float
    blocks: int
    before: int
    straight: float
    late: float
    last: float
    least_step: float
    largest_step: float
    dip: float


def find_climb(time: FloatArray, level: FloatArray, load: FloatArray | None) -> Climb | None:
    """The best hinge whose line holds at least `LEAST_BLOCKS` blocks; None where nothing rises.

    Args:
        time: (n,) rising seconds. level: (n,) bytes without what the load explains.
        load: (n,) the request rate where one is known: a second, non-negative regressor (Frisch and Waugh 1933), for
            what the learned load does not explain in this window.
    """
    n = len(time)
    if n < LEAST_BLOCKS + 1:
        return None
    clock = (time - time[-1]) / (time[-1] - time[0])
    mean = _mean(level)
    y = level - mean
    onsets = clock[: n - LEAST_BLOCKS]
    m = np.arange(n, LEAST_BLOCKS, -1.0)
    s1, s2 = _after(clock), _after(clock * clock)
    h1 = s1 - m * onsets
    hh = s2 - 2.0 * onsets * s1 + m * onsets * onsets - h1 * h1 / n
    hy = _after(clock * y) - onsets * _after(y)
    yy = float(y @ y)
    if load is not None:
        z = load - _mean(load)
        zz, zy = float(z @ z), float(z @ y)
        if zz > 0 and zy > 0:
            hz = _after(clock * z) - onsets * _after(z)
            hh_z, hy_z = hh - hz * hz / zz, hy - hz * zy / zz
            best_z = int(np.argmax(_gain(hh_z, hy_z)))
            beta = (zy - hz[best_z] * hy_z[best_z] / max(hh_z[best_z], 1e-12)) / zz
            if beta > 0:
                y = y - beta * z
                hy = _after(clock * y) - onsets * _after(y)
                yy = float(y @ y)
    gain = _gain(hh, hy)
    j = int(np.argmax(gain))
    if gain[j] <= 0.0:
        return None
    slope = float(hy[j] / hh[j])
    span = float(time[-1] - time[0])
    return _describe(time, y, j, slope, max(yy - float(gain[j]), 0.0), float(hh[j]), span, mean)


def _after(values: FloatArray) -> FloatArray:
    """Sums from each candidate onset to the end."""
    return values[::-1].cumsum()[::-1][: len(values) - LEAST_BLOCKS]


def _gain(hh: FloatArray, hy: FloatArray) -> FloatArray:
    """By how much each hinge lowers the sum of squares; 0 for one that falls."""
    return np.where((hy > 0) & (hh > 1e-9), hy * hy / np.maximum(hh, 1e-9), 0.0)


def _describe(
    time: FloatArray, y: FloatArray, j: int, slope: float, left: float, hh: float, span: float, mean: float
) -> Climb:
    n = len(time)
    clock = (time - time[-1]) / span
    hinge = np.maximum(clock - clock[j], 0.0)
    rest = y - slope * (hinge - _mean(hinge))
    after, climb, when = rest[j:], y[j:], clock[j:]
    around = climb - _mean(climb)
    total = float(around @ around)
    straight = 1.0 - float(after @ after) / total if total > 0 else 0.0
    lag = float(rest[1:] @ rest[:-1]) / left if left > 0 else 0.0
    keep = min(max(lag, 0.0), 0.95)
    error = math.sqrt(left / max(n - 3, 1) / hh * (1.0 + keep) / (1.0 - keep))
    count = n - j
    half, quarter = count // 2, max(count // 4, 2)
    edges = [0, count // 4, half, count - count // 4, count]
    quarters = [_mean(climb[a:b]) for a, b in pairwise(edges)]
    steps = [b - a for a, b in pairwise(quarters)]
    mean_step = (quarters[-1] - quarters[0]) / 3.0
    grown = -slope * float(clock[j])
    base = _mean(y[: j + 1])
    return Climb(
        onset=float(time[j]),
        end=float(time[-1]),
        slope=slope / span,
        error=error / span,
        grown=grown,
        base=base + mean,
        blocks=count,
        before=j,
        straight=straight,
        late=_slope(when[-half:], climb[-half:]) / slope,
        last=_slope(when[-quarter:], climb[-quarter:]) / slope,
        least_step=min(steps) / mean_step if mean_step > 0 else -1.0,
        largest_step=float((climb[1:] - climb[:-1]).max()) / grown if grown > 0 else 1.0,
        dip=float(y[: j + 1].max() - base),
    )


def _mean(values: FloatArray) -> float:
    return float(np.add.reduce(values)) / len(values)


def _slope(time: FloatArray, level: FloatArray) -> float:
    around = time - _mean(time)
    spread = float(around @ around)
    return float(around @ level) / spread if spread > 0 else 0.0
