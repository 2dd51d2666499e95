"""Logs that are still written: every line once, whatever rotation does to the file."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leakwatch.errors import LeakwatchError
from leakwatch.sample.log_files import follow_logs
from leakwatch.sample.log_files.tail import Tail

PATIENCE_SECONDS = 60.0


class Follower:
    """Follows paths in a thread, and keeps what came of each source."""

    def __init__(self, *paths: Path) -> None:
        self.bytes: dict[str, bytes] = {}
        self.pauses: list[str] = []
        self.ended: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=([str(path) for path in paths],))
        self._thread.start()

    def _run(self, paths: list[str]) -> None:
        for source, chunk in follow_logs(paths):
            if self._stop.is_set():
                return
            if chunk is None:
                self.ended.append(source)
            elif chunk:
                self.bytes[source] = self.bytes.get(source, b"") + chunk
            else:
                self.pauses.append(source)

    def lines(self, path: Path) -> list[bytes]:
        return self.bytes.get(str(path), b"").splitlines()

    def wait_for(self, path: Path, line: bytes) -> list[bytes]:
        self.until(lambda: line in self.lines(path))
        return self.lines(path)

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, (self.bytes, self.pauses, self.ended)
            time.sleep(0.01)

    def stop(self, woken_by: Path) -> None:
        """Whoever follows looks at our wish with the next line that comes."""
        self._stop.set()
        if self._thread.is_alive():
            with woken_by.open("ab") as file:
                file.write(b"stop\n")
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "kern.log"
    path.write_bytes(b"first\n")
    return path


@pytest.fixture
def follower(log: Path) -> Iterator[Follower]:
    follower = Follower(log)
    follower.wait_for(log, b"first")
    yield follower
    follower.stop(log)


def append(path: Path, *lines: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))


def test_what_is_appended_comes(log: Path, follower: Follower) -> None:
    """What stood there when we came is read first, then each line as it is written."""
    append(log, b"second")
    append(log, b"third")
    assert follower.wait_for(log, b"third") == [b"first", b"second", b"third"]


def test_a_renamed_log_is_read_to_its_end_before_the_new_one(log: Path, follower: Follower) -> None:
    """A writer goes on with the renamed file until it is told to reopen: those lines are not lost."""
    old = log.with_name("kern.log.1")
    with log.open("ab", buffering=0) as writer:
        log.rename(old)
        log.write_bytes(b"")
        writer.write(b"late in the old one\n")
        append(log, b"in the new one")
        writer.write(b"later in the old one\nwithout its end")
    lines = follower.wait_for(log, b"in the new one")
    assert lines == [b"first", b"late in the old one", b"later in the old one", b"without its end", b"in the new one"]


def test_the_old_file_is_not_left_at_once(log: Path) -> None:
    """What a writer adds to the renamed file after the new one has its first line still comes, and before it."""
    tail = Tail(str(log))
    with log.open("ab", buffering=0) as writer:
        assert b"".join(tail.news()) == b"first\n"
        log.rename(log.with_name("kern.log.1"))
        log.write_bytes(b"new\n")
        assert b"".join(tail.news()) == b""
        writer.write(b"late\n")
        assert b"".join(tail.news()) == b"late\n"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (read := b"".join(tail.news())):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert read == b"new\n"
    tail.close()


def test_rotation_after_rotation(log: Path, follower: Follower) -> None:
    """Each of several files with one name is followed in its turn."""
    for i in range(3):
        log.rename(log.with_name(f"kern.log.{3 - i}"))
        append(log, b"file %d" % i)
        follower.wait_for(log, b"file %d" % i)
    assert follower.lines(log) == [b"first", b"file 0", b"file 1", b"file 2"]


def test_a_copied_and_truncated_log_loses_nothing(log: Path, follower: Follower) -> None:
    """copytruncate: what was written after our last look and before the cut is found in the copy."""
    append(log, b"before the copy")
    shutil.copy(log, log.with_name("kern.log.1"))
    os.truncate(log, 0)
    append(log, b"after the cut")
    assert follower.wait_for(log, b"after the cut") == [b"first", b"before the copy", b"after the cut"]


def test_a_truncated_log_that_has_outgrown_its_old_length_is_seen(log: Path, follower: Follower) -> None:
    """The length alone does not tell: after the cut more was written than had been there before."""
    log.write_bytes(b"".join(b"new %d\n" % i for i in range(100)))
    follower.wait_for(log, b"new 99")
    assert follower.lines(log) == [b"first", *(b"new %d" % i for i in range(100))]


def test_a_half_written_line_does_not_run_into_the_next_file(log: Path, follower: Follower) -> None:
    """The last line of a truncated file had no end; it stays a line of its own."""
    with log.open("ab") as file:
        file.write(b"half a li")
    follower.until(lambda: follower.bytes[str(log)].endswith(b"half a li"))
    os.truncate(log, 0)
    append(log, b"whole")
    assert follower.wait_for(log, b"whole") == [b"first", b"half a li", b"whole"]


def test_a_log_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    """The container that will write it may not have started."""
    path = tmp_path / "later.log"
    follower = Follower(path)
    append(path, b"here")
    assert follower.wait_for(path, b"here") == [b"here"]
    follower.stop(path)


def test_a_pause_is_told(log: Path, follower: Follower) -> None:
    """What waits for a continuation line is released when nothing more comes."""
    follower.until(lambda: str(log) in follower.pauses)
    append(log, b"more")
    follower.until(lambda: follower.pauses.count(str(log)) == 2)


def test_several_logs_at_once(tmp_path: Path) -> None:
    """Lines of each come under its own name."""
    paths = [tmp_path / f"{i}.log" for i in range(3)]
    for path in paths:
        append(path, path.name.encode())
    follower = Follower(*paths)
    for path in paths:
        assert follower.wait_for(path, path.name.encode()) == [path.name.encode()]
    follower.stop(paths[0])


def test_files_that_come_to_a_folder_are_followed(tmp_path: Path) -> None:
    """A restarted container writes 1.log beside 0.log; a rotated or copied file is nothing new."""
    append(tmp_path / "0.log", b"old life")
    follower = Follower(tmp_path)
    follower.wait_for(tmp_path / "0.log", b"old life")
    shutil.copy(tmp_path / "0.log", tmp_path / "0.log.20260301-120000")
    append(tmp_path / "1.log", b"new life")
    assert follower.wait_for(tmp_path / "1.log", b"new life") == [b"new life"]
    assert set(follower.bytes) == {str(tmp_path / "0.log"), str(tmp_path / "1.log")}
    follower.stop(tmp_path / "1.log")


def test_a_fifo_outlives_its_writers(tmp_path: Path) -> None:
    """The end of one writer is not the end of the log."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    follower = Follower(fifo)
    for line in (b"one", b"two"):
        append(fifo, line)
        follower.wait_for(fifo, line)
    follower.stop(fifo)


def test_a_compressed_log_is_read_once(tmp_path: Path) -> None:
    """It cannot grow: when nothing else is followed, following ends."""
    import gzip

    path = tmp_path / "kern.log.1.gz"
    path.write_bytes(gzip.compress(b"packed\n"))
    assert list(follow_logs([str(path)])) == [(str(path), b"packed\n"), (str(path), None)]


def test_a_folder_in_place_of_permission_is_an_error(tmp_path: Path) -> None:
    """A path that can never be read is told at once."""
    with pytest.raises(LeakwatchError, match="cannot be opened"):
        next(follow_logs([str(tmp_path / ("x" * 300))]))
