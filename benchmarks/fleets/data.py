"""A Parquet data set of so many containers of a day at a minute, written in chunks; the same for a seed."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

POINTS, START = 1440, 1_790_000_000.0
A_GROUP, A_FILE = 100, 2_000
LEAKING = 0.02


def write(folder: Path, containers: int, seed: int = 7) -> None:
    """One file for every 2,000 containers, one row group for every 100; 2 % leak, half have a daily load."""
    folder.mkdir(parents=True, exist_ok=True)
    for begin in range(0, containers, A_FILE):
        path = folder / f"containers-{begin:06}.parquet"
        if path.exists():
            continue
        writer: pq.ParquetWriter | None = None
        for at in range(begin, min(begin + A_FILE, containers), A_GROUP):
            table = _table(at, min(A_GROUP, containers - at), seed)
            writer = writer or pq.ParquetWriter(path.with_suffix(".new"), table.schema, compression="zstd")
            writer.write_table(table)
        if writer is not None:
            writer.close()
            path.with_suffix(".new").rename(path)


def _table(first: int, count: int, seed: int) -> pa.Table:
    random = np.random.default_rng((seed, first))
    time = START + 60.0 * np.arange(POINTS)
    base = random.uniform(3e8, 4e9, count)[:, None]
    level = base * (1.0 + 0.004 * random.standard_normal((count, POINTS)))
    swing = np.where(random.random(count) < 0.5, random.uniform(0.0, 0.1, count), 0.0)[:, None]
    level += base * swing * np.sin(2 * np.pi * (time / 86_400.0) + random.uniform(0, 6.3, (count, 1)))
    warm = np.where(random.random(count) < 0.3, 0.1, 0.0)[:, None]
    level -= base * warm * np.exp(-np.arange(POINTS) / 120.0)
    leak = (random.random(count) < LEAKING)[:, None]
    level += leak * base * random.uniform(0.1, 0.5, (count, 1)) * np.arange(POINTS) / POINTS
    numbers = np.repeat(np.arange(first, first + count), POINTS)
    words = {
        "namespace": [f"team{n // 5_000}" for n in range(first, first + count)],
        "pod": [f"serving{n // 16}-6d4b75cb6d-{n % 16:05}" for n in range(first, first + count)],
        "container": ["server"] * count,
        "image": [f"serving{n // 16}:v{n // 16 % 9}" for n in range(first, first + count)],
        "node": [f"node{n % (count * 3)}" for n in range(first, first + count)],
    }
    columns: dict[str, pa.Array] = {"timestamp": pa.array(np.tile(time, count))}
    for name, values in words.items():
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(numbers - first, pa.int32()), pa.array(values))
    columns["anon_bytes"] = pa.array(np.round(level.ravel()))
    columns["limit_bytes"] = pa.array(np.repeat(np.round(base.ravel() * 2.0), POINTS))
    return pa.table(columns)
