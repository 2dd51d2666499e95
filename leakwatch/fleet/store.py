"""Results on disk as they come: one Parquet part a chunk, so that a run that was cut off goes on where it stopped."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detectors.types import Answer, FloatArray, Forecast, Shape, Trend
from leakwatch.errors import LeakwatchError
from leakwatch.members import Grid, Judged

PLAN = "plan.json"
NUMBERS = ("samples", "start_seconds", "end_seconds", "confidence", "probability", "onset", "limit_bytes", "last_bytes")


class Store:
    """A folder of results: ``plan.json`` says of what, ``part-000017.parquet`` holds chunk 17.

    Args:
        folder: made where it is missing.
        plan: what the results are of and how they were judged; what is already there has to be of the same.
        resume: whether what is already there is kept.

    Raises:
        LeakwatchError: the folder holds results and ``resume`` is off, or they are of something else.
    """

    def __init__(self, folder: str, plan: dict[str, Any], *, resume: bool) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        there = self.folder / PLAN
        if there.exists():
            if not resume:
                raise LeakwatchError(f"{folder}: results are there already; --resume them, or name another folder")
            if json.loads(there.read_text()) != plan:
                what = "these results are of other data, or were judged in another way"
                raise LeakwatchError(f"{folder}: {what}; name another folder")
        else:
            _replace(there, json.dumps(plan, indent=1).encode())

    def done(self) -> set[int]:
        """The numbers of the chunks that are there, whole."""
        return {int(path.stem.partition("-")[2]) for path in self.folder.glob("part-*.parquet")}

    def write(self, number: int, judged: Sequence[Judged], errors: Sequence[str]) -> None:
        """One chunk's containers; whole or not at all, whenever we are killed."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = _table(judged).replace_schema_metadata({"errors": json.dumps(list(errors))})
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        _replace(self.folder / f"part-{number:06}.parquet", sink.getvalue().to_pybytes())

    def read(self) -> Iterator[Judged]:
        """Every container that is there, chunk after chunk."""
        yield from read_results(str(self.folder))

    def errors(self) -> list[str]:
        """What could not be read, chunk after chunk."""
        import pyarrow.parquet as pq

        found: list[str] = []
        for path in sorted(self.folder.glob("part-*.parquet")):
            found += json.loads((pq.read_schema(path).metadata or {}).get(b"errors", b"[]"))
        return found


def read_results(folder: str) -> Iterator[Judged]:
    """The containers of a folder of results.

    Raises:
        LeakwatchError: there are none.
    """
    import pyarrow.parquet as pq

    parts = sorted(Path(folder).glob("part-*.parquet"))
    if not parts:
        raise LeakwatchError(f"{folder}: no results are there; make some with leakwatch fleet ... --results {folder}")
    for path in parts:
        table = pq.read_table(path)
        levels, rates = _rows_of(table.column("levels")), _rows_of(table.column("request_rates"))
        rest = table.drop_columns(["levels", "request_rates"]).to_pylist()
        for row, level, rate in zip(rest, levels, rates, strict=True):
            yield _judged(row, np.empty(0, dtype=np.float32) if level is None else level, rate)


def grid_of(folder: str) -> Grid | None:
    """The grid that a folder's results are on; None where none was known, or there are none."""
    there = Path(folder) / PLAN
    if not there.exists():
        return None
    plan = json.loads(there.read_text())
    return None if plan["grid"] is None else Grid(*plan["grid"])


def _table(judged: Sequence[Judged]) -> Any:
    import pyarrow as pa

    def trend(one: Judged) -> tuple[float | None, float | None, float | None, int | None]:
        of = one.trend
        return (None,) * 4 if of is None else (of.slope_per_second, of.low, of.high, of.points)

    def forecast(one: Judged) -> tuple[float | None, float | None, float | None]:
        of = one.forecast
        return (None,) * 3 if of is None else (of.seconds_to_limit, of.low, of.high)

    floats = pa.list_(pa.float32())
    columns: dict[str, Any] = {
        "labels": pa.array([list(one.labels.items()) for one in judged], pa.map_(pa.string(), pa.string())),
        "verdict": pa.array([one.verdict.value for one in judged], pa.string()),
        "shape": pa.array([one.shape.value for one in judged], pa.string()),
        "metric": pa.array([one.metric for one in judged], pa.string()),
        "because": pa.array([list(one.because) for one in judged], pa.list_(pa.string())),
        "restarts": pa.array([list(one.restarts) for one in judged], pa.list_(pa.int32())),
        "levels": pa.array([one.levels for one in judged], floats),
        "request_rates": pa.array([one.request_rates for one in judged], floats),
    }
    columns |= {name: pa.array([getattr(one, name) for one in judged], pa.float64()) for name in NUMBERS}
    for names, rows in (
        (("slope_bytes_per_second", "slope_low", "slope_high", "slope_points"), [trend(one) for one in judged]),
        (("time_to_limit_seconds", "time_to_limit_low", "time_to_limit_high"), [forecast(one) for one in judged]),
    ):
        columns |= {name: pa.array([row[i] for row in rows], pa.float64()) for i, name in enumerate(names)}
    return pa.table(columns)


def _judged(row: dict[str, Any], levels: FloatArray, rates: FloatArray | None) -> Judged:
    slope, left = row["slope_bytes_per_second"], row["time_to_limit_seconds"]
    return Judged(
        labels={sys.intern(name): sys.intern(value) for name, value in row["labels"]},
        samples=int(row["samples"]),
        start_seconds=row["start_seconds"],
        end_seconds=row["end_seconds"],
        verdict=Answer(row["verdict"]),
        shape=Shape(row["shape"]),
        confidence=row["confidence"],
        probability=row["probability"],
        metric=row["metric"],
        trend=None if slope is None else Trend(slope, row["slope_low"], row["slope_high"], int(row["slope_points"])),
        forecast=None if left is None else Forecast(left, row["time_to_limit_low"], row["time_to_limit_high"]),
        onset=row["onset"],
        limit_bytes=row["limit_bytes"],
        last_bytes=row["last_bytes"],
        because=tuple(row["because"]),
        levels=levels,
        request_rates=rates,
        restarts=tuple(row["restarts"]),
    )


def _rows_of(column: Any) -> list[FloatArray | None]:
    """The lists of a column as float32 arrays that share one buffer, no object for each number; None for null."""
    array = column.combine_chunks()
    values: FloatArray = array.flatten().to_numpy(zero_copy_only=False)
    ends = np.cumsum(array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
    known = array.is_valid().to_pylist()
    starts = [0, *ends[:-1].tolist()]
    return [
        values[start:end] if there else None for start, end, there in zip(starts, ends.tolist(), known, strict=False)
    ]


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    with open(beside, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
