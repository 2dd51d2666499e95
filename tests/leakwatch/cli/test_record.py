import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leakwatch.cli import run
from leakwatch.sample.trace_files import read_traces

DEADLINE_SECONDS = 60.0


def recorder(path: Path, *flags: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "leakwatch", "record", "--pid", str(os.getpid()), "-o", str(path), *flags]
    return subprocess.Popen(command, text=True, stderr=subprocess.PIPE)


def wait_for_rows(path: Path, least: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not path.exists() or path.read_bytes().count(b"\n") <= least:
        assert time.monotonic() < deadline, "no rows came"
        time.sleep(0.01)


def test_a_real_process_is_recorded_and_analyze_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """``--for`` ends it by itself; the trace is read, without a dropped row."""
    path = tmp_path / "t.csv"
    assert run(["record", "--pid", str(os.getpid()), "-o", str(path), "--every", "20ms", "--for", "300ms"]) == 0
    assert "samples" in capsys.readouterr().err
    (trace,) = read_traces(str(path))
    assert trace.dropped_rows == 0 and 2 <= len(trace.time_seconds) <= 16
    assert trace.columns["anon_bytes"].min() > 2**20
    assert run(["analyze", str(path), "-o", "json"]) in (0, 10)


def test_a_recorder_killed_at_once_and_started_again_tears_nothing(tmp_path: Path):
    """Killed with -9 three times, the next one goes on in the same file; SIGTERM ends the last with 0."""
    path, least = tmp_path / "t.csv", 0
    for _ in range(3):
        process = recorder(path, "--every", "10ms")
        wait_for_rows(path, least + 5)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        least = path.read_bytes().count(b"\n")
    process = recorder(path, "--every", "10ms")
    wait_for_rows(path, least + 5)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0 and "samples" in said
    (trace,) = read_traces(str(path))
    assert trace.dropped_rows == 0 and len(trace.time_seconds) >= least


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "name exactly one of --pid"),
        (["--pid", "1", "--docker", "x"], "name exactly one of --pid"),
        (["--pod", "p"], "--container"),
        (["--pid", "1", "--serving", "triton"], "go together"),
        (["--pid", "1", "--every", "5"], "no duration"),
        (["--pod", "p", "-l", "a=b", "-c", "c"], "keep one"),
    ],
)
def test_wrong_usage_is_one_line_and_2(flags: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """What is wrong with the flags is said in one line."""
    assert run(["record", "-o", str(tmp_path / "t.csv"), *flags]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_a_process_that_is_not_there_is_an_error_and_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """One line and 1; nothing is begun."""
    path = tmp_path / "t.csv"
    assert run(["record", "--pid", "4194300", "-o", str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1 and not path.exists()
