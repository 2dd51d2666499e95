"""``leakwatch backtest``: what an agent would have done."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs/schemas/backtest.schema.json").read_text())
GIB = 2**30
START = 1_790_000_000

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def leakwatch(tmp_path: Path) -> Run:
    """Run ``leakwatch backtest`` in a folder of its own, as a shell would."""

    def run(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "leakwatch", "backtest", *map(str, arguments)],
            capture_output=True,
            text=True,
            input=stdin,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
            timeout=120,
            check=False,
        )

    return run


def written(path: Path, *, leak_hours: float | None, container: str | None = None, limit: int | None = 8 * GIB) -> Path:
    """A day and a half at 60 s of a server of 2 GiB that takes requests; after a day it may leak."""
    rng = np.random.default_rng(4)
    time = 60 * np.arange(2_160)
    level = 2 * GIB * (1 + 0.004 * rng.standard_normal(len(time)))
    if leak_hours is not None:
        level += 6 * GIB * np.maximum(time - 86_400, 0) / (leak_hours * 3_600)
    requests = np.cumsum(rng.poisson(2_400, len(time)))
    columns = {"timestamp": START + time, "anon_bytes": level, "requests_total": requests}
    if limit is not None:
        columns["limit_bytes"] = np.full(len(time), limit)
    names = [*columns, *(["container"] if container else [])]
    rows = [
        ",".join([*(f"{v:.0f}" for v in row), *([container] if container else [])])
        for row in zip(*columns.values(), strict=True)
    ]
    path.write_text("\n".join([",".join(names), *rows]) + "\n")
    return path


def test_the_document_is_the_contract_s_and_its_alerts_are_in_order(leakwatch: Run, tmp_path: Path) -> None:
    """source and container as given, alerts with time, verdict, slope and time to the limit; status 10."""
    run = leakwatch(written(tmp_path / "leak.csv", leak_hours=12, container="serving").name, "-o", "json")
    assert run.returncode == 10, run.stderr
    document = json.loads(run.stdout)
    jsonschema.validate(document, SCHEMA)
    [one] = document["backtests"]
    assert (one["source"], one["container"]) == ("leak.csv", "serving")
    times = [alert["at"] for alert in one["alerts"]]
    assert times == sorted(times)
    leaks = [alert for alert in one["alerts"] if alert["verdict"] == "leak"]
    assert one["first_alert"] == leaks[0]["at"]
    assert START + 86_400 < one["first_alert"] < START + 86_400 + 0.6 * 12 * 3_600
    slope, ahead = leaks[0]["slope_bytes_per_second"], leaks[0]["time_to_limit_seconds"]
    assert slope["low"] <= 6 * GIB / (12 * 3_600) <= slope["high"]
    assert ahead["low"] <= START + 86_400 + 12 * 3_600 - one["first_alert"] <= ahead["high"]


def test_a_quiet_trace_tells_nothing(leakwatch: Run, tmp_path: Path) -> None:
    """No alert, nothing resolved, first_alert null, status 0."""
    run = leakwatch(written(tmp_path / "quiet.csv", leak_hours=None), "-o", "json")
    assert run.returncode == 0, run.stderr
    [one] = json.loads(run.stdout)["backtests"]
    assert (one["alerts"], one["resolved"], one["first_alert"]) == ([], [], None)


def test_without_a_limit_the_time_to_it_is_null(leakwatch: Run, tmp_path: Path) -> None:
    """No limit is a normal case here too; --limit gives one."""
    trace = written(tmp_path / "leak.csv", leak_hours=8, limit=None)
    [one] = json.loads(leakwatch(trace, "-o", "json").stdout)["backtests"]
    assert one["alerts"] and all(alert["time_to_limit_seconds"] is None for alert in one["alerts"])
    [one] = json.loads(leakwatch(trace, "-o", "json", "--limit", "8GiB").stdout)["backtests"]
    assert all(alert["time_to_limit_seconds"] is not None for alert in one["alerts"])


def test_the_table_shows_the_leak_first_and_names_are_harmless(leakwatch: Run, tmp_path: Path) -> None:
    """One row a trace; a name with an escape in it colours nothing."""
    written(tmp_path / "a quiet.csv", leak_hours=None)
    written(tmp_path / "b leak.csv", leak_hours=12, container="x\x1b[31m")
    run = leakwatch(".")
    assert run.returncode == 10, run.stderr
    rows = run.stdout.splitlines()
    assert rows[0].split()[:2] == ["Trace", "First"]
    assert run.stdout.index("b leak.csv") < run.stdout.index("a quiet.csv")
    assert "\x1b" not in run.stdout


def test_a_file_that_cannot_be_used_does_not_stop_the_others(leakwatch: Run, tmp_path: Path) -> None:
    """Its error is one line on standard error, the rest is printed, and the status is 1."""
    written(tmp_path / "leak.csv", leak_hours=12)
    (tmp_path / "broken.csv").write_text("nothing,of,use\n1,2,3\n")
    run = leakwatch("broken.csv", "leak.csv", "-o", "json")
    assert run.returncode == 1
    assert [one["source"] for one in json.loads(run.stdout)["backtests"]] == ["leak.csv"]
    assert run.stderr.count("\n") == 1 and "broken.csv" in run.stderr and "Traceback" not in run.stderr


def test_a_trace_without_samples_is_no_error(leakwatch: Run, tmp_path: Path) -> None:
    """A header alone: nothing to replay, nothing told."""
    (tmp_path / "empty.csv").write_text("timestamp,anon_bytes\n")
    run = leakwatch("empty.csv", "-o", "json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["backtests"][0]["alerts"] == []
