"""`leakwatch watch --once`, as a script uses it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leakwatch.cli import run


def test_once_shows_the_screen_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """A real process, ourselves, is looked at; the screen has its numbers and no escape."""
    assert run(["watch", "--pid", str(os.getpid()), "--once", "--for", "500ms", "--every", "50ms"]) == 0
    out = capsys.readouterr().out
    assert f"pid {os.getpid()}: anon" in out
    assert "Memory" in out and "every 0.05 s" in out
    assert "\x1b" not in out


def test_once_as_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads the level and the numbers under the names that analyze uses."""
    assert run(["watch", "--pid", str(os.getpid()), "--once", "-o", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["level"] == "quiet"
    assert document["metric"] == "anon_bytes"
    assert document["values"]["anon_bytes"] > 1e6


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--pid", "4194000", "--once"], 1, "there is no process 4194000; name one that runs"),
        (["--pid", "1"], 2, "a live screen needs a terminal; for a script or a pipe say --once"),
        (["--pid", "1", "-o", "json"], 2, "-o goes with --once"),
        (["--once"], 2, "name exactly one of"),
        (["--pid", "1", "--once", "--every", "soon"], 2, "soon"),
    ],
)
def test_what_cannot_be_watched_is_one_line(
    arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was wrong, and what to do."""
    assert run(["watch", *arguments]) == status
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_it_ends_on_a_signal() -> None:
    """SIGTERM ends a long look at once, with what was seen."""
    command = [sys.executable, "-m", "leakwatch", "watch", "--pid", str(os.getpid()), "--once", "--for", "10m"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while "psutil" not in Path(f"/proc/{process.pid}/maps").read_text():  # the source is at work, the handler in place
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    process.terminate()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Memory" in out
