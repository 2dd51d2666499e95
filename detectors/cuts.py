"""Where a trace may be cut, and into what: lives of a restarted process, or teeth of a collector.

What tells them apart is evidence, not likelihood: a straight line with equal falls fits both. A restart resets the
process's own counters, or falls from the limit, or shows the start-up of a new process (a dip far below the level
that follows); teeth that show none of it, gradual and to a common floor, are a collector's.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detectors.binning import blockwise_trend
from detectors.load import Counter
from detectors.series import Series, distinct, middle, quantile
from detectors.types import FloatArray

MAXIMUM_LIVES = 13
FEW_TEETH = 24
"""Up to this many teeth are modelled one by one; more of them are judged a whole tooth, or several, to a bin."""
GRADUAL = 0.6


class Cut(StrEnum):
    """What the pieces between cuts are."""

    NONE = "none"
    LIVES = "lives"
    TEETH = "teeth"
    MANY_TEETH = "many teeth"


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where pieces begin.

    Attributes:
        kind: what the pieces are.
        time: (k,) seconds of the first sample of each new piece; empty where kind is NONE.
        proven: whether counters or the limit prove that the pieces are lives.
        at_limit: share of the falls that start above 90 % of the limit; 0 without a limit.
    """

    kind: Cut
    time: FloatArray
    proven: bool = False
    at_limit: float = 0.0


@dataclass(frozen=True, slots=True)
class Drops:
    """Sudden falls in order of time; all (k,).

    Attributes:
        row: index of the first sample after the fall.
        peak: highest level just before; before: median level just before.
        trough: lowest level just after; after: median level over the next sixtieth of the trace.
    """

    row: np.ndarray
    peak: FloatArray
    before: FloatArray
    trough: FloatArray
    after: FloatArray


def find_cuts(
    series: Series, requests: Counter | None, limit: float | None, restarts: FloatArray | None = None
) -> Cuts:
    """Cut a series into lives or teeth where there is reason to.

    Args:
        series: what is judged.
        requests: a count that a new process begins anew, None where there is none.
        limit: bytes, None where there is none.
        restarts: seconds on the series' axis of restarts that something else proves, such as a kernel's log; a log may
            hold some of them only, and falls from the limit beside them are taken for others.
    """
    none = Cuts(Cut.NONE, np.empty(0))
    resets = requests.resets if requests is not None else np.empty(0)
    if restarts is not None and len(restarts):
        resets = np.concatenate((resets, restarts, _killed(series, limit)))
    resets = _inside(series, resets)
    if 0 < len(resets) < MAXIMUM_LIVES:
        return Cuts(Cut.LIVES, resets, proven=True, at_limit=_at_limit(series, resets, limit))
    drops = find_drops(series)
    if len(drops.row) == 0:
        return none
    time = series.time[drops.row]
    falls = drops.before - drops.after
    lasting = falls > _least_fall(series)
    near_limit = drops.peak > 0.9 * limit if limit is not None else np.zeros(len(time), dtype=bool)
    dips = drops.after - drops.trough
    started = (dips > 0.3 * np.maximum(falls, 0.0)) & (dips > np.maximum(0.03 * drops.after, 4.0 * _jitter(series)))
    gradual = _gradual(series, drops, lasting)
    if requests is None:
        killed = near_limit & (falls > 0.25 * drops.before)
        if killed.sum() >= 2 and killed.mean() >= 0.6 and gradual >= GRADUAL and len(time) < MAXIMUM_LIVES:
            return Cuts(Cut.LIVES, time, proven=True, at_limit=float(near_limit.mean()))
        if started.mean() >= 0.5 and len(time) < MAXIMUM_LIVES:
            return Cuts(Cut.LIVES, time, at_limit=float(near_limit.mean()))
    if lasting.any() and gradual < GRADUAL:
        # A generational collector's small collections within its large ones.
        lasting = lasting & (falls > 0.5 * falls.max())
        gradual = _gradual(series, drops, lasting)
    if lasting.any() and gradual >= GRADUAL:
        return Cuts(Cut.TEETH if lasting.sum() <= FEW_TEETH else Cut.MANY_TEETH, time[lasting])
    return none


def _killed(series: Series, limit: float | None) -> FloatArray:
    """Seconds of the falls from the limit."""
    drops = find_drops(series)
    if limit is None or not len(drops.row):
        return np.empty(0)
    fell = (drops.peak > 0.9 * limit) & (drops.before - drops.after > 0.25 * drops.before)
    killed: FloatArray = series.time[drops.row[fell]]
    return killed


