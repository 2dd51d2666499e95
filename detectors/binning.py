"""The judged bins of a series: their level, their floor, and what is taken out of them before the competition."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from detectors.series import Bins, Series, bin_between, bin_equally, distinct, median, middle
from detectors.types import FloatArray

BINS = 126
PULSE_SHARE = 0.06
"""Half of the longest pulse that is taken out of the level, as a share of the trace."""
FLOOR_BLOCK = 6
"""Bins whose lowest floor makes one point of the lower envelope."""


@dataclass(frozen=True, slots=True)
class Judged:
    """(n,) bins: position 0..1 in the trace, the piece that they lie in, median level (pulses removed) and floor."""

    position: FloatArray
    piece: NDArray[np.int64]
    level: FloatArray
    floor: FloatArray
    regular: bool


def bin_count(samples: int) -> int:
    """126 bins, fewer where there are not three samples to fill each."""
    return BINS if samples >= 200 else 60 if samples >= 60 else 30


def judge_teeth(series: Series, cuts: FloatArray) -> Judged:
    """Bins of whole teeth, as many a bin as leaves at most 126 of them; the first and last, cut short, are left out."""
    first, span = float(series.time[0]), float(series.time[-1] - series.time[0])
    edges = cuts[:: -(-len(cuts) // BINS)]
    bins = bin_between(series, edges)
    inside = slice(1, -1)
    position = (bins.time[inside] - first) / span
    piece = np.zeros(len(position), dtype=np.int64)
    return Judged(position, piece, _despike(bins.median[inside], piece), bins.floor[inside], False)


def judge(series: Series, cuts: FloatArray) -> Judged:
    """Bins that never straddle a cut, without the last one before each cut, which may hold part of the fall."""
    first, span = float(series.time[0]), float(series.time[-1] - series.time[0])
    count = bin_count(len(series.time))
    if len(cuts) == 0:
        bins = bin_equally(series, count)
        piece = np.zeros(len(bins.time), dtype=np.int64)
        regular = len(bins.time) == count
        position = (np.arange(count) + 0.5) / count if regular else (bins.time - first) / span
    else:
        bins = _bin_pieces(series, cuts, count)
        piece = np.searchsorted(cuts, bins.time, side="right").astype(np.int64)
        last_before_cut = np.append(np.diff(piece) > 0, False)
        only = np.bincount(piece)[piece] == 1
        keep = ~last_before_cut | only
        bins, piece = Bins(bins.time[keep], bins.median[keep], bins.floor[keep]), piece[keep]
        regular = False
        position = (bins.time - first) / span
    return Judged(position, piece, _despike(bins.median, piece), bins.floor, regular)


def without_pulses(judged: Judged, immaterial: float) -> Judged:
    """Short excursions with a sharp edge on both sides (jobs, overlapping versions, bursts) cut to the level around.

    Both edges matter: a staircase has only one. ``immaterial`` is a difference that persuades nobody.
    """
    level = judged.level
    n = len(level)
    width = max(1, round(PULSE_SHARE * n))
    trend = blockwise_trend(judged.position, level)
    flat = level - trend
    ground = _opening(flat, width)
    excess = flat - ground
    spread = 1.4826 * median(np.abs(excess - median(excess)))
    bar = 8.0 * max(spread, immaterial)
    high = excess > bar
    if not high.any():
        return judged
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(np.int8)))
    out = level.copy()
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        height = float(excess[a:b].max())
        rises = a > 0 and flat[min(a + 1, n - 1)] - flat[max(a - 2, 0)] > 0.5 * height
        falls = b < n and flat[max(b - 2, 0)] - flat[min(b + 1, n - 1)] > 0.5 * height
        if rises and falls:
            out[a:b] = ground[a:b] + trend[a:b]
    return replace(judged, level=out)


def floor_of(judged: Judged, periodic: FloatArray) -> Judged:
    """The lower envelope: the lowest of the bins' floors in blocks of a few, which never straddle a cut.

    Blocks do not overlap, so what one says is not repeated by the next. ``periodic`` (n,) is taken off first: blocks
    of part of a day would otherwise see the day.
    """
    starts = [
        row
        for piece in distinct(judged.piece)
        for row in range(
            int(np.searchsorted(judged.piece, piece)), int(np.searchsorted(judged.piece, piece, "right")), FLOOR_BLOCK
        )
    ]
    begin = np.array(starts)
    level = np.minimum.reduceat(judged.floor - periodic, begin)
    size = np.diff(np.append(begin, len(judged.floor)))
    position = np.add.reduceat(judged.position, begin) / size
    return Judged(position, judged.piece[begin], level, level, judged.regular and len(judged.level) % FLOOR_BLOCK == 0)


def floor_of_teeth(judged: Judged) -> Judged:
    """One point a tooth, its lowest bin's floor; the first tooth, of which the beginning is missing, is left out."""
    pieces = distinct(judged.piece)[1:]
    begin = np.searchsorted(judged.piece, pieces)
    level = np.minimum.reduceat(judged.floor, begin)
    return Judged(judged.position[begin], np.zeros(len(begin), dtype=np.int64), level, level, False)


