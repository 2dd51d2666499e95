"""`leakwatch watch` in a real terminal: it is drawn, resized, paused, saved from and left."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")

ROOT = Path(__file__).parents[2]
GROWS = "import time\nkept = []\nwhile True:\n    kept.append(bytearray(1 << 20))\n    time.sleep(0.05)\n"


class Pane:
    """A tmux pane; every wait is for what it shows."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", self._socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def shows(self, pattern: str) -> str:
        """What it shows as soon as it matches."""
        deadline = time.monotonic() + 90
        while not re.search(pattern, shown := self.tmux("capture-pane", "-p"), re.MULTILINE):
            assert time.monotonic() < deadline, f"no {pattern!r} in\n{shown}"
            time.sleep(0.05)  # the pane has no event to wait for
        return shown

    def press(self, key: str) -> None:
        self.tmux("send-keys", key)


@pytest.fixture
def leaker() -> Iterator[int]:
    """The pid of a process that grows by 20 MiB a second, for at most some minutes."""
    process = subprocess.Popen([sys.executable, "-c", GROWS])
    yield process.pid
    process.kill()
    process.wait()


@pytest.fixture
def pane(tmp_path: Path, leaker: int) -> Iterator[Callable[..., Pane]]:
    """Starts the command over the growing process in a pane of a given size."""
    made = Pane(str(tmp_path / "tmux"))

    def start(flags: str = "", columns: int = 100, rows: int = 30) -> Pane:
        environment = {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
        exports = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
        command = f"{shlex.quote(sys.executable)} -m leakwatch watch --pid {leaker} --every 100ms {flags}"
        script = (
            f"cd {shlex.quote(str(tmp_path))}; echo before; trap : INT; {exports} {command}; echo STATUS=$?; exec cat"
        )
        size = ("-x", str(columns), "-y", str(rows))
        made.tmux("-f", "/dev/null", "-u", "new-session", "-d", *size, "env", "-u", "NO_COLOR", "sh", "-c", script)
        return made

    yield start
    made.tmux("kill-server")


def test_the_screen_lives_is_resized_and_left_as_it_was_found(pane: Callable[..., Pane]) -> None:
    """A growing level moves on it, every size is filled, and q gives the terminal back."""
    watch = pane("--limit 64GiB")
    first = watch.shows(r"Memory +anon \d")
    memory = re.search(r"anon ([\d.]+) MiB", first)
    assert memory is not None
    watch.shows(r"⣀|⠤|⡠|⠒|⣠")
    watch.shows(rf"anon (?!{re.escape(memory[1])} )[\d.]+ [MG]iB of 64 GiB")
    for columns, rows in ((60, 15), (120, 40)):
        watch.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        deadline = time.monotonic() + 60
        while True:  # what the terminal made of the old picture is drawn over
            lines = watch.tmux("capture-pane", "-p").rstrip("\n").split("\n")
            if len(lines) == rows and "anon" in lines[0] and "q quit" in lines[-1]:
                break
            assert time.monotonic() < deadline, "\n".join(lines)
            time.sleep(0.05)
    watch.press("q")
    after = watch.shows(r"^STATUS=(0|10)$")
    assert re.search(r"^before\nSTATUS", after, re.MULTILINE)  # tmux itself leaves rows above it where it was shrunk
    assert "quit" not in after


def test_a_paused_screen_stands_still_while_samples_go_on(pane: Callable[..., Pane]) -> None:
    """p stops the picture and not the watching."""
    watch = pane()
    watch.shows(r"\d\d samples")
    watch.press("p")
    paused = watch.shows("PAUSED").split("\n")[0]
    time.sleep(1.0)  # in which the level grew by 20 MiB
    assert watch.tmux("capture-pane", "-p").split("\n")[0] == paused
    watch.press("p")
    watch.shows(rf"^(?!{re.escape(paused)})\w.*anon")


def test_what_was_seen_is_saved_as_a_trace(pane: Callable[..., Pane], tmp_path: Path) -> None:
    """s writes a file that leakwatch analyze reads, and says so."""
    watch = pane()
    watch.shows(r"\d\d samples")
    watch.press("s")
    watch.shows(r"saved [\d,]+ samples to pid_\d+-\w+\.csv")
    (file,) = tmp_path.glob("pid_*.csv")
    done = subprocess.run(
        [sys.executable, "-m", "leakwatch", "analyze", str(file), "-o", "json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 10), done.stderr
    assert '"dropped_rows": 0' in done.stdout


def test_ctrl_c_leaves_the_terminal_whole(pane: Callable[..., Pane]) -> None:
    """The keys of the shell work again, and the cursor is back."""
    watch = pane()
    watch.shows(r"\d samples")
    watch.press("C-c")
    watch.shows(r"^STATUS=(0|10)$")
    watch.tmux("send-keys", "typed", "Enter")
    watch.shows(r"^typed\ntyped$")  # the terminal echoes once, cat once more: it is in its ordinary mode
    assert watch.tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"
