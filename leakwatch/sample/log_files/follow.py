"""Many logs followed at once, for ever: files through their rotations, pipes, standard input, the kernel's messages."""

import os
import select
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from leakwatch.errors import LeakwatchError
from leakwatch.sample.compression import decompressor
from leakwatch.sample.log_files.chunks import (
    BINARY_JOURNAL,
    CHUNK_BYTES,
    KMSG_DEVICE,
    QUIET_SECONDS,
    cannot_open,
    cannot_read,
    kernel_records,
    read_log,
)
from leakwatch.sample.log_files.find import STANDARD_INPUT, files_in, is_rotated_name
from leakwatch.sample.log_files.tail import Tail

LOOK_SECONDS = 0.25
"""How often a file is looked at: nothing tells of its growth without a watch for each folder."""
_FOLDER_SECONDS = 1.0

Chunk = tuple[str, bytes | None]
"""A source, and bytes of it; empty ones say that it has fallen quiet, None that it has ended."""


def follow_logs(paths: Sequence[str]) -> Iterator[Chunk]:
    """(source, chunk) as they come; an empty chunk says that the source has fallen quiet, None that it has ended.

    A file that is not there yet is waited for; a folder's files are followed, and those that come to it later too.
    Ends when every source has ended, which a file that can grow never does.

    Raises:
        LeakwatchError: a source cannot be opened or read, or is damaged.
    """
    follower = Follower(paths)
    try:
        while follower.sources_left:
            yield from follower.poll(LOOK_SECONDS)
    finally:
        follower.close()


class Follower:
    """Logs that are followed, asked again and again for what is new. Holds no more than a place in each.

    Args:
        paths: files (they need not be there yet), folders, pipes, ``-``, /dev/kmsg.
        from_end: what stands in files and in the kernel's ring buffer now is passed over.

    Raises:
        LeakwatchError: a source cannot be opened.
    """

    def __init__(self, paths: Sequence[str], *, from_end: bool = False) -> None:
        self._folders = [path for path in paths if os.path.isdir(path)]
        self._packed: list[str] = []
        self._tails: list[Tail] = []
        self._streams: dict[int, str] = {}
        self._poll = select.poll()
        self._heard: dict[str, float] = {}
        self._looked_for_files = time.monotonic()
        try:
            for path in paths:
                for source in files_in(path) if path in self._folders else [path]:
                    self._add(source, from_end=from_end)
        except LeakwatchError:
            self.close()
            raise

    @property
    def sources_left(self) -> bool:
        """Whether anything may still come."""
        return bool(self._packed or self._tails or self._streams or self._folders)

    def poll(self, timeout_seconds: float = 0.0) -> Iterator[Chunk]:
        """What has come since the last call: of a file at most some megabytes, so that others have their turn.

        Waits for at most ``timeout_seconds`` where nothing has. Compressed files, which do not grow, are read whole.

        Raises:
            LeakwatchError: a source cannot be read, or is damaged; it is left out from then on, the others go on.
        """
        while self._packed:
            source = self._packed.pop(0)
            yield from ((source, chunk) for chunk in read_log(source))
            yield source, None
        more = False
        for tail in tuple(self._tails):
            for chunk in self._news(tail):
                more = True
                self._heard[tail.source] = time.monotonic()
                yield tail.source, chunk
        for descriptor, _ in self._poll.poll(0 if more else timeout_seconds * 1000):
            yield from self._read_stream(descriptor)
        now = time.monotonic()
        for source in [source for source, at in self._heard.items() if now - at >= QUIET_SECONDS]:
            del self._heard[source]
            yield source, b""
        if self._folders and now - self._looked_for_files >= _FOLDER_SECONDS:
            self._looked_for_files = now
            self._tails += _newcomers(self._folders, self._tails)

    def close(self) -> None:
        """Let all files go."""
        for tail in self._tails:
            tail.close()
        for descriptor in self._streams:
            if descriptor:
                os.close(descriptor)
        self._tails, self._streams, self._folders, self._packed = [], {}, [], []

    def _add(self, source: str, *, from_end: bool) -> None:
        match _kind(source):
            case "stream":
                descriptor = _open_stream(source)
                if from_end and _is_kernel_buffer(descriptor):
                    os.lseek(descriptor, 0, os.SEEK_END)
                self._streams[descriptor] = source
                self._poll.register(descriptor, select.POLLIN)
            case "packed" if from_end:
                pass
            case "packed" | "journal":
                self._packed.append(source)
            case _:
                self._tails.append(Tail(source, from_end=from_end))

    def _news(self, tail: Tail) -> Iterator[bytes]:
        try:
            yield from tail.news()
        except OSError as error:
            self._tails.remove(tail)
            tail.close()
            raise cannot_read(tail.source, error) from None

    def _read_stream(self, descriptor: int) -> Iterator[Chunk]:
        source = self._streams[descriptor]
        try:
            if _is_kernel_buffer(descriptor):
                for records in kernel_records(descriptor):
                    self._heard[source] = time.monotonic()
                    yield source, records
                return
            chunk = os.read(descriptor, CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._drop(descriptor)
            raise cannot_read(source, error) from None
        if chunk:
            self._heard[source] = time.monotonic()
            yield source, chunk
        else:
            self._drop(descriptor)
            yield source, None

    def _drop(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._heard.pop(self._streams.pop(descriptor), None)
        if descriptor:
            with suppress(OSError):
                os.close(descriptor)


def _newcomers(folders: Sequence[str], tails: Sequence[Tail]) -> list[Tail]:
    """Files that were not there before; one that is followed and has got a new name, or its copy, is none."""
    known = {tail.source for tail in tails}
    inodes = {tail.identity for tail in tails}
    found = []
    for source in (source for folder in folders for source in files_in(folder) if source not in known):
        status = os.stat(source) if os.path.exists(source) else None
        if status is None or (status.st_dev, status.st_ino) in inodes or _kind(source) != "file":
            continue
        if not any(is_rotated_name(source, log) for log in known):
            found.append(Tail(source))
    return found


def _kind(source: str) -> str:
    """How to follow it: "file", "stream" (pipes, devices, standard input), or, read once, "packed", "journal"."""
    if source == STANDARD_INPUT:
        return "stream"
    try:
        if not stat.S_ISREG(os.stat(source).st_mode):
            return "stream"
        with open(source, "rb", buffering=0) as file:
            head = file.read(len(BINARY_JOURNAL))
            return "journal" if head == BINARY_JOURNAL else "packed" if decompressor(head) else "file"
    except FileNotFoundError:
        return "file"
    except (OSError, ValueError) as error:
        raise cannot_open(source, error) from None


def _open_stream(source: str) -> int:
    if source == STANDARD_INPUT:
        return 0
    # A FIFO that we too may write to has no end when its writer goes: the next writer is waited for.
    access = os.O_RDWR if stat.S_ISFIFO(os.stat(source).st_mode) else os.O_RDONLY
    try:
        return os.open(source, access | os.O_NONBLOCK)
    except OSError as error:
        raise cannot_open(source, error) from None


def _is_kernel_buffer(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == KMSG_DEVICE
