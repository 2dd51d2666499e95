"""Series with labels, as Prometheus keeps them, joined into containers: one time axis, a column a metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leakwatch.errors import TraceError
from leakwatch.quantities import shown
from leakwatch.sample.trace_files.metrics import MEMORY_METRICS, all_labels, column_of, container_of
from leakwatch.sample.trace_files.rows import IntArray, Rejected, Rows, to_traces
from leakwatch.trace import MEMORY_COLUMNS, FloatArray, Trace


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one metric under one set of labels, in file order; ``metric`` is empty where a query lost it."""

    metric: str
    labels: Mapping[str, str]
    time_seconds: FloatArray
    values: FloatArray
    lines: IntArray


def join(source: str, series: Sequence[Series], rejected: Sequence[Rejected] = ()) -> list[Trace]:
    """One trace a container; a data row is a moment at which the container has a point.

    Points of one series at one moment are one row too many each, and are counted as dropped.

    Raises:
        TraceError: there are series, and none of them measures memory.
    """
    notes: tuple[str, ...] = ()
    if series and not any(each.metric for each in series):
        # sum(...), max(...) and the like drop the name; who brings such a file to us asked for memory.
        notes = ("the series have no metric name, read as working_set_bytes",)
        mapped = [("working_set_bytes", each) for each in series]
    else:
        named = ((column_of(each.metric, each.labels), each) for each in series)
        mapped = [(column, each) for column, each in named if column is not None]
    if series and not any(column in MEMORY_COLUMNS for column, _ in mapped):
        raise no_memory(source, sorted({each.metric for each in series if each.metric}))
    return to_traces(source, joined(mapped, rejected, notes))


def no_memory(source: str, found: Sequence[str]) -> TraceError:
    """The error of a file whose series measure something else."""
    some = ", ".join(shown(name, 60) for name in found[:8]) + (", ..." if len(found) > 8 else "")
    fix = "query one of " + ", ".join(name for name, column in MEMORY_METRICS.items() if column in MEMORY_COLUMNS)
    return TraceError(source, f"no memory metric among {some or 'none'}", fix)


def joined(
    mapped: Sequence[tuple[str, Series]], rejected: Sequence[Rejected] = (), notes: tuple[str, ...] = ()
) -> Rows:
    """The rows of all containers, from series and the column that each fills.

    Series belong to one container where their pod and container (else their name, id or instance) agree.
    """
    containers = _containers(mapped)
    names = sorted({column for group in containers.values() for column, _ in group})
    dropped, axes, lines, tables = list(rejected), [], [], []
    for container, group in containers.items():
        axis, first = np.unique(np.concatenate([each.time_seconds for _, each in group]), return_index=True)
        table = {name: np.full(len(axis), np.nan) for name in names}
        for column, series in group:
            times, kept = np.unique(series.time_seconds, return_index=True)
            again = np.setdiff1d(np.arange(len(series.time_seconds)), kept)
            dropped += [Rejected(int(line), "timestamp repeats", container) for line in series.lines[again]]
            at = np.searchsorted(axis, times)
            before = table[column][at] if _is_summed(column) else np.nan
            table[column][at] = np.where(np.isnan(before), series.values[kept], before + series.values[kept])
        axes.append(axis)
        lines.append(np.concatenate([each.lines for _, each in group])[first])
        tables.append(table)
    empty = np.array([], dtype=np.float64)
    return Rows(
        np.concatenate([empty, *axes]),
        {name: np.concatenate([table[name] for table in tables]) for name in names} or {"working_set_bytes": empty},
        np.concatenate([empty.astype(np.int64), *lines]),
        np.repeat(np.arange(len(axes)), [len(axis) for axis in axes]).astype(np.int64),
        list(containers) or [None],
        dropped,
        notes,
    )


def _containers(mapped: Sequence[tuple[str, Series]]) -> dict[str | None, list[tuple[str, Series]]]:
    """Columns and series by container, only containers with memory; a limit without labels holds for all of them."""
    groups: dict[str | None, list[tuple[str, Series]]] = {}
    for column, series in mapped:
        groups.setdefault(container_of(series.labels), []).append((column, series))
    apart: dict[str | None, list[tuple[str, Series]]] = {}
    for name, group in groups.items():
        if _collide(group):
            for column, series in group:
                apart.setdefault(all_labels(series.labels), []).append((column, series))
        else:
            apart[name] = group
    measured = {name: group for name, group in apart.items() if any(column in MEMORY_COLUMNS for column, _ in group)}
    if len(measured) == 1:
        # The only container: a limit or a request count whose labels name it otherwise (or not at all) is its own.
        (group,) = measured.values()
        taken = {column for column, _ in group}
        group += [
            each for name, other in apart.items() if name not in measured for each in other if each[0] not in taken
        ]
    for group in measured.values():
        if not any(column == "limit_bytes" for column, _ in group):
            group += [(column, each) for column, each in mapped if column == "limit_bytes" and not each.labels]
    return measured


def _collide(group: Sequence[tuple[str, Series]]) -> bool:
    """Whether two series of one gauge overlap in time; successors (a restarted container's new id) do not."""
    spans = sorted(
        (column, float(series.time_seconds.min()), float(series.time_seconds.max()))
        for column, series in group
        if len(series.time_seconds) and not _is_summed(column)
    )
    return any(a[0] == b[0] and b[1] <= a[2] for a, b in zip(spans, spans[1:], strict=False))


def _is_summed(column: str) -> bool:
    """Request counts come in parts (by status, by version) that add up."""
    return column.startswith("requests_total")
