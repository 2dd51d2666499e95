"""One growing log file, read on through its rotations: renamed and made anew, or copied away and cut to nothing."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from leakwatch.sample.log_files.chunks import CHUNK_BYTES
from leakwatch.sample.log_files.find import is_rotated_name

GRACE_SECONDS = 1.0
"""A writer goes on with the renamed file until it is told; we leave it once nothing has come for this long."""
LONGEST_GRACE_SECONDS = 10.0
"""But if another process fills the new file, one that never lets go of the old one cannot hold us."""

_MARK_BYTES = 4096
"""So many bytes before our place are looked at again: others there mean that the file was cut and has grown anew."""
_CHUNKS_AT_ONCE = 16  # then other sources have their turn


class Tail:
    """A log file that is followed by name; it need not be there yet.

    Args:
        from_end: what the file holds now is passed over; a file that comes later is read from its start.

    Attributes:
        source: the path as the caller gave it.
    """

    def __init__(self, source: str, *, from_end: bool = False) -> None:
        self.source = source
        self._file: int | None = None
        self._place, self._mark = 0, b""
        self._ends_line = True
        self._replaced = self._last_news = 0.0
        if from_end and self._open():
            assert self._file is not None
            self._place = os.fstat(self._file).st_size
            self._mark = os.pread(self._file, _MARK_BYTES, max(0, self._place - _MARK_BYTES))
            self._place = max(0, self._place - _MARK_BYTES) + len(self._mark)
            self._ends_line = not self._mark or self._mark.endswith(b"\n")

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode of the file that is being read; None where there is none yet."""
        if self._file is None:
            return None
        status = os.fstat(self._file)
        return status.st_dev, status.st_ino

    def news(self) -> Iterator[bytes]:
        """What has come since the last call, as chunks; at most some, so that other sources have their turn."""
        if self._file is None and not self._open():
            return
        for chunk in self._grown():
            self._last_news = time.monotonic()
            yield chunk
        if self._may_leave():
            old = self._file
            if self._open():
                assert old is not None
                os.close(old)
                yield from self._line_end()
                yield from self._grown()

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> bool:
        try:
            file = os.open(self.source, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:  # between the rename and the new file, or before it gets its permissions: look again
            return False
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            return False
        self._file, self._place, self._mark, self._replaced = file, 0, b"", 0.0
        return True

    def _may_leave(self) -> bool:
        """Whether another file bears the name, holds something, and the old one is done with."""
        try:
            status = os.stat(self.source)
        except OSError:
            return False
        if (status.st_dev, status.st_ino) == self.identity:
            self._replaced = 0.0
            return False
        now = time.monotonic()
        self._replaced = self._replaced or now
        waited = now - max(self._replaced, self._last_news) >= GRACE_SECONDS
        return status.st_size > 0 and (waited or now - self._replaced >= LONGEST_GRACE_SECONDS)

    def _grown(self) -> Iterator[bytes]:
        for _ in range(_CHUNKS_AT_ONCE):
            assert self._file is not None
            chunk = os.pread(self._file, len(self._mark) + CHUNK_BYTES, self._place - len(self._mark))
            if not chunk.startswith(self._mark):
                yield from self._copied_away()
                yield from self._line_end()
                self._place, self._mark = 0, b""
                continue
            chunk = chunk[len(self._mark) :]
            if not chunk:
                return
            yield self._taken(chunk)

    def _copied_away(self) -> Iterator[bytes]:
        """What was written after our last look and before the cut: it stands in the copy, if that is still there."""
        folder = os.path.dirname(self.source) or "."
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if is_rotated_name(os.path.join(os.path.dirname(self.source), entry.name), self.source):
                    with suppress(OSError), open(entry.path, "rb", buffering=0) as copy:
                        copy.seek(self._place - len(self._mark))
                        if self._mark and copy.read(len(self._mark)) == self._mark:
                            yield from map(self._taken, iter(partial(copy.read, CHUNK_BYTES), b""))
                            return

    def _taken(self, chunk: bytes) -> bytes:
        self._place += len(chunk)
        self._mark = (self._mark + chunk[-_MARK_BYTES:])[-_MARK_BYTES:]
        self._ends_line = chunk.endswith(b"\n")
        return chunk

    def _line_end(self) -> Iterator[bytes]:
        """What the old file left half written does not run into the first line of the new one."""
        if not self._ends_line:
            self._ends_line = True
            yield b"\n"
