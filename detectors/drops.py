"""Sudden falls of the level: restarts, collections, ended jobs. They decide where a trace may be cut."""

from dataclasses import dataclass

import numpy as np

from detectors.series import Series
from detectors.types import FloatArray


@dataclass(frozen=True, slots=True)
class Drops:
    """Falls found in a series, in order of time; all (k,).

    Attributes:
        time: seconds on the series' axis, of the first sample after the fall.
        peak: level just before.
        trough: level just after.
    """

    time: FloatArray
    peak: FloatArray
    trough: FloatArray


def find_drops(series: Series) -> Drops:
    """Falls that are large (25 % of the 1-99 % range, 6 MAD of the first differences), sudden and lasting.

    A fall that only ends a plateau, sharp up from about the level that it returns to within a seventh of the trace,
    is a job that came and went and is left out.
    """
    time, value = series.time, series.value
    n = len(value)
    if n < 12:
        return Drops(*(np.empty(0) for _ in range(3)))
    low, high = np.quantile(value, [0.01, 0.99])
    change = np.abs(np.diff(value))
    noise = 1.4826 * float(np.median(change))
    least = max(0.25 * (high - low), 6.0 * noise, 1e-9)
    ahead = np.stack([np.append(value[k:], np.repeat(value[-1], k)) for k in (1, 2, 3)])
    sharp = np.flatnonzero((value - ahead.min(axis=0))[: n - 1] >= 0.7 * least)
    window = (time[-1] - time[0]) / 60.0
    found: list[tuple[float, float, float]] = []
    for group in np.split(sharp, np.flatnonzero(np.diff(sharp) > 3) + 1) if len(sharp) else []:
        first, last = int(group[0]), min(int(group[-1]) + 3, n - 1)
        falls = value[first:last] - value[first + 1 : last + 1]
        cut = first + int(np.argmax(falls)) + 1
        before = float(np.median(value[max(0, first - 2) : first + 1]))
        end = max(cut + 3, int(np.searchsorted(time, time[cut] + window)))
        after = float(np.median(value[cut:end]))
        if before - after < least or _ends_a_job(time, value, first, before, after):
            continue
        found.append((float(time[cut]), before, float(np.min(value[cut : cut + 3]))))
    return Drops(*(np.array([f[i] for f in found]) for i in range(3)))


def _ends_a_job(time: FloatArray, value: FloatArray, at: int, peak: float, after: float) -> bool:
    """Whether the level rose sharply to this plateau, from about the level after, a short while before."""
    start = int(np.searchsorted(time, time[at] - (time[-1] - time[0]) / 7.0))
    stretch = value[start : at + 1]
    if len(stretch) < 4:
        return False
    height = peak - after
    rises = stretch[2:] - stretch[:-2]
    sharpest = int(np.argmax(rises))
    from_level = float(np.median(stretch[max(0, sharpest - 3) : sharpest + 1]))
    return bool(rises[sharpest] > 0.6 * height and abs(from_level - after) < 0.3 * height)


def gradual(series: Series, cuts: FloatArray) -> FloatArray:
    """(k+1,) correlation of level with time within each piece between cuts; nan where a piece has under 5 points."""
    edges = np.concatenate([[0], np.searchsorted(series.time, cuts), [len(series.time)]])
    out = np.full(len(edges) - 1, np.nan)
    for i, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        if b - a < 5:
            continue
        t, v = series.time[a:b] - series.time[a:b].mean(), series.value[a:b] - series.value[a:b].mean()
        scale = float(np.sqrt((t @ t) * (v @ v)))
        out[i] = t @ v / scale if scale > 0 else 0.0
    return out
