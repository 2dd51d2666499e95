"""The native CSV written live (contracts.md section 1): appended to, rotated by size, whole after a kill at any moment.

A row is one write, and a file whose last line has no end is cut back to the one before when it is opened again: what a
kill, a full disk or a lost power supply left of a row is never read as numbers. A column that appears later (the first
request to a new model) gets its place by writing the file anew beside itself and putting that in its place.
"""

import contextlib
import csv
import fcntl
import io
import os
from collections.abc import Iterator, Sequence

from leakwatch.errors import LeakwatchError
from leakwatch.trace import MEMORY_COLUMNS, Sample

TIME = "timestamp"
_FIRST = (TIME, *MEMORY_COLUMNS, "limit_bytes")
_CHUNK_BYTES = 1 << 16


class TraceWriter:
    """One file that samples are appended to.

    Args:
        path: of the file; where it is there already, it is gone on with.
        rotate_bytes: a file that would grow past this becomes ``PATH.1``, and that ``PATH.2``; None: never.
        keep: so many rotated files stay.

    Raises:
        LeakwatchError: the file is there and is no trace of ours, or somebody else writes to it.
        OSError: it cannot be opened or written.
    """

    def __init__(self, path: str, rotate_bytes: int | None = None, keep: int = 9) -> None:
        self.path, self._rotate_bytes, self._keep = path, rotate_bytes, keep
        self._file = self._opened()
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._beside)
        self._columns, self._size = self._resumed()

    def write(self, sample: Sample) -> None:
        """Append one row.

        Raises:
            OSError: there is no room, for example; the file ends with a whole line all the same.
        """
        names = {_one_line(name): value for name, value in sample.values.items()}
        missing = sorted(names.keys() - set(self._columns), key=_order)
        if missing:
            self._widen(missing)
        row = _line([_time(sample.time_seconds), *(_cell(names.get(name)) for name in self._columns[1:])])
        if self._rotate_bytes is not None and self._size + len(row) > self._rotate_bytes and self._size:
            self._rotate()
        self._append(row if self._size else _line(self._columns) + row)

    def close(self) -> None:
        """Have the rows on the disk, and let go."""
        if not self._file.closed:
            try:
                os.fsync(self._file.fileno())
            finally:
                self._file.close()

    @property
    def _beside(self) -> str:
        return f"{self.path}.widening"

    def _opened(self) -> io.FileIO:
        file = io.FileIO(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644), "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise LeakwatchError(f"{self.path}: somebody else records to it; name another file") from None
        return file

    def _resumed(self) -> tuple[list[str], int]:
        """The columns and the size of what is there, cut back to its last whole line."""
        size = self._end_of_last_line()
        self._file.seek(0)
        head = next(_whole_lines(self._file, size), b"").decode("utf-8", "replace")
        columns = next(csv.reader([head]), [])
        if columns[:1] != [TIME] if size else not self._is_torn_header():
            self._file.close()
            raise LeakwatchError(f"{self.path}: is there, and is no trace that leakwatch wrote; name another file")
        self._file.truncate(size)
        return columns or [TIME], size

    def _is_torn_header(self) -> bool:
        """Whether a file without a whole line is empty, or begins as a header of ours does."""
        self._file.seek(0)
        header = f"{TIME},".encode()
        return header.startswith(self._file.read(len(header)))

    def _end_of_last_line(self) -> int:
        end = self._file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _CHUNK_BYTES)
            self._file.seek(start)
            newline = self._file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
        return 0

    def _widen(self, names: Sequence[str]) -> None:
        """Give the file more columns; a kill meanwhile leaves the old file as it was."""
        columns = [*self._columns, *names]
        if not self._size:
            self._columns = [TIME, *sorted(columns[1:], key=_order)]
            return
        self._file.seek(0)
        lines = _whole_lines(self._file, self._size)
        next(lines)
        with open(self._beside, "wb") as wider:
            wider.write(_line(columns))
            wider.writelines(line + b"," * len(names) + b"\n" for line in lines)
            wider.flush()
            os.fsync(wider.fileno())
        os.replace(self._beside, self.path)
        self._file.close()
        self._file = self._opened()
        self._columns, self._size = columns, self._file.seek(0, os.SEEK_END)

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep, 0, -1):
            older = self.path if number == 1 else f"{self.path}.{number - 1}"
            if os.path.exists(older):
                os.replace(older, f"{self.path}.{number}")
        if not self._keep:
            os.remove(self.path)
        self._file, self._size = self._opened(), 0

    def _append(self, rows: bytes) -> None:
        written = 0
        try:
            while written < len(rows):
                written += self._file.write(rows[written:]) or 0
        except OSError:
            self._file.truncate(self._size)
            raise
        self._size += len(rows)


def _whole_lines(file: io.FileIO, size: int) -> Iterator[bytes]:
    """The lines of the first ``size`` bytes, without their ends."""
    buffered = io.BufferedReader(file, _CHUNK_BYTES)
    try:
        while buffered.tell() < size:
            yield buffered.readline().rstrip(b"\r\n")
    finally:
        buffered.detach()


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "replace")


def _one_line(name: str) -> str:
    """A column's name in which no character ends a line: a model may be named anything."""
    return name if name.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in name)


def _order(name: str) -> tuple[int, str]:
    """Memory first, as the contract lists it."""
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _time(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(float(value))
