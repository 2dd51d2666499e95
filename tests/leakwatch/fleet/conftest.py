"""A small data set with a release that leaks slowly, and one container that leaks fast."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

POINTS = 720
START = 1_790_000_000.0


def table_of(workloads: int = 3, replicas: int = 8) -> pa.Table:
    """Half a day at a minute: all replicas of ``serving0:v47`` leak slowly, one of ``serving2`` fast."""
    random = np.random.default_rng(5)
    time = START + 60.0 * np.arange(POINTS)
    parts = []
    for workload in range(workloads):
        for replica in range(replicas):
            level = 2e9 * random.uniform(0.9, 1.1) + random.normal(0, 1e7, POINTS)
            image = f"serving{workload}:v46"
            if workload == 0 and replica < 6:
                level += 3e3 * (time - START)
                image = "serving0:v47"
            if workload == 2 and replica == 3:
                level += 3e4 * (time - START)
            labels = {
                "namespace": "ml",
                "pod": f"serving{workload}-6d4b75cb6d-{replica:05}",
                "container": "server",
                "image": image,
                "node": f"node{replica % 2}",
            }
            columns = {name: pa.array([value] * POINTS) for name, value in labels.items()}
            parts.append(pa.table({"timestamp": time, **columns, "anon_bytes": level, "limit_bytes": [4e9] * POINTS}))
    return pa.concat_tables(parts)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one Parquet file whose row groups hold several containers, and cut one in two."""
    folder = tmp_path_factory.mktemp("fleet")
    pq.write_table(table_of(), folder / "day.parquet", row_group_size=POINTS * 5 + 100)
    return folder
