"""The screen in a real terminal: tmux runs the command and its pane is read back."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")

ROOT = Path(__file__).parents[2]
DONE = "STATUS="


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """A folder with a leaking and a level trace."""
    time_seconds = 1_790_000_000 + 60 * np.arange(1440)
    noise = np.random.default_rng(5).normal(0, 2**20, 1440)
    for name, slope in (("leak", 20_000), ("level", 0)):
        level = 600 * 2**20 + slope * (time_seconds - time_seconds[0]) + noise
        rows = "\n".join(f"{t},{y:.0f},{4 * 2**30}" for t, y in zip(time_seconds, level, strict=True))
        (tmp_path / f"{name}.csv").write_text(f"timestamp,anon_bytes,limit_bytes\n{rows}\n")
    return tmp_path


Terminal = Callable[..., str]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Run a command line in a tmux pane of a given size and return what the pane shows once it is done."""
    socket = str(tmp_path / "tmux")

    def tmux(*arguments: str) -> str:
        return subprocess.run(["tmux", "-S", socket, *arguments], capture_output=True, text=True, check=True).stdout

    def show(command: str, columns: int, rows: int, *, escapes: bool = False, seen: list[str] | None = None) -> str:
        environment = {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
        exports = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
        program = f"{shlex.quote(sys.executable)} -m leakwatch"
        script = f"cd {shlex.quote(str(tmp_path))}; {exports} {command.replace('leakwatch', program, 1)}; "
        script += f"printf '{DONE}%s' $?; exec cat"
        size = ("-x", str(columns), "-y", str(rows))
        tmux("-f", "/dev/null", "-u", "new-session", "-d", *size, "env", "-u", "NO_COLOR", "sh", "-c", script)
        try:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline:
                shown = tmux("capture-pane", "-p", *(("-e",) if escapes else ()))
                if DONE in shown:
                    return shown
                if seen is not None:
                    seen.append(shown)
                time.sleep(0.05)  # the pane has no event to wait for
            raise AssertionError(f"not done in time: {shown}")
        finally:
            tmux("kill-server")

    yield show


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (160, 50)])
def test_a_leak_is_on_the_screen_whole(traces: Path, terminal: Terminal, columns: int, rows: int) -> None:
    """Verdict, chart, numbers, reasons and the next step are in sight together, and nothing wraps by accident."""
    lines = terminal("leakwatch analyze leak.csv", columns, rows).rstrip("\n").split("\n")
    assert lines[0].startswith("LEAK  leak.csv: anon grows")
    assert lines[-1] == "STATUS=10"
    assert any("·" in line and "fitted" in line for line in lines)
    assert any(line.startswith("Growth") for line in lines)
    assert any(line.startswith("Next") for line in lines)
    plot = [line for line in lines if " │" in line or " ┤" in line]
    assert len(plot) >= 4
    assert all(line.count("│") + line.count("┤") == 1 for line in plot)


def test_many_traces_are_one_table(traces: Path, terminal: Terminal) -> None:
    """A folder gives one table that fits the screen, the leak first."""
    lines = terminal("leakwatch analyze .", 80, 24).split("\n")
    assert [line.split()[0] for line in lines[2:4]] == ["LEAK", "NO"]


def test_a_terminal_gets_colour(traces: Path, terminal: Terminal) -> None:
    """The verdict is red where colours can be shown."""
    assert "\x1b[1m\x1b[31mLEAK" in terminal("leakwatch analyze leak.csv", 80, 40, escapes=True)


@pytest.mark.parametrize("command", ["leakwatch analyze leak.csv --no-color", "NO_COLOR=1 leakwatch analyze leak.csv"])
def test_colour_can_be_turned_off(traces: Path, terminal: Terminal, command: str) -> None:
    """--no-color and NO_COLOR give a screen without a single escape."""
    shown = terminal(command, 80, 40, escapes=True)
    assert "LEAK" in shown
    assert "\x1b" not in shown


def test_a_hostile_name_does_nothing(traces: Path, terminal: Terminal) -> None:
    """A file name with a terminal's own commands in it is shown and not obeyed."""
    name = "a\x1b[2J\x1b]0;owned\x07[red]b.csv"
    (traces / "leak.csv").rename(traces / name)
    shown = terminal("leakwatch analyze *b.csv", 100, 40)
    assert shown.startswith("LEAK  a\\x1b[2J\\x1b]0;owned\\x07[red]b.csv:")


def test_progress_is_shown_and_gone(traces: Path, terminal: Terminal) -> None:
    """While many files are read a bar counts them; when the table stands it has left no trace."""
    for i in range(200):
        (traces / f"copy-{i}.csv").write_text((traces / "level.csv").read_text())
    seen: list[str] = []
    shown = terminal("leakwatch analyze . -o json > /dev/null", 80, 24, seen=seen)
    assert any("Analysing" in screen and "/202" in screen for screen in seen)
    assert shown.strip() == "STATUS=10"
