"""Many replicas judged as one: what all of them do together, and how many of its findings are likely to be false.

A leak too slow for one container to prove shows in the mean of many: noise of their own averages out, what they share
(load, time of day, a release) stays in the mean and is judged there as in a single trace. The mean is that of a two-way
layout, one effect a moment and one a life of a replica, so that replicas that restart, come and go leave no steps in
it; it is trimmed, so that a few odd ones do not speak for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.cuts import find_drops
from detectors.given_back import GivenBack, given_back
from detectors.load import Counter, counter
from detectors.series import Series, bin_between, median, reduce
from detectors.types import FloatArray, Replica

TRIMMED = 0.125
"""Share of the replicas left out of each moment's mean at either end."""

ROUNDS = 8
"""Alternating fits of moments and lives; without restarts one suffices (the layout is balanced), with many lives the
changes fall under a hundredth of the growth after a few."""

STARTS_BELOW = 0.7
"""A level that falls to under this share of what it was is that of a process that began anew (as `cuts.find_drops`)."""

ROSE_WITH = 0.3
"""A replica rises with its group where its own growth is at least this share of the group's."""


def outline(
    time_seconds: FloatArray,
    level_bytes: FloatArray,
    requests_total: FloatArray | None,
    limit_bytes: float | None,
    edges: FloatArray,
) -> Replica:
    """A container on the shared grid: the median level of each cell, its mean request rate, and where lives begin.

    A restart counts here wherever counters, the limit or a start-up's dip show one, however little it changed the
    level: in the mean of many even a small step is one.

    Args:
        time_seconds: (n,) rising.
        level_bytes: (n,) NaN where unknown.
        requests_total: (n,) cumulative, resets allowed; None where there is none.
        limit_bytes: None where there is none.
        edges: (m+1,) rising.
    """
    known = np.isfinite(level_bytes) & (time_seconds >= edges[0]) & (time_seconds <= edges[-1])
    levels = np.full(len(edges) - 1, np.nan)
    count = counter(time_seconds, requests_total) if requests_total is not None and len(time_seconds) else None
    restarts: tuple[int, ...] = ()
    if known.any():
        series = Series(time_seconds[known], level_bytes[known])
        bins = bin_between(series, edges[1:-1])
        levels[_cell(edges, bins.time)] = bins.median
        restarts = tuple(np.unique(_cell(edges, _life_begins(reduce(series), count, limit_bytes))).tolist())
    rates = None if count is None else np.diff(count.at(edges)) / np.diff(edges)
    return Replica(levels, rates, restarts)


def _life_begins(series: Series, count: Counter | None, limit_bytes: float | None) -> FloatArray:
    """Seconds at which a new process took over: where its counter began anew, else where the level fell far below what
    it was (a start-up's dip, a kill at the limit)."""
    if count is not None and len(count.resets):
        return count.resets
    drops = find_drops(series)
    anew = drops.trough < STARTS_BELOW * drops.before
    if limit_bytes is not None:
        anew |= (drops.peak > 0.9 * limit_bytes) & (drops.before - drops.after > 0.25 * drops.before)
    begins: FloatArray = series.time[drops.row[anew]]
    return begins


def _cell(edges: FloatArray, time: FloatArray) -> NDArray[np.int64]:
    return np.clip(np.searchsorted(edges, time, side="right") - 1, 0, len(edges) - 2)


@dataclass(frozen=True, slots=True)
class Pooled:
    """The mean of a group, as a trace of its own.

    Attributes:
        time_seconds: (k,) moments that at least half of the replicas saw.
        columns: ``anon_bytes`` (whatever was measured), and ``requests_total`` where all replicas count requests.
        apart: (r,) bytes per second by which each replica rises faster than the mean, its lives' levels taken out; NaN
            where it has too few points.
    """

    time_seconds: FloatArray
    columns: dict[str, FloatArray]
    apart: FloatArray
    given_back: GivenBack | None = None

    def rise_with(self, slope: float) -> int:
        """How many replicas share a leak of so many bytes per second that was found in the mean.

        What the mean does besides (load, time of day) is in every replica and drops out.
        """
        return int(np.count_nonzero(slope + self.apart >= ROSE_WITH * slope))


