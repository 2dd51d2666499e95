"""A chunk's rows as traces, with the labels of each container."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from leakwatch.errors import LeakwatchError
from leakwatch.sample.datasets.chunks import KEY_COLUMNS, LABEL_COLUMNS, Piece
from leakwatch.sample.datasets.places import open_parquet
from leakwatch.sample.datasets.values import number_column, seconds_column
from leakwatch.trace import MEMORY_COLUMNS, FloatArray, Target, Trace

OTHER_COLUMNS = ("limit_bytes", "requests_total", "model_loads_total", "threads", "open_fds")

Labelled = tuple[dict[str, str], Trace]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole containers, and where their rows lie; ``keys`` of None are all that lie there."""

    number: int
    pieces: tuple[Piece, ...]
    keys: frozenset[tuple[str, ...]] | None

    def read(self) -> Iterator[Labelled | LeakwatchError]:
        """See `read_chunk`."""
        yield from read_chunk(self)


def read_chunk(chunk: Chunk) -> Iterator[Labelled | LeakwatchError]:
    """Each container of the chunk with its labels, or the error of a piece that could not be read."""
    tables = []
    for piece in chunk.pieces:
        if piece.row_groups is None:
            yield from _from_trace_file(piece)
            continue
        try:
            tables.append(_table(piece))
        except (OSError, ValueError) as error:  # pyarrow's errors are both
            line = str(error).splitlines()[0] if str(error) else type(error).__name__
            yield LeakwatchError(f"{piece.path}: {line}; the containers in it are left out")
    if tables:
        yield from _from_tables(tables, chunk)


def _from_trace_file(piece: Piece) -> Iterator[Labelled | LeakwatchError]:
    from leakwatch.sample.trace_files import read_traces

    try:
        for trace in read_traces(piece.path, one_of_many=True):
            yield labels_of_name(trace.target.container or piece.path), trace
    except LeakwatchError as error:
        yield error


def labels_of_name(name: str) -> dict[str, str]:
    """Labels of ``namespace/pod/container``, ``pod/container`` or a plain name."""
    parts = name.split("/")
    if len(parts) in (2, 3) and all(parts):
        return dict(zip(KEY_COLUMNS[-len(parts) :], parts, strict=True))
    return {"container": name}


def _table(piece: Piece) -> Any:
    with open_parquet(piece.path) as opened:
        names = opened.schema_arrow.names
        wanted = ["timestamp", *LABEL_COLUMNS, *MEMORY_COLUMNS, *OTHER_COLUMNS]
        wanted += [name for name in names if name.startswith(("requests_total:", "model_loads_total:"))]
        return opened.read_row_groups(list(piece.row_groups or ()), columns=[n for n in wanted if n in names])


def _from_tables(tables: list[Any], chunk: Chunk) -> Iterator[Labelled]:
    import pyarrow as pa

    table = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    keys = [name for name in KEY_COLUMNS if name in table.column_names]
    codes, names = _coded(table, keys)
    time = seconds_column(_array(table, "timestamp"))
    order = np.lexsort((time, codes))
    codes, time = codes[order], time[order]
    usable = np.isfinite(time)
    first = np.concatenate([[True], (np.diff(codes) != 0) | (np.diff(time) > 0)]) if len(time) else usable
    kept = usable & first  # of rows at one moment the first is kept
    numbers = {
        name: number_column(_array(table, name))[order][kept]
        for name in table.column_names
        if name != "timestamp" and name not in LABEL_COLUMNS
    }
    labels = {name: _array(table, name) for name in table.column_names if name in LABEL_COLUMNS}
    rows = order[kept]
    dropped = np.bincount(codes[~kept], minlength=len(names)) if len(codes) else np.zeros(len(names), dtype=int)
    codes, time = codes[kept], time[kept]
    bounds = np.searchsorted(codes, np.arange(len(names) + 1))
    for code, key in enumerate(names):
        part = slice(bounds[code], bounds[code + 1])
        if part.start == part.stop or chunk.keys is not None and key not in chunk.keys:
            continue
        of = {name: labels[name][int(rows[part.start])].as_py() for name in labels}
        columns = {name: column[part] for name, column in numbers.items() if np.isfinite(column[part]).any()}
        known = {name: str(value) for name, value in of.items() if value is not None}
        yield known, _trace(chunk, known, time[part], columns, int(dropped[code]))


def _coded(table: Any, keys: list[str]) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """(n,) the number of each row's container, and the containers' keys by number."""
    codes = np.zeros(table.num_rows, dtype=np.int64)
    names: list[tuple[str, ...]] = [()]
    for name in keys:
        encoded = _array(table, name).dictionary_encode()
        values = ["" if value is None else str(value) for value in encoded.dictionary.to_pylist()] + [""]
        own = encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False).astype(np.int64)
        combined, codes = np.unique(codes * len(values) + own, return_inverse=True)
        names = [(*names[both // len(values)], values[both % len(values)]) for both in combined.tolist()]
    return codes, names


def _array(table: Any, name: str) -> Any:
    chunked = table.column(name)
    return chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()


def _trace(
    chunk: Chunk, labels: dict[str, str], time: FloatArray, columns: dict[str, FloatArray], dropped: int
) -> Trace:
    limit = columns.pop("limit_bytes", None)
    stated = limit[np.isfinite(limit) & (limit > 0)] if limit is not None else np.empty(0)
    if limit is not None and stated.size and np.ptp(stated) > 0:
        columns["limit_bytes"] = limit
    name = "/".join(labels[part] for part in KEY_COLUMNS if part in labels)
    target = Target(chunk.pieces[0].path, name or None)
    return Trace(target, time, columns, float(stated[-1]) if stated.size else None, dropped)
