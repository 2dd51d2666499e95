"""The native CSV (contracts.md section 1): a header, a ``timestamp``, at least one memory column, one row a sample.

A long clean file is read by pyarrow in columns. Whatever pyarrow declines, and every file of which a row has to be
dropped, is read row by row with the csv module, where line numbers are known.
"""

import csv
import math
from dataclasses import replace

from leakwatch.quantities import parse_time, shown
from leakwatch.sample.trace_files.archive import TraceFile
from leakwatch.sample.trace_files.native_header import UNKNOWN_CELLS, Header, find_header
from leakwatch.sample.trace_files.rows import Rejected, RowCollector, Rows, to_traces
from leakwatch.trace import Trace


def read(file: TraceFile) -> list[Trace]:
    """The traces of a native CSV.

    Raises:
        TraceError: no header, no timestamp, no memory column, not UTF-8.
    """
    header = find_header(file)
    if file.is_large:
        from leakwatch.sample.trace_files.native_columns import read_columns  # loads pyarrow

        rows = read_columns(file, header)
        traces = to_traces(file.source, rows) if rows else []
        if traces and not any(trace.dropped_rows for trace in traces):
            return traces
    return to_traces(file.source, read_rows(file, header))


def read_rows(file: TraceFile, header: Header) -> Rows:
    """Row by row: slow, and bears any dirt.

    Raises:
        TraceError: not UTF-8.
    """
    names, places = list(header.columns), list(header.columns.values())
    textual: set[int] = set()  # unknown columns with a cell that is no number: they are ignored
    unknown = [(i, place) for i, (name, place) in enumerate(header.columns.items()) if not header.is_known(name)]
    collector = RowCollector(names)
    for number, line in file.lines():
        if number <= header.line or not line.strip():
            continue
        try:
            cells = next(csv.reader((line,)))
        except csv.Error as error:
            collector.reject(number, f"not CSV ({error})")
            continue
        if len(cells) != header.width:
            if len(cells) < header.width:
                # The last cell of a row cut short may itself be cut, so nothing of it is believed.
                whole = header.container_at is not None and header.container_at < len(cells) - 1
                name = cells[header.container_at or 0].strip() if whole else None
                collector.reject(number, f"row cut short: {len(cells)} of {header.width} cells", name)
                continue
            if any(cells[header.width :]):
                collector.reject(number, f"{len(cells)} cells where the header has {header.width}")
                continue
        name = cells[header.container_at].strip() or None if header.container_at is not None else None
        try:
            time_seconds = parse_time(cells[header.time_at])
        except ValueError:
            collector.reject(number, f"timestamp {shown(cells[header.time_at])} is no time", name)
            continue
        try:
            values = [float(cells[place]) for place in places]
        except ValueError:
            values = [_number(cells[place]) for place in places]
            textual.update(i for i, place in unknown if _is_text(cells[place]))
        collector.add(number, time_seconds, values, name)
    rows = collector.rows()
    ignored = {names[i] for i in textual}
    columns = {name: values for name, values in rows.columns.items() if name not in ignored}
    return _assigned(replace(rows, columns=columns))


def _assigned(rows: Rows) -> Rows:
    """Without the rows that name no container in a file where others do."""
    if None not in rows.names or len(rows.names) == 1:
        return rows
    nameless = rows.names.index(None)
    kept = rows.series != nameless
    series = rows.series[kept]
    return replace(
        rows,
        time_seconds=rows.time_seconds[kept],
        columns={name: values[kept] for name, values in rows.columns.items()},
        lines=rows.lines[kept],
        series=series - (series > nameless),
        names=[name for name in rows.names if name is not None],
        rejected=[*rows.rejected, *(Rejected(int(line), "no container name") for line in rows.lines[~kept])],
    )


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _is_text(cell: str) -> bool:
    return math.isnan(_number(cell)) and cell.strip() not in UNKNOWN_CELLS
