"""Bytes of one log, whatever holds them."""

import bz2
import gzip
import lzma
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from leakwatch.errors import LeakwatchError
from leakwatch.sample.log_files import read_log
from leakwatch.sample.log_files.chunks import CHUNK_BYTES

CONTENT = b"".join(b"line %d \xff\x00 \xe2\x82\n" % i for i in range(200_000))

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gz": gzip.compress,
    "gz, two members": lambda data: gzip.compress(data[:1000]) + gzip.compress(data[1000:]),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}


@pytest.mark.parametrize("form", PACKED)
def test_every_byte_of_a_file_comes_once_and_in_order(tmp_path: Path, form: str) -> None:
    """Rotated logs are compressed; binary bytes pass, and no chunk is larger than memory was promised for."""
    path = tmp_path / "kern.log"
    path.write_bytes(PACKED[form](CONTENT))
    chunks = list(read_log(str(path)))
    assert b"".join(chunks) == CONTENT
    assert max(map(len, chunks)) <= CHUNK_BYTES


@pytest.mark.parametrize("form", PACKED)
def test_a_pipe_is_read_as_a_file_is(tmp_path: Path, form: str) -> None:
    """`leakwatch logs <(ssh node cat kern.log.1.gz)`: a pipe cannot be read twice to recognise it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(PACKED[form](CONTENT),))
    writer.start()
    assert b"".join(read_log(str(fifo))) == CONTENT
    writer.join()


@pytest.mark.parametrize("form", [form for form in PACKED if form != "plain"])
def test_what_stands_before_the_damage_is_read(tmp_path: Path, form: str) -> None:
    """An archive cut short still tells what it holds, and then that it is cut short."""
    packed = PACKED[form](os.urandom(4 * CHUNK_BYTES))
    path = tmp_path / "kern.log.1"
    path.write_bytes(packed[: len(packed) - 100])
    read = b""
    with pytest.raises(LeakwatchError, match=r"kern\.log\.1: cannot be read to its end"):
        for chunk in read_log(str(path)):
            read += chunk
    assert len(read) >= 2 * CHUNK_BYTES


def test_a_pause_of_a_live_source_is_told_once(tmp_path: Path) -> None:
    """After a pause comes one empty chunk, so that a line waiting for its continuation is not held back for ever."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["sh", "-c", f"(echo a; sleep 2; echo b) > '{fifo}'"]):
        assert list(read_log(str(fifo))) == [b"a\n", b"", b"b\n"]


def test_an_empty_file_gives_nothing(tmp_path: Path) -> None:
    """A log without a line holds no event and is no error."""
    (tmp_path / "empty.log").touch()
    assert list(read_log(str(tmp_path / "empty.log"))) == []


def test_a_binary_journal_is_told_how_to_read_it(tmp_path: Path) -> None:
    """Scanning systemd's binary file would find nothing, or half of it compressed away."""
    path = tmp_path / "system.journal"
    path.write_bytes(b"LPKSHHRH" + bytes(1000))
    with pytest.raises(LeakwatchError, match=r"binary journal; give its text: journalctl --file .* -o json"):
        list(read_log(str(path)))


@pytest.mark.parametrize("name", ["gone.log", "a\x00b"])
def test_a_path_that_cannot_be_opened_is_one_clear_error(tmp_path: Path, name: str) -> None:
    """The message names the path and says what to check."""
    with pytest.raises(LeakwatchError, match=r"cannot be opened .*; check the path and its permissions"):
        list(read_log(str(tmp_path / name)))
