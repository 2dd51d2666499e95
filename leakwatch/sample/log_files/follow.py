"""Many logs followed at once, for ever: files through their rotations, pipes, standard input, the kernel's messages."""

import os
import select
import stat
import time
from collections.abc import Iterator, Sequence

from leakwatch.errors import LeakwatchError
from leakwatch.sample.compression import decompressor
from leakwatch.sample.log_files.chunks import (
    BINARY_JOURNAL,
    CHUNK_BYTES,
    KMSG_DEVICE,
    QUIET_SECONDS,
    cannot_open,
    kernel_records,
    read_log,
)
from leakwatch.sample.log_files.find import STANDARD_INPUT, files_in, is_rotated_name
from leakwatch.sample.log_files.tail import Tail

LOOK_SECONDS = 0.25
"""How often a file is looked at: nothing tells of its growth without a watch for each folder."""
_FOLDER_SECONDS = 1.0


def follow_logs(paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    """(source, chunk) as they come; an empty chunk says that the source has fallen quiet, None that it has ended.

    A file that is not there yet is waited for; a folder's files are followed, and those that come to it later too.
    Ends when every source has ended, which a file that can grow never does.

    Raises:
        LeakwatchError: a source cannot be opened, or is damaged.
    """
    streams: dict[int, str] = {}
    tails: list[Tail] = []
    folders = [path for path in paths if os.path.isdir(path)]
    for path in paths:
        for source in files_in(path) if path in folders else [path]:
            match _kind(source):
                case "stream":
                    streams[_open_stream(source)] = source
                case "packed":
                    yield from ((source, chunk) for chunk in read_log(source))
                    yield source, None
                case _:
                    tails.append(Tail(source))
    try:
        yield from _follow(streams, tails, folders)
    finally:
        for tail in tails:
            tail.close()
        for descriptor in streams:
            if descriptor:
                os.close(descriptor)


def _follow(streams: dict[int, str], tails: list[Tail], folders: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    poll = select.poll()
    for descriptor in streams:
        poll.register(descriptor, select.POLLIN)
    heard: dict[str, float] = {}
    looked_for_files = time.monotonic()
    while streams or tails or folders:
        more = False
        for tail in tails:
            for chunk in tail.news():
                more = True
                heard[tail.source] = time.monotonic()
                yield tail.source, chunk
        for descriptor, _ in poll.poll(0 if more else LOOK_SECONDS * 1000):
            source = streams[descriptor]
            for stream_chunk in _read_stream(descriptor):
                heard[source] = time.monotonic()
                yield source, stream_chunk
                if stream_chunk is None:
                    poll.unregister(descriptor)
                    del streams[descriptor], heard[source]
        now = time.monotonic()
        for source in [source for source, at in heard.items() if now - at >= QUIET_SECONDS]:
            del heard[source]
            yield source, b""
        if folders and now - looked_for_files >= _FOLDER_SECONDS:
            looked_for_files = now
            tails += _newcomers(folders, tails)


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
    """How to follow it: "file", "stream" (pipes, devices, standard input), or "packed", which is read once."""
    if source == STANDARD_INPUT:
        return "stream"
    try:
        if not stat.S_ISREG(os.stat(source).st_mode):
            return "stream"
        with open(source, "rb", buffering=0) as file:
            head = file.read(len(BINARY_JOURNAL))
            return "packed" if decompressor(head) or head == BINARY_JOURNAL else "file"
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


def _read_stream(descriptor: int) -> Iterator[bytes | None]:
    status = os.fstat(descriptor)
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == KMSG_DEVICE:
        yield from kernel_records(descriptor)
        return
    try:
        yield os.read(descriptor, CHUNK_BYTES) or None
    except BlockingIOError:
        return
    except OSError as error:
        raise LeakwatchError(f"cannot be read ({error.strerror}); give another source") from None
