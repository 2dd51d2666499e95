"""The quick way through a long clean native CSV: pyarrow's own reader, a column at a time."""

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from leakwatch.quantities import MILLISECONDS_FROM, parse_time
from leakwatch.sample.trace_files.archive import TraceFile
from leakwatch.sample.trace_files.native_header import UNKNOWN_CELLS, Header
from leakwatch.sample.trace_files.rows import Rows
from leakwatch.trace import FloatArray

TIME_TYPES = (pa.float64(), pa.timestamp("ns", tz="UTC"), pa.string())
"""Tried in this order: Unix times, RFC 3339 with an offset, and whatever else parse_time knows."""


def read_columns(file: TraceFile, header: Header) -> Rows | None:
    """The rows, with 0 for every line number; None where a row or a cell is not as the header promises."""
    for time_type in TIME_TYPES:
        try:
            return _rows(_table(file, header, time_type), header)
        except (pa.ArrowInvalid, ValueError):
            continue
    return None


def _table(file: TraceFile, header: Header, time_type: pa.DataType) -> pa.Table:
    # Columns go by their place, for two of them may bear one name; the types of unknown ones are inferred.
    types = {str(i): pa.float64() for name, i in header.columns.items() if header.is_known(name)}
    types[str(header.time_at)] = time_type
    if header.container_at is not None:
        types[str(header.container_at)] = pa.dictionary(pa.int32(), pa.string())
    return arrow_csv.read_csv(
        file.open(),
        read_options=arrow_csv.ReadOptions(column_names=[str(i) for i in range(header.width)], skip_rows=header.line),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types,
            include_columns=list({*types, *(str(i) for i in header.columns.values())}),
            null_values=UNKNOWN_CELLS,
        ),
    )


def _rows(table: pa.Table, header: Header) -> Rows:
    seconds = _seconds(table.column(str(header.time_at)))
    columns = {}
    for name, i in header.columns.items():
        column = table.column(str(i))
        if pa.types.is_binary(column.type):
            raise ValueError("text that is not UTF-8")
        if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            columns[name] = _numbers(column)
    series, names = np.zeros(len(seconds), dtype=np.int64), [None]
    if header.container_at is not None:
        containers = table.column(str(header.container_at)).unify_dictionaries().combine_chunks()
        series, names = _numbers(containers.indices).astype(np.int64), containers.dictionary.to_pylist()
        if any(name != name.strip() or not name for name in names):
            raise ValueError("a row without a container's name")
    return Rows(seconds, columns, np.zeros(len(seconds), dtype=np.int64), series, names)


def _seconds(times: pa.ChunkedArray) -> FloatArray:
    if pa.types.is_timestamp(times.type):
        return _numbers(times) / 1e9
    if pa.types.is_string(times.type):
        return np.array([parse_time(text) for text in times.to_pylist()])
    numbers = _numbers(times)
    return np.where(numbers >= MILLISECONDS_FROM, numbers / 1000.0, numbers)


def _numbers(column: "pa.ChunkedArray | pa.Array") -> FloatArray:
    """The values as float64, NaN where null, by Arrow's columnar layout (a bitmap and the values; offset in both).

    Arrow's own to_numpy imports pandas wherever that is installed, which takes longer than the whole analysis.
    """
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    known, values = whole.buffers()
    kind = np.dtype(f"{'f' if pa.types.is_floating(whole.type) else 'i'}{whole.type.bit_width // 8}")
    if not len(whole):
        return np.empty(0)
    numbers = np.frombuffer(values, kind, len(whole), whole.offset * kind.itemsize).astype(np.float64, copy=False)
    if not whole.null_count:
        return numbers
    bits = np.unpackbits(np.frombuffer(known, np.uint8), bitorder="little")[whole.offset : whole.offset + len(whole)]
    return np.where(bits, numbers, np.nan)