def _bin_pieces(series: Series, cuts: FloatArray, count: int) -> Bins:
    """Bins whose edges hold every cut; each piece gets its share of them by duration, at least two."""
    ends = np.concatenate([[series.time[0]], cuts, [series.time[-1]]])
    spans = np.diff(ends)
    shares = np.maximum(2, np.round(count * spans / spans.sum())).astype(int)
    edges = [np.linspace(a, b, k + 1)[:-1] for a, b, k in zip(ends[:-1], ends[1:], shares, strict=True)]
    return bin_between(series, np.concatenate(edges)[1:])


def _despike(level: FloatArray, piece: NDArray[np.int64]) -> FloatArray:
    """Hampel filter (Hampel 1974), 7 bins wide, 6 MAD, within each piece."""
    starts = np.flatnonzero(np.diff(piece)) + 1
    return np.concatenate([_hampel(part) for part in np.split(level, starts)])


def _hampel(level: FloatArray) -> FloatArray:
    if len(level) < 7:
        return level
    windows = sliding_window_view(np.pad(level, 3, mode="reflect"), 7)
    centre = np.partition(windows, 3, axis=1)[:, 3]
    spread = 1.4826 * np.partition(np.abs(windows - centre[:, None]), 3, axis=1)[:, 3]
    return np.where(np.abs(level - centre) > 6.0 * np.maximum(spread, median(spread)), centre, level)


def _opening(values: FloatArray, half_width: int) -> FloatArray:
    """Morphological opening with mirrored ends: the largest of the smallest, over windows of 2 * half_width + 1."""
    half_width = min(half_width, len(values) - 1)
    width = 2 * half_width + 1
    lowest = sliding_window_view(np.pad(values, half_width, mode="reflect"), width).min(axis=1)
    return np.asarray(sliding_window_view(np.pad(lowest, half_width, mode="reflect"), width).max(axis=1))


def blockwise_trend(position: FloatArray, level: FloatArray) -> FloatArray:
    """(n,) a line through the medians of 12 blocks (Theil 1950, Sen 1968)."""
    count = min(12, len(level))
    ends = np.linspace(0, len(level), count + 1).astype(int)
    x = np.array([0.5 * (position[a] + position[b - 1]) for a, b in zip(ends[:-1], ends[1:], strict=True)])
    y = np.array([middle(level[a:b]) for a, b in zip(ends[:-1], ends[1:], strict=True)])
    i, j = _PAIRS[:, _PAIRS[1] < count]
    if len(i) == 0:
        return np.full_like(level, level.mean())
    slope = middle((y[j] - y[i]) / np.maximum(x[j] - x[i], 1e-12))
    return slope * position + middle(y - slope * x)


_PAIRS = np.array(np.triu_indices(12, 1))