def pool(time_seconds: FloatArray, replicas: Sequence[Replica]) -> Pooled:
    """The trimmed two-way mean of a group.

    Args:
        time_seconds: (m,) the shared grid, rising.
        replicas: at least one.

    Raises:
        ValueError: no replica, or one whose length is not the grid's.
    """
    if not replicas:
        raise ValueError("replicas is empty")
    if any(len(one.level_bytes) != len(time_seconds) for one in replicas):
        raise ValueError("a replica's level_bytes is not as long as time_seconds")
    levels = np.array([one.level_bytes for one in replicas])
    lives = np.array([_lives(one, len(time_seconds)) for one in replicas])
    seen = np.isfinite(levels)
    moments = seen.sum(axis=0) * 2 >= len(replicas)
    levels, lives, seen = levels[:, moments], lives[:, moments], seen[:, moments]
    if not moments.any():
        return Pooled(np.empty(0), {"anon_bytes": np.empty(0)}, np.full(len(replicas), np.nan))
    common = np.zeros(levels.shape[1])
    for _ in range(ROUNDS):
        offsets = _offsets(levels - common, lives)
        common = _trimmed_mean(levels - offsets)
    typical = median(np.nanmedian(levels, axis=1))
    columns = {"anon_bytes": common - median(common) + typical}
    rates = [one.request_rate for one in replicas]
    if all(rate is not None for rate in rates):
        mean_rate = _trimmed_mean(np.array([rate for rate in rates if rate is not None])[:, moments])
        width = np.diff(time_seconds[moments], prepend=time_seconds[moments][0])
        columns["requests_total"] = np.cumsum(np.nan_to_num(mean_rate) * width)
    beyond, time = levels - common, time_seconds[moments]
    return Pooled(time, columns, _apart(beyond, lives, time), given_back(time, beyond, lives))


def false_discoveries(probabilities: FloatArray, rate: float = 0.05) -> NDArray[np.bool_]:
    """Which findings may be claimed together so that the expected share of false ones stays under the rate.

    Args:
        probabilities: (n,) that each finding is true.

    Returns:
        (n,) the most probable ones, as long as the mean of their chances of being false is at most ``rate``. Source:
        Newton, Noueiry, Sarkar and Ahlquist, Biostatistics 5 (2004) 155, the direct posterior approach to the false
        discovery rate of Benjamini and Hochberg.
    """
    order = np.argsort(-probabilities, kind="stable")
    mean_false = np.cumsum(1.0 - probabilities[order]) / np.arange(1, len(order) + 1)
    claimed = np.zeros(len(order), dtype=bool)
    within = np.flatnonzero(mean_false <= rate)
    if within.size:
        claimed[order[: within[-1] + 1]] = True
    return claimed


def _lives(replica: Replica, cells: int) -> NDArray[np.int64]:
    """(m,) the number of the life that each cell belongs to."""
    begins = np.zeros(cells, dtype=np.int64)
    begins[[at for at in replica.restarts if 0 < at < cells]] = 1
    return np.cumsum(begins)


def _offsets(residuals: FloatArray, lives: NDArray[np.int64]) -> FloatArray:
    """(r, m) each life's own level: the median of what it has beyond the common course."""
    offsets = np.empty_like(residuals)
    for row, life, out in zip(residuals, lives, offsets, strict=True):
        for number in range(int(life[-1]) + 1):
            cells = life == number
            known = row[cells][np.isfinite(row[cells])]
            out[cells] = median(known) if known.size else 0.0
    return offsets


def _trimmed_mean(values: FloatArray) -> FloatArray:
    """(m,) mean over the replicas without the most extreme at either end; NaN are left out."""
    ordered = np.sort(values, axis=0)  # NaN last
    known = np.isfinite(ordered).sum(axis=0)
    cut = np.floor(TRIMMED * known)
    rank = np.arange(len(values))[:, None]
    kept = (rank >= cut) & (rank < known - cut)
    return np.asarray(np.where(kept, ordered, 0.0).sum(axis=0) / np.maximum(kept.sum(axis=0), 1))


def _apart(residuals: FloatArray, lives: NDArray[np.int64], time: FloatArray) -> FloatArray:
    """(r,) slopes of what each replica does beyond the mean."""
    return np.array([_slope(time, row, life) for row, life in zip(residuals, lives, strict=True)])


def _slope(time: FloatArray, level: FloatArray, life: NDArray[np.int64]) -> float:
    """Least squares over all lives together; NaN where no life has two points."""
    known = np.isfinite(level)
    x, y, life = time[known].copy(), level[known].copy(), life[known]
    for number in np.unique(life):
        cells = life == number
        x[cells] -= x[cells].mean()
        y[cells] -= y[cells].mean()
    spread = float(x @ x)
    return float(x @ y) / spread if spread > 0 else np.nan
