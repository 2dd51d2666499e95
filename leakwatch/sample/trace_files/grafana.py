"""A panel's data as Grafana exports it with "Series joined by time": a time, then a column a series.

https://grafana.com/docs/grafana/latest/panels-visualizations/panel-inspector/
"""

import csv
import math
from dataclasses import replace

import numpy as np

from leakwatch.errors import TraceError
from leakwatch.quantities import parse_size, parse_time, shown
from leakwatch.sample.exposition import parse_series
from leakwatch.sample.trace_files.archive import TraceFile
from leakwatch.sample.trace_files.labelled import Series, joined, no_memory
from leakwatch.sample.trace_files.metrics import column_of
from leakwatch.sample.trace_files.recognise import GRAFANA_HEADER
from leakwatch.sample.trace_files.rows import COUNTERS, GAUGES, RowCollector, Rows, to_traces
from leakwatch.trace import MEMORY_COLUMNS, Trace

SHORT_UNITS = {"Mil": "M", "Bil": "G", "Tri": "T"}
"""Grafana's unit "short" counts in thousands, millions, billions and trillions."""

LEGENDS = {
    **{name: name for name in (*MEMORY_COLUMNS, *COUNTERS, *GAUGES, "limit_bytes")},
    **{name.removesuffix("_bytes"): name for name in MEMORY_COLUMNS},
    **dict.fromkeys(("limit", "limits", "memory limit", "memory limits", "quota - limits"), "limit_bytes"),
    "cache": "file_bytes",
    "page cache": "file_bytes",
    # Beside "limits" the Kubernetes dashboards draw the memory that the pod asked for, which measures nothing.
    **dict.fromkeys(("requests", "quota - requests"), ""),
}
"""Legends that name a column and not a container."""

ASSUMED = "the series' names do not say which memory they measure, read as working_set_bytes"


def read(file: TraceFile) -> list[Trace]:
    """The traces of a panel; every line is a row of every container.

    Raises:
        TraceError: no header, no series of memory, not UTF-8.
    """
    separator, names, collector = ",", None, RowCollector(())
    for number, line in file.lines():
        if not line.strip() or names is None and line.lower().startswith("sep="):
            continue
        if names is None:
            header = GRAFANA_HEADER.match(line)
            if header is None:
                raise TraceError(
                    file.source,
                    f"no Time column at the start of {shown(line)}",
                    "export the panel's data again",
                    number,
                )
            separator = header.group(1)
            names = next(csv.reader((line,), delimiter=separator))[1:]
            collector = RowCollector([str(i) for i in range(len(names))])
            continue
        try:
            cells = next(csv.reader((line,), delimiter=separator))
        except csv.Error as error:
            collector.reject(number, f"not CSV ({error})")
            continue
        if len(cells) != len(names) + 1:
            collector.reject(number, f"{len(cells)} cells where the header has {len(names) + 1}")
            continue
        try:
            time_seconds = parse_time(cells[0])
        except ValueError:
            collector.reject(number, f"time {shown(cells[0])} is no time")
            continue
        collector.add(number, time_seconds, [_value(cell) for cell in cells[1:]])
    if names is None:
        raise TraceError(file.source, "no header", "export the panel's data again")
    return _traces(file.source, names, collector.rows())


def _traces(source: str, names: list[str], rows: Rows) -> list[Trace]:
    mapped, assumed = [], False
    # Joined by the rows' ordinals, which unlike their times neither repeat nor go back.
    ordinals = np.arange(len(rows.lines), dtype=np.float64)
    for i, name in enumerate(names):
        column, labels = _meaning(name)
        assumed |= column is None
        if column != "":
            series = Series(name, labels, ordinals, rows.columns[str(i)], rows.lines)
            mapped.append((column or "working_set_bytes", series))
    if not any(column in MEMORY_COLUMNS for column, _ in mapped):
        raise no_memory(source, names)
    table = joined(mapped, rows.rejected, (ASSUMED,) * assumed)
    return to_traces(source, replace(table, time_seconds=rows.time_seconds[table.time_seconds.astype(np.int64)]))


def _meaning(name: str) -> tuple[str | None, dict[str, str]]:
    """The column that a series fills (None: memory, but which is not said; empty: none) and its labels."""
    legend = LEGENDS.get(" ".join(name.lower().split()).replace("working set", "working_set"))
    if legend is not None:
        return legend, {}
    series = parse_series(name)
    if series is None or series == (name.strip(), {}) and column_of(*series) is None:
        return None, {"name": name}  # a plain name, such as the legend {{container}} gives
    metric, labels = series
    return (column_of(metric, labels) or "") if metric else None, labels


def _value(cell: str) -> float:
    """A number, or a size with its unit; NaN for an empty cell, "null", "undefined" or anything else."""
    try:
        return float(cell)
    except ValueError:
        number, _, unit = cell.strip().partition(" ")
        try:
            return parse_size(number + SHORT_UNITS.get(unit, unit))
        except ValueError:
            return math.nan
