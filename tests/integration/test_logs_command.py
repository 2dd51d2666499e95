"""`leakwatch logs` as a process: pipes, signals, rotation, and input that nobody meant to give it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

DEADLINE_SECONDS = 60.0
MEBIBYTE = 2**20

Event = dict[str, Any]


def kill(pid: int) -> bytes:
    """A line as the kernel writes it."""
    sizes = (
        b"total-vm:217336kB, anon-rss:204272kB, file-rss:6660kB, shmem-rss:0kB, UID:0 pgtables:464kB oom_score_adj:0"
    )
    return b"[  814.570220] Memory cgroup out of memory: Killed process %d (python) %b\n" % (pid, sizes)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "leakwatch", "logs", *map(str, arguments)]


def logs(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    # libreadline tells the children of pytest of a screen that is not there.
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return subprocess.run(command(*arguments), input=stdin, capture_output=True, env=environment, timeout=600)


def events(done: subprocess.CompletedProcess[bytes]) -> list[Event]:
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Running:
    """A `leakwatch logs` that goes on; its events as they come."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.events: list[Event] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def wait_for_pids(self, *pids: int) -> None:
        """Exactly these, in this order; a line more or less never becomes right."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while [event.get("pid") for event in self.events] != list(pids):
            assert time.monotonic() < deadline, self.events
            assert self.process.poll() is None or self._reader.is_alive(), self.events
            time.sleep(0.01)

    def interrupted(self) -> tuple[int, bytes]:
        """Status and standard error after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        self._reader.join(DEADLINE_SECONDS)
        assert self.process.stderr is not None
        said = self.process.stderr.read()
        return self.process.wait(DEADLINE_SECONDS), said


@contextmanager
def running(*arguments: str | Path, stdin: int | IO[bytes] = subprocess.DEVNULL) -> Iterator[Running]:
    with subprocess.Popen(
        command(*arguments, "-o", "json"), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def test_following_goes_on_through_rotation_and_truncation(tmp_path: Path) -> None:
    """Each kill is told once and in order, whatever logrotate does in between, and Ctrl-C ends it quietly."""
    log = tmp_path / "kern.log"
    log.write_bytes(kill(1))
    with running("-f", log) as follower:
        follower.wait_for_pids(1)
        with log.open("ab", buffering=0) as writer:
            log.rename(tmp_path / "kern.log.1")
            writer.write(kill(2))
            log.write_bytes(kill(3))
        follower.wait_for_pids(1, 2, 3)
        (tmp_path / "kern.log.1").write_bytes(log.read_bytes() + kill(4))
        log.write_bytes(kill(5))
        follower.wait_for_pids(1, 2, 3, 4, 5)
        lines = [event["line"] for event in follower.events]
        assert lines == [1, 2, 3, 4, 5]
        assert follower.interrupted() == (130, b"")


def test_standard_input_is_told_as_it_comes(tmp_path: Path) -> None:
    """`journalctl -f -o json | leakwatch logs -`: an event is printed while the pipe is still open."""
    message = kill(7).decode().split("] ", 1)[1].strip()
    entry = {"MESSAGE": message, "__REALTIME_TIMESTAMP": "1790000000000000", "SYSLOG_IDENTIFIER": "kernel"}
    with running("-", stdin=subprocess.PIPE) as reader:
        assert reader.process.stdin is not None
        reader.process.stdin.write(json.dumps(entry).encode() + b"\n")
        reader.process.stdin.flush()
        reader.wait_for_pids(7)
        assert reader.events[0]["at"] == 1790000000.0
        reader.process.stdin.close()
        assert reader.process.wait(DEADLINE_SECONDS) == 0


def test_a_fifo_is_read_to_its_end(tmp_path: Path) -> None:
    """A named pipe is a log like any other."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with running(fifo) as reader:
        fifo.write_bytes(kill(1) + kill(2))
        assert reader.process.wait(DEADLINE_SECONDS) == 0
        reader.wait_for_pids(1, 2)


def test_a_reader_that_goes_away_ends_it(tmp_path: Path) -> None:
    """`leakwatch logs kern.log | head -1` is no error and leaves no traceback."""
    log = tmp_path / "kern.log"
    log.write_bytes(b"".join(map(kill, range(1, 1000))))
    with subprocess.Popen(command(log), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(DEADLINE_SECONDS) == 141


def test_binary_rubbish_around_an_event_does_not_hide_it(tmp_path: Path) -> None:
    """NULs, half characters, every byte there is, and no end of line at the end of the file."""
    rubbish = bytes(range(256)) * 300 + b"\x00" * 5000 + b"\xe2\x82" + b"\n"
    log = tmp_path / "dirty.log"
    log.write_bytes(
        rubbish + kill(1) + rubbish + kill(2).replace(b"python", b"py\xe2\x82") + rubbish + kill(3).rstrip()
    )
    found = events(logs(log, "-o", "json"))
    assert [event["pid"] for event in found] == [1, 2, 3]
    assert found[1]["process"] == "py\N{REPLACEMENT CHARACTER}"


def test_what_a_log_holds_cannot_touch_the_terminal(tmp_path: Path) -> None:
    """Escapes in a process' name are shown and not obeyed; markup is text."""
    log = tmp_path / "hostile.log"
    log.write_bytes(kill(1).replace(b"python", b"\x1b[2J[red]\x07"))
    for arguments in ((log,), (log, "--summary")):
        shown = logs(*arguments).stdout
        assert b"\x1b" not in shown and b"\x07" not in shown
        assert b"\\x1b[2J[red]\\x07" in shown.replace(b"\n", b"")


@pytest.mark.slow
@pytest.mark.parametrize("filling", [b"x", b"\x00", b"Killed process 1 ", b"{"], ids=["text", "zeros", "bait", "json"])
def test_a_line_without_end_takes_no_memory(tmp_path: Path, filling: bytes) -> None:
    """100 MB on one line: memory stays flat, and the event on the line after it is found."""
    small, large = tmp_path / "small.log", tmp_path / "large.log"
    small.write_bytes(kill(1))
    with large.open("wb") as file:
        for _ in range(100):
            file.write(filling * (MEBIBYTE // len(filling)))
        file.write(b"\n" + kill(1))
    peaks = {}
    for log in (small, large):
        measured = (
            "import resource, sys; from leakwatch.cli import run; "
            f"status = run(['logs', {str(log)!r}, '-o', 'json']); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(status)"
        )
        done = subprocess.run([sys.executable, "-c", measured], capture_output=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
        assert [json.loads(line)["pid"] for line in done.stdout.splitlines()] == [1]
        peaks[log] = int(done.stderr) * 1024
    assert peaks[large] - peaks[small] < 40 * MEBIBYTE
