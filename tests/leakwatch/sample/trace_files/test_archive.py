"""Compressed files, pipes and damage."""

import bz2
import gzip
import io
import lzma
import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from leakwatch.errors import TraceError
from leakwatch.sample.trace_files import read_traces

PLAIN = b"timestamp,rss_bytes\n" + b"".join(
    b"%d,%d\n" % (1790000000 + i, random.Random(i).getrandbits(40)) for i in range(40_000)
)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: pa.compress(data, "zstd", asbytes=True),
}


@pytest.mark.parametrize("kind", COMPRESS)
def test_compressed_files_are_read_whatever_their_name(kind: str, tmp_path: Path) -> None:
    """Long and short, from a path and from standard input, in one member and in two put behind each other."""
    short = b"timestamp,rss_bytes\n1,5\n2,6\n"
    for data, members, samples in ((PLAIN, [PLAIN], 40_000), (short, [short], 2), (short, [short[:25], short[25:]], 2)):
        packed = b"".join(COMPRESS[kind](member) for member in members)
        path = tmp_path / "trace.csv"
        path.write_bytes(packed)
        for traces in (read_traces(str(path)), read_traces("-", stdin=io.BytesIO(packed))):
            assert [(len(trace.time_seconds), trace.dropped_rows) for trace in traces] == [(samples, 0)]
        assert len(data) >= samples


@pytest.mark.parametrize("kind", COMPRESS)
def test_a_truncated_archive_is_one_error_and_never_half_a_trace(kind: str) -> None:
    """Wherever a copy was cut off, early, in the middle or in the last bytes, it says that the file is damaged."""
    packed = COMPRESS[kind](PLAIN)
    for kept in (12, len(packed) // 2, len(packed) - 1):
        with pytest.raises(TraceError, match="damaged or cut short") as error:
            read_traces("-", stdin=io.BytesIO(packed[:kept]))
        assert str(error.value).isprintable()


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_a_corrupt_archive_is_one_error(kind: str) -> None:
    """Bytes that a checksum does not agree with never reach a verdict."""
    packed = COMPRESS[kind](PLAIN)
    for at in range(20, len(packed), len(packed) // 12):
        with pytest.raises(TraceError) as error:
            read_traces("-", stdin=io.BytesIO(packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :]))
        assert str(error.value).isprintable()


def test_a_compressed_file_of_nothing_is_empty() -> None:
    """gzip of zero bytes is an empty file, not a damaged one."""
    with pytest.raises(TraceError, match="is empty"):
        read_traces("-", stdin=io.BytesIO(gzip.compress(b"")))


def test_a_tar_archive_is_told_apart_from_a_trace() -> None:
    """What has to be unpacked first says so, compressed or not."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:xz") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    with pytest.raises(TraceError, match="this is a tar archive"):
        read_traces("-", stdin=io.BytesIO(sink.getvalue()))


def test_a_pipe_is_read_like_a_file() -> None:
    """A path that cannot be rewound (the shell's <(...)) is read all the same."""
    reader, writer = os.pipe()
    os.write(writer, b"timestamp,rss_bytes\n1,5\n2,6\n")
    os.close(writer)
    try:
        (trace,) = read_traces(f"/dev/fd/{reader}")
    finally:
        os.close(reader)
    assert trace.columns["rss_bytes"].tolist() == [5, 6]


def test_reading_again_after_a_refusal_starts_at_the_start() -> None:
    """pyarrow still reads ahead in its threads when it has refused a file; that moves no one else's position."""
    rows = b"".join(b"%d,%d\n" % (i, i) for i in range(2, 100))
    packed = gzip.compress(b"timestamp,rss_bytes\n1,1\n" + b"9" * (12 << 20) + b"\n" + rows, compresslevel=1)
    for _ in range(25):
        (trace,) = read_traces("-", stdin=io.BytesIO(packed))
        assert (len(trace.time_seconds), trace.dropped_rows) == (99, 1)


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    """A small archive that unpacks into one endless line is refused at its first 16 MiB."""
    bomb = gzip.compress(b"timestamp,rss_bytes\n1,2\n" + b"9" * (40 << 20), compresslevel=1)
    with pytest.raises(TraceError, match=r"-:3: this line is longer than 16 MiB"):
        read_traces("-", stdin=io.BytesIO(bomb))
