"""From raw samples to the few hundred robust numbers that the judging rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.types import FloatArray

Number = TypeVar("Number", np.float64, np.int64)

METRICS = ("anon_bytes", "working_set_bytes", "rss_bytes", "usage_bytes")
"""The memory columns that can carry a verdict, the best witness of a leak first: anonymous memory cannot be
reclaimed, the working set still holds active page cache, and usage holds all of it."""

FINE_POINTS = 1024
"""Above twice this many samples a trace is first reduced to medians of this many equal stretches of time."""


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one column: (n,) strictly rising seconds from the first sample, and (n,) values."""

    time: FloatArray
    value: FloatArray


@dataclass(frozen=True, slots=True)
class Bins:
    """Robust summaries of equal stretches of a series, empty ones left out; all (m,).

    Attributes:
        time: centres, in seconds on the series' axis.
        median: median value.
        floor: 10 % quantile, the lower envelope.
    """

    time: FloatArray
    median: FloatArray
    floor: FloatArray


def choose_metric(columns: Mapping[str, FloatArray]) -> str | None:
    """The best memory column with at least half of its cells known; None where there is none."""
    for name in METRICS:
        if name in columns and len(columns[name]) and np.isfinite(columns[name]).mean() >= 0.5:
            return name
    return None


def reduce(series: Series, points: int = FINE_POINTS) -> Series:
    """At most ``2 * points`` points: the samples themselves, or the medians of equal stretches of time."""
    if len(series.time) <= 2 * points:
        return series
    bins = bin_equally(series, points)
    return Series(bins.time, bins.median)


def bin_equally(series: Series, count: int) -> Bins:
    """Bins of equal duration over the whole series."""
    first, last = series.time[0], series.time[-1]
    edges = first + (last - first) * np.arange(1, count) / count
    return bin_between(series, edges)


def bin_between(series: Series, edges: FloatArray) -> Bins:
    """Bins between the given (k,) rising edges, one more than edges, empty ones left out."""
    time, value = series.time, series.value
    starts = np.concatenate([[0], np.searchsorted(time, edges, side="left")])
    counts = np.diff(np.append(starts, len(time)))
    starts, counts = starts[counts > 0], counts[counts > 0]
    centres = 0.5 * (time[starts] + time[starts + counts - 1])
    ordered = _sorted_rows(value, starts, counts)
    rows = np.arange(len(starts))
    middle = 0.5 * (ordered[rows, (counts - 1) // 2] + ordered[rows, counts // 2])
    return Bins(centres, middle, ordered[rows, (counts - 1) // 10])


def _sorted_rows(value: FloatArray, starts: np.ndarray, counts: np.ndarray) -> FloatArray:
    """Each bin's values in rising order, one bin a row, padded with infinity at the end."""
    width = int(counts.max())
    index = starts[:, None] + np.arange(width)
    padded = np.where(np.arange(width) < counts[:, None], value[np.minimum(index, len(value) - 1)], np.inf)
    padded.sort(axis=1)
    return padded


def quantile(values: FloatArray, share: float) -> float:
    """Interpolated between the two nearest of at least one known value, as numpy.quantile does; numpy's own quantile,
    median and unique import numpy.ma, which takes as long as a verdict, and cost several times as much when small."""
    at = share * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    ordered = np.partition(values, (low, high))
    return float(ordered[low] + (at - low) * (ordered[high] - ordered[low]))


def median(values: FloatArray) -> float:
    """The median of at least one known value."""
    return quantile(values, 0.5)


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """The different values in rising order."""
    ordered = np.sort(values)
    first_of_its_kind = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    return np.asarray(ordered[first_of_its_kind])


def middle(values: FloatArray) -> float:
    """The upper median of a few values; numpy.median costs six times as much on arrays this small."""
    half = len(values) // 2
    return float(np.partition(values, half)[half])