def find_drops(series: Series) -> Drops:
    """Falls that are large and sudden: over 25 % of the 1-99 % range (without the trend) and 3.5 MAD of the first
    differences, most of it within three samples. A fall that does not last is kept only where it goes below 70 % of the
    level before (a process that began anew); one that only ends a plateau, sharp up from the same level a short while
    before, is a job's."""
    time, value = series.time, series.value
    n = len(value)
    if n < 12:
        return Drops(np.empty(0, dtype=int), *(np.empty(0) for _ in range(4)))
    least = _least_fall(series)
    lowest = np.minimum(
        np.minimum(np.append(value[1:], value[-1]), np.append(value[2:], value[-1:].repeat(2))),
        np.append(value[3:], value[-1:].repeat(3)),
    )
    sharp = np.flatnonzero(value[:-1] - lowest[:-1] >= 0.7 * least)
    window = (time[-1] - time[0]) / 60.0
    found = []
    groups = np.split(sharp, np.flatnonzero(np.diff(sharp) > 3) + 1) if len(sharp) else []
    for group, following in zip(groups, [*(int(g[0]) for g in groups[1:]), n], strict=False):
        first, last = int(group[0]), min(int(group[-1]) + 3, n - 1)
        row = first + int(np.argmax(value[first:last] - value[first + 1 : last + 1])) + 1
        head = np.sort(value[max(0, row - 3) : row])
        before = float(head[len(head) // 2])
        end = max(row + 3, min(int(np.searchsorted(time, time[row] + window)), row + (following - row) // 5))
        tail = np.sort(value[row:end])
        after = float(tail[len(tail) // 2])
        trough = float(value[row : row + 3].min())
        lasts = before - after >= least and not _ends_a_job(time, value, row - 1, before, after)
        if lasts or trough < 0.7 * before:
            found.append((row, float(value[max(0, row - 3) : row].max()), before, trough, after))
    rows = np.array([f[0] for f in found], dtype=int)
    return Drops(rows, *(np.array([f[i] for f in found]) for i in range(1, 5)))


def _least_fall(series: Series) -> float:
    flat = series.value - blockwise_trend(series.time, series.value)
    low, high = quantile(flat, 0.01), quantile(flat, 0.99)
    return max(0.25 * float(high - low), 3.5 * _jitter(series), 1e-9)


def _ends_a_job(time: FloatArray, value: FloatArray, at: int, peak: float, after: float) -> bool:
    """Whether the level rose sharply to this plateau, from about the level after, a short while before."""
    start = int(np.searchsorted(time, time[at] - (time[-1] - time[0]) / 7.0))
    stretch = value[start : at + 1]
    if len(stretch) < 4:
        return False
    height = peak - after
    rises = stretch[2:] - stretch[:-2]
    sharpest = int(np.argmax(rises))
    level = float(stretch[max(0, sharpest - 2) : sharpest + 1].mean())
    return bool(rises[sharpest] > 0.6 * height and abs(level - after) < 0.3 * height)


def _gradual(series: Series, drops: Drops, lasting: NDArray[np.bool_]) -> float:
    """Share (by time) of the pieces before lasting falls that rise like teeth: by most of the fall that ends them, bit
    by bit and up to the fall. A switch between two levels rises at once, and a burst stands out above its piece."""
    # The trend of the whole trace is nobody's tooth.
    flat = series.value - blockwise_trend(series.time, series.value)
    rows, before = drops.row[lasting], drops.before[lasting] - (series.value - flat)[drops.row[lasting]]
    falls = drops.before[lasting] - drops.after[lasting]
    good = watched = 0.0
    for begin, end, peak, fall in zip([0, *rows[:-1].tolist()], rows.tolist(), before, falls, strict=False):
        blocks = min(8, (end - begin) // 2)
        if blocks < 4:
            continue
        ends = np.linspace(begin, end, blocks + 1).astype(int)
        levels = np.array([middle(flat[a:b]) for a, b in zip(ends[:-1], ends[1:], strict=True)])
        rise = float(levels[-1] - levels[0])
        watched += end - begin
        like_tooth = rise > 0.3 * fall and float(np.diff(levels).max()) < 0.6 * rise and peak - levels[-1] < 0.4 * fall
        good += (end - begin) * float(like_tooth)
    return good / watched if watched > 0.4 * len(series.time) else 0.0


def _jitter(series: Series) -> float:
    """Typical change from one sample to the next."""
    return 1.4826 * middle(np.abs(np.diff(series.value)))


def _inside(series: Series, time: FloatArray) -> FloatArray:
    """Those that fall well inside the series, moved to the sample at or after each, one per sample."""
    rows = distinct(np.searchsorted(series.time, time))
    return series.time[rows[(rows >= 3) & (rows < len(series.time) - 3)]]


def _at_limit(series: Series, cuts: FloatArray, limit: float | None) -> float:
    if limit is None:
        return 0.0
    rows = np.searchsorted(series.time, cuts)
    return float(np.mean([series.value[max(0, r - 3) : r + 1].max() > 0.9 * limit for r in rows]))
