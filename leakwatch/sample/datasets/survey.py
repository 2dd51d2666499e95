"""Which container lies where: from the footers of Parquet files and their key columns alone, without the numbers."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from leakwatch.errors import LeakwatchError
from leakwatch.sample.datasets.chunks import KEY_COLUMNS, Dataset, Piece
from leakwatch.sample.datasets.places import FoundFile, find_files, open_parquet
from leakwatch.sample.datasets.read import Chunk
from leakwatch.sample.datasets.values import seconds_of

CONTAINERS_A_CHUNK = 100
"""A container takes some 10 ms to judge, so that a chunk lasts about a second."""

CSV_FILES_A_CHUNK = 50
MOST_READS_OF_A_PIECE = 4
"""A row group that holds many containers is read once a chunk: chunks grow rather than read it more often."""

Key = tuple[str, ...]


def survey(paths: Sequence[str]) -> Dataset:
    """Split the files under ``paths`` into chunks of whole containers.

    Raises:
        LeakwatchError: nothing is there, or nothing of it can be read.
    """
    files = [file for path in paths for file in find_files(path)]
    holders: dict[Key, list[tuple[str, int]]] = defaultdict(list)
    times: list[float] = []
    unreadable: list[str] = []
    for file in files:
        if not file.is_parquet:
            continue
        try:
            for group, keys, seen in _row_groups(file.path):
                times += seen
                for key in keys:
                    holders[key].append((file.path, group))
        except (OSError, ValueError, KeyError, LeakwatchError) as error:
            unreadable.append(f"{file.path}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
    chunks = [*_of_parquet(holders), *_of_csv([file.path for file in files if not file.is_parquet])]
    if not chunks:
        first = unreadable[0] if unreadable else f"{paths[0]}: no container is in it"
        raise LeakwatchError(f"{first}; name Parquet or CSV files with timestamp, container and a memory column")
    only_parquet = all(file.is_parquet for file in files)
    return Dataset(
        chunks=tuple(Chunk(number, pieces, keys) for number, (pieces, keys) in enumerate(chunks)),
        containers=len(holders) if only_parquet else None,
        start_seconds=min(times) if times else None,
        end_seconds=max(times) if times else None,
        unreadable=tuple(unreadable),
        fingerprint=_fingerprint(files),
    )


def _row_groups(path: str) -> Iterator[tuple[int, set[Key], list[float]]]:
    """For each row group: its number, the containers in it, its first and last time (empty: no statistics)."""
    with open_parquet(path) as opened:
        names = opened.schema_arrow.names
        keys = [name for name in KEY_COLUMNS if name in names]
        if "timestamp" not in names or not keys:
            missing = "timestamp" if "timestamp" not in names else "container"
            raise LeakwatchError(f"no column {missing}")
        kind = opened.schema_arrow.field("timestamp").type
        metadata = opened.metadata
        columns = {metadata.schema.column(i).path: i for i in range(metadata.num_columns)}
        for group in range(metadata.num_row_groups):
            described = metadata.row_group(group)
            times = _bounds(described.column(columns["timestamp"]))
            bounds = [_bounds(described.column(columns[name])) for name in keys]
            if all(pair is not None and pair[0] == pair[1] for pair in bounds):
                found = {tuple(str(pair[0]) for pair in bounds if pair is not None)}
            else:
                table = opened.read_row_group(group, columns=keys)
                found = _distinct(table, keys)
            yield group, found, [seconds_of(time, kind) for time in times] if times is not None else []


def _bounds(column: Any) -> tuple[Any, Any] | None:
    statistics = column.statistics
    return (statistics.min, statistics.max) if statistics is not None and statistics.has_min_max else None


def _distinct(table: Any, keys: Sequence[str]) -> set[Key]:
    rows = table.group_by(list(keys)).aggregate([])
    columns = [rows.column(name).to_pylist() for name in keys]
    return {tuple("" if part is None else str(part) for part in row) for row in zip(*columns, strict=True)}


def _of_parquet(holders: dict[Key, list[tuple[str, int]]]) -> Iterator[tuple[tuple[Piece, ...], frozenset[Key]]]:
    """Containers that lie in the same row groups together, cut into chunks."""
    together: dict[tuple[tuple[str, int], ...], list[Key]] = defaultdict(list)
    for key, where in holders.items():
        together[tuple(where)].append(key)
    waiting: list[Key] = []
    places: dict[tuple[str, int], None] = {}
    for places_of_keys, keys in together.items():
        size = max(CONTAINERS_A_CHUNK, -(-len(keys) // MOST_READS_OF_A_PIECE))
        if len(keys) >= CONTAINERS_A_CHUNK:
            for at in range(0, len(keys), size):
                yield _pieces(places_of_keys), frozenset(keys[at : at + size])
            continue
        if waiting and len(waiting) + len(keys) > CONTAINERS_A_CHUNK:
            yield _pieces(places), frozenset(waiting)
            waiting, places = [], {}
        waiting += keys
        places |= dict.fromkeys(places_of_keys)
    if waiting:
        yield _pieces(places), frozenset(waiting)


def _pieces(where: Any) -> tuple[Piece, ...]:
    by_file: dict[str, list[int]] = defaultdict(list)
    for path, group in where:
        by_file[path].append(group)
    return tuple(Piece(path, tuple(sorted(groups))) for path, groups in by_file.items())


def _of_csv(paths: list[str]) -> Iterator[tuple[tuple[Piece, ...], None]]:
    for at in range(0, len(paths), CSV_FILES_A_CHUNK):
        yield tuple(Piece(path, None) for path in paths[at : at + CSV_FILES_A_CHUNK]), None


def _fingerprint(files: Sequence[FoundFile]) -> str:
    text = "\n".join(f"{file.path} {file.size_bytes}" for file in files)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
