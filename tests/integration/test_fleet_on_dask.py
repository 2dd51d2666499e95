"""A real Dask scheduler and two workers as processes: one is killed in mid-run, and nothing of the result changes."""

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.fleets.data import write
from leakwatch.cli import run
from leakwatch.fleet.engine import DaskEngine, LocalEngine
from leakwatch.fleet.judging import ChunkResult
from leakwatch.fleet.run import Judging, judge_all, plan_of
from leakwatch.fleet.store import Store, read_results
from leakwatch.members import Judged
from leakwatch.sample.datasets import survey

pytest.importorskip("distributed", reason="needs dask.distributed")
CONTAINERS = 600


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    write(folder, CONTAINERS)
    return folder


def test_one_worker_is_killed_and_the_result_is_that_of_one_machine(
    data: Path, dask_cluster: Any, tmp_path: Path
) -> None:
    """kill -9 after the first chunk: its tasks are done again by the other, and every container is the same."""
    workers = dask_cluster.workers
    found, judging = survey([str(data)]), Judging()
    engine = DaskEngine(dask_cluster.address, None)
    killed = threading.Event()

    def told(result: ChunkResult) -> None:
        if not killed.is_set():
            killed.set()
            os.kill(workers[0].pid, signal.SIGKILL)

    store = Store(str(tmp_path / "dask"), plan_of(found, judging), resume=False)
    judge_all(found, judging, engine, store, told)
    engine.close()
    assert workers[0].wait(30) == -signal.SIGKILL
    assert workers[1].poll() is None
    local = Store(str(tmp_path / "local"), plan_of(found, judging), resume=False)
    judge_all(found, judging, LocalEngine(1), local, lambda result: None)
    of_dask, of_local = (list(read_results(str(tmp_path / name))) for name in ("dask", "local"))
    assert len(of_dask) == len(of_local) == CONTAINERS
    assert all(same(one, other) for one, other in zip(of_dask, of_local, strict=True))


def same(one: Judged, other: Judged) -> bool:
    levels = np.array_equal(one.levels, other.levels, equal_nan=True)
    return levels and all(
        getattr(one, name) == getattr(other, name)
        for name in ("labels", "verdict", "shape", "confidence", "trend", "forecast", "onset", "because", "restarts")
    )


def test_the_command_on_a_cluster(data: Path, dask_cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """--scheduler finds what all cores of this machine find."""
    documents = []
    for where in (["--scheduler", dask_cluster.address], ["--workers", "1"]):
        assert run(["fleet", str(data), "-o", "json", *where]) == 10
        documents.append(json.loads(capsys.readouterr().out))
    assert documents[0] == documents[1]


def test_workers_of_our_own_trim_no_memory() -> None:
    """Dask's default would map and zero every array of more than 128 KiB anew."""
    engine = DaskEngine(None, 1)
    try:
        assert list(engine.run(os.getenv, ["MALLOC_TRIM_THRESHOLD_", "OMP_NUM_THREADS"])).count(None) == 1
    finally:
        engine.close()


def test_no_scheduler_there(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says what to start."""
    assert run(["fleet", str(data), "--scheduler", "tcp://127.0.0.1:9"]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in line
