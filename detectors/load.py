"""Request and model-load counters, turned into columns beside the memory's bins."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.series import Series, distinct
from detectors.types import FloatArray


@dataclass(frozen=True, slots=True)
class Counter:
    """A cumulative count made monotone: resets removed, unknown cells left out.

    Attributes:
        time: (k,) seconds.
        total: (k,) rises from 0; a reset counts as a restart from zero.
        resets: seconds of the first sample after each reset.
    """

    time: FloatArray
    total: FloatArray
    resets: FloatArray

    def at(self, time: FloatArray) -> FloatArray:
        """The total at other times, interpolated."""
        return np.interp(time, self.time, self.total)


def counter(time: FloatArray, value: FloatArray) -> Counter | None:
    """Reads a counter column; None where under half of it is known or it never moves."""
    known = np.isfinite(value)
    if known.sum() < 8 or known.mean() < 0.5:
        return None
    time, value = time[known], value[known]
    change = np.diff(value)
    fell = change < 0
    change = np.where(fell, value[1:], change)
    total = np.concatenate([[0.0], np.cumsum(change)])
    if total[-1] <= 0:
        return None
    return Counter(time, total, time[1:][fell])


def rate_columns(count: Counter, edges: FloatArray, piece: np.ndarray) -> FloatArray:
    """(n, 5) per bin between ``edges`` (n+1,): request rate, its moving averages over a 60th, a 20th and a 10th of the
    bins (memory follows load with a lag), and its running maximum (allocators keep their high-water mark)."""
    rate = np.diff(count.at(edges)) / np.diff(edges)
    n = len(rate)
    columns = [rate]
    for lag in (n / 60, n / 20, n / 10):
        keep = np.exp(-1.0 / lag)
        smooth, state = np.empty(n), rate[0]
        for i, r in enumerate(rate):
            state = keep * state + (1.0 - keep) * r
            smooth[i] = state
        columns.append(smooth)
    high = rate.copy()
    for p in distinct(piece):
        high[piece == p] = np.maximum.accumulate(rate[piece == p])
    columns.append(high)
    return np.stack(columns, axis=1)


def model_columns(columns: Mapping[str, FloatArray], prefix: str) -> dict[str, FloatArray]:
    """Columns named ``prefix:MODEL``, by model."""
    return {name[len(prefix) + 1 :]: c for name, c in columns.items() if name.startswith(prefix + ":")}


def bin_edges(position: FloatArray, series: Series) -> FloatArray:
    """(n+1,) seconds halfway between neighbouring bins, the series' ends outside."""
    first, span = series.time[0], series.time[-1] - series.time[0]
    middle = 0.5 * (position[1:] + position[:-1])
    return np.asarray(first + span * np.concatenate([[0.0], middle, [1.0]]))
