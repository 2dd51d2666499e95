"""Data rows in, traces out: the rules for dirt are here, and no format has others.

A memory value or counter that is negative or infinite is an unknown cell. A row is dropped where its time is unknown,
where no memory value is left, or where its time does not rise; every dropped row is counted.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leakwatch.quantities import LATEST_TIME
from leakwatch.trace import MEMORY_COLUMNS, DroppedRow, FloatArray, Target, Trace

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

COUNTERS = ("requests_total", "model_loads_total")
"""Cumulative counts; each may also stand once a model, as ``requests_total:MODEL``."""

GAUGES = ("threads", "open_fds")

NO_LIMIT_FROM = 2.0**62
"""A limit this large is none: cgroup v1 writes 0x7FFFFFFFFFFFF000 (PAGE_COUNTER_MAX, kernel mm/page_counter.c)."""

OUT_OF_ORDER = "most times repeat or go back: sort the rows by time, and tell containers apart by a column `container`"

LARGEST_MEMORY = 2.0**63
"""The kernel counts memory in signed 64-bit bytes; a larger cell is dirt."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A data row that could not be read: its line, why, and the series where it is known."""

    line: int
    reason: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Data rows in the order of the file, a column each.

    Attributes:
        time_seconds: (n,) NaN where unknown.
        columns: (n,) each, NaN where unknown.
        lines: (n,) 1-based line numbers.
        series: (n,) indices into ``names``.
        names: the series' names; None for the only, unnamed one.
        rejected: rows that are not among the n.
        notes: what the reader assumed.
    """

    time_seconds: FloatArray
    columns: Mapping[str, FloatArray]
    lines: IntArray
    series: IntArray
    names: Sequence[str | None]
    rejected: Sequence[Rejected] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class RowCollector:
    """Rows as a format that is read line by line meets them; it holds 8 bytes a cell."""

    columns: Sequence[str]
    rejected: list[Rejected] = field(default_factory=list)
    _times: "array[float]" = field(default_factory=lambda: array("d"))
    _cells: "array[float]" = field(default_factory=lambda: array("d"))
    _lines: "array[int]" = field(default_factory=lambda: array("q"))
    _series: "array[int]" = field(default_factory=lambda: array("q"))
    _names: dict[str | None, int] = field(default_factory=dict)

    def add(self, line: int, time_seconds: float, values: Sequence[float], name: str | None = None) -> None:
        """Keep a row; ``values`` are those of ``columns``, NaN where unknown."""
        self._lines.append(line)
        self._times.append(time_seconds)
        self._cells.extend(values)
        self._series.append(self._names.setdefault(name, len(self._names)))

    def reject(self, line: int, reason: str, name: str | None = None) -> None:
        """Count a row that cannot be read; without a known name it counts with the first series."""
        self.rejected.append(Rejected(line, reason, name))

    def rows(self, notes: tuple[str, ...] = ()) -> Rows:
        """Everything collected; no series at all is one unnamed series without rows."""
        cells = np.frombuffer(self._cells).reshape(len(self._times), len(self.columns)) if self._cells else None
        return Rows(
            np.array(self._times),
            {name: np.array([]) if cells is None else cells[:, i].copy() for i, name in enumerate(self.columns)},
            np.array(self._lines, dtype=np.int64),
            np.array(self._series, dtype=np.int64),
            list(self._names) or [None],
            self.rejected,
            notes,
        )


def to_traces(source: str, rows: Rows) -> list[Trace]:
    """One trace a series, in the order in which the series first appear."""
    columns = {name: _without_impossible(name, values) for name, values in rows.columns.items()}
    rejected: dict[str | None, list[Rejected]] = {name: [] for name in rows.names}
    for row in rows.rejected:
        rejected.get(row.name, rejected[rows.names[0]]).append(row)
    if len(rows.names) == 1:
        return [
            _trace(Target(source, rows.names[0]), rows.time_seconds, columns, rows, rows.lines, rejected[rows.names[0]])
        ]
    # One stable sort gives every series its rows in file order, however many series there are.
    order = np.argsort(rows.series, kind="stable")
    bounds = np.searchsorted(rows.series[order], np.arange(len(rows.names) + 1))
    traces = []
    for i, name in enumerate(rows.names):
        of = order[bounds[i] : bounds[i + 1]]
        part = {column: values[of] for column, values in columns.items()}
        traces.append(_trace(Target(source, name), rows.time_seconds[of], part, rows, rows.lines[of], rejected[name]))
    return traces


def _without_impossible(name: str, values: FloatArray) -> FloatArray:
    """The column with NaN in place of what cannot have been measured."""
    possible = np.isfinite(values)
    if name in MEMORY_COLUMNS:
        possible &= (values >= 0) & (values < LARGEST_MEMORY)
    elif name == "limit_bytes":
        possible &= (values >= 1.0) & (values < NO_LIMIT_FROM)
    elif name in GAUGES or name.partition(":")[0] in COUNTERS:
        possible &= values >= 0
    return values if possible.all() else np.where(possible, values, np.nan)


def _trace(
    target: Target,
    time_seconds: FloatArray,
    columns: Mapping[str, FloatArray],
    rows: Rows,
    lines: IntArray,
    rejected: Sequence[Rejected],
) -> Trace:
    timed = np.isfinite(time_seconds) & (time_seconds >= 0) & (time_seconds < LATEST_TIME)
    measured = np.zeros(len(time_seconds), dtype=bool)
    for name in MEMORY_COLUMNS:
        if name in columns:
            measured |= np.isfinite(columns[name])
    usable = timed & measured
    rising = usable.copy()
    rising[usable] = _rising(time_seconds[usable])
    dropped = list(rejected)
    for kept, before, reason in (
        (timed, np.ones_like(timed), "no time from 1970 to 9999"),
        (measured, timed, "no memory value"),
        (rising, usable, "timestamp repeats or goes back"),
    ):
        dropped += [Rejected(int(line), reason) for line in lines[before & ~kept]]
    dropped.sort(key=lambda row: row.line)
    limits = columns["limit_bytes"][usable] if "limit_bytes" in columns else np.array([])
    limits = limits[np.isfinite(limits)]
    kept_columns = {}
    for name, values in columns.items():
        known = values if rising.all() else values[rising]
        constant_limit = name == "limit_bytes" and (limits == limits[:1]).all()
        if not constant_limit and (not len(known) or not np.isnan(known).all()):
            kept_columns[name] = _read_only(known)
    return Trace(
        target,
        _read_only(time_seconds if rising.all() else time_seconds[rising]),
        kept_columns,
        limit_bytes=float(limits[-1]) if len(limits) else None,
        dropped_rows=len(dropped),
        dropped=tuple(DroppedRow(row.line, row.reason) for row in dropped[:3]),
        notes=(*rows.notes, *((OUT_OF_ORDER,) if rising.sum() < usable.sum() / 2 else ())),
    )


def _rising(time_seconds: FloatArray) -> BoolArray:
    """Which of the times to keep so that they rise strictly: of two that do not, the one that came first.

    Where that would cost more rows than the other way round (one stamp far in the future would make every later row
    "go back"), it is the stamps ahead of their followers that go.
    """
    if not len(time_seconds):
        return np.ones(0, dtype=bool)
    forward = np.ones(len(time_seconds), dtype=bool)
    forward[1:] = time_seconds[1:] > np.maximum.accumulate(time_seconds)[:-1]
    if forward.all():
        return forward
    backward = np.ones(len(time_seconds), dtype=bool)
    backward[:-1] = time_seconds[:-1] < np.minimum.accumulate(time_seconds[::-1])[::-1][1:]
    return backward if backward.sum() > forward.sum() else forward


def _read_only(values: FloatArray) -> FloatArray:
    values = np.ascontiguousarray(values, dtype=np.float64)
    values.setflags(write=False)
    return values
