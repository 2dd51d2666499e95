"""A log as chunks of bytes from its start to its end: files, compressed ones, pipes, and the kernel's ring buffer.

A chunk ends anywhere, also within a line or a character. An empty chunk says that nothing more has come for
`QUIET_SECONDS`, which only a live source does.
"""

import fcntl
import io
import lzma
import os
import select
import stat
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, cast

from leakwatch.errors import LeakwatchError
from leakwatch.sample.compression import decompressor
from leakwatch.sample.log_files.find import STANDARD_INPUT

CHUNK_BYTES = 1 << 20
QUIET_SECONDS = 0.5
"""Lines of one message come together; after this long a message that may be wrapped is taken to be whole."""

KMSG_DEVICE = os.makedev(1, 11)
"""/dev/kmsg (Documentation/admin-guide/devices.txt of the kernel), whatever its name in a container."""
_KMSG_RECORD_BYTES = 16 * 1024  # a read that is too short for the record fails (Documentation/ABI/testing/dev-kmsg)
BINARY_JOURNAL = b"LPKSHHRH"
"""The first bytes of a file of systemd's journal (https://systemd.io/JOURNAL_FILE_FORMAT/)."""


def read_log(source: str) -> Iterator[bytes]:
    """All chunks of one source; ``-`` is standard input, and /dev/kmsg gives what the ring buffer holds now.

    Raises:
        LeakwatchError: it cannot be opened or read, is damaged, or is a binary journal.
    """
    try:
        descriptor = 0 if source == STANDARD_INPUT else os.open(source, os.O_RDONLY)
    except (OSError, ValueError) as error:
        raise cannot_open(source, error) from None
    try:
        status = os.fstat(descriptor)
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == KMSG_DEVICE:
            os.set_blocking(descriptor, False)
            yield from kernel_records(descriptor)
        elif stat.S_ISREG(status.st_mode):
            yield from _unpacked(source, iter(lambda: os.read(descriptor, CHUNK_BYTES), b""))
        else:
            yield from _unpacked(source, _from_pipe(descriptor))
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        what = f"cannot be read to its end ({' '.join(str(error).split())})"
        raise LeakwatchError(f"{source}: {what}; what stands before that was read, copy the file again") from None
    finally:
        if descriptor:
            os.close(descriptor)


def kernel_records(descriptor: int) -> Iterator[bytes]:
    """What the kernel's ring buffer holds beyond the position of ``descriptor``, which must not block."""
    records: list[bytes] = []
    while True:
        try:
            records.append(os.read(descriptor, _KMSG_RECORD_BYTES))
        except BlockingIOError:
            break
        except BrokenPipeError:  # the next record was overwritten; the one after it is read next
            continue
        if len(records) == 1024:
            yield b"".join(records)
            records.clear()
    if records:
        yield b"".join(records)


def cannot_open(source: str, error: OSError | ValueError) -> LeakwatchError:
    """The error of a path that cannot be opened."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return LeakwatchError(f"{source}: cannot be opened ({why}); check the path and its permissions")


def cannot_read(source: str, error: OSError) -> LeakwatchError:
    """The error of a source that was open and can be read no longer."""
    return LeakwatchError(f"{source}: cannot be read ({error.strerror or error}); give another source")


def _from_pipe(descriptor: int) -> Iterator[bytes]:
    with suppress(
        OSError
    ):  # a full pipe then holds a whole chunk; only a pipe has a size, and a container may forbid it
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    quiet = True
    while True:
        if poll.poll(None if quiet else QUIET_SECONDS * 1000):
            chunk = os.read(descriptor, CHUNK_BYTES)
            if not chunk:
                return
            quiet = False
            yield chunk
        else:
            quiet = True
            yield b""


def _unpacked(source: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = next(chunks, b"")
    if head.startswith(BINARY_JOURNAL):
        how = f"give its text: journalctl --file {source} -o json | leakwatch logs -"
        raise LeakwatchError(f"{source}: this is a binary journal; {how}")
    decompress = decompressor(head)
    if decompress is None:
        if head:
            yield head
        yield from chunks
        return
    packed = cast(BinaryIO, io.BufferedReader(_Joined(head, chunks), CHUNK_BYTES))
    with decompress(packed) as unpacked:
        yield from iter(lambda: unpacked.read(CHUNK_BYTES), b"")


class _Joined(io.RawIOBase):
    """Chunks as one stream, from its start on; a pipe cannot go back to its first bytes."""

    def __init__(self, head: bytes, rest: Iterator[bytes]) -> None:
        self._left, self._rest = memoryview(head), rest

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As `io.RawIOBase.readinto`; pauses of a live source are waited out."""
        while not self._left:
            chunk = next(self._rest, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count
