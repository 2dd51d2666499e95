"""A trace file as bytes: opened, decompressed as a stream, and cut into numbered lines of text."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, cast

from leakwatch.errors import TraceError
from leakwatch.sample.compression import decompressor

HEAD_BYTES = 256 * 1024
"""How much is looked at to recognise a file. Row by row this much takes some 20 ms, to load pyarrow some 40 ms, once:
so a longer file goes through pyarrow, with a small loss at worst and a gain in every call with several files."""

ONE_OF_MANY_BYTES = 16 * 1024
"""The same where many files share the cost of loading pyarrow."""

LONGEST_LINE_BYTES = 16 * 1024 * 1024
"""A line beyond this is no row of any trace; the bound keeps a bomb of one endless line out of memory."""


class TraceFile:
    """One file of traces, which may be read from its start as often as needed.

    Attributes:
        source: the path exactly as the caller gave it.
        head: the first bytes, decompressed (at most HEAD_BYTES).
        is_large: whether it is worth reading by pyarrow.
    """

    def __init__(self, source: str, place: str, handles: ExitStack, *, one_of_many: bool = False) -> None:
        self.source = source
        self._place, self._handles = place, handles
        with open(place, "rb") as raw:
            magic = raw.read(8)
        self._decompress = decompressor(magic)
        self.head = self.open().read(HEAD_BYTES)
        self.is_large = len(self.head) >= (ONE_OF_MANY_BYTES if one_of_many else HEAD_BYTES)

    def open(self) -> BinaryIO:
        """The decompressed bytes from their start, open until the TraceFile is done with.

        Every stream has a handle of its own: pyarrow's threads go on reading ahead after it has refused a file, and
        would move the position of whoever reads next.
        """
        raw = self._handles.enter_context(open(self._place, "rb"))  # noqa: SIM115
        if self._decompress is None:
            return raw
        return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, self._decompress(raw)), 1 << 16))

    def lines(self) -> Iterator[tuple[int, str]]:
        """Lines with their 1-based numbers, without their ends (LF, CR LF or CR) and without a byte-order mark.

        Raises:
            TraceError: bytes that are not UTF-8, or a line without end.
        """
        return _numbered(self.source, self.open())

    def head_lines(self) -> Iterator[tuple[int, str]]:
        """The lines of the head alone, without opening the file again; the last one may be cut."""
        return _numbered(self.source, io.BytesIO(self.head))


def _numbered(source: str, stream: BinaryIO) -> Iterator[tuple[int, str]]:
    number = 0
    for chunk in iter(lambda: stream.readline(LONGEST_LINE_BYTES), b""):
        if len(chunk) == LONGEST_LINE_BYTES:
            raise TraceError(source, "this line is longer than 16 MiB", "give a text file of samples", number + 1)
        for raw_line in chunk.splitlines():
            number += 1
            try:
                line = raw_line.decode()
            except UnicodeDecodeError:
                raise not_utf8(source, number) from None
            yield number, line.removeprefix("\ufeff") if number == 1 else line


def not_utf8(source: str, line: int | None = None) -> TraceError:
    """The error of a file in another encoding."""
    return TraceError(source, "the text is not UTF-8", "convert it, for example with iconv -t UTF-8", line)


@contextmanager
def opened(path: str, stdin: BinaryIO | None = None, *, one_of_many: bool = False) -> Iterator[TraceFile]:
    """The file at a path, or standard input for ``-``; what cannot be read twice (a pipe) is copied to disk first.

    Raises:
        TraceError: the file cannot be opened, or is a folder.
    """
    place = "/dev/stdin" if path == "-" else path
    with ExitStack() as handles:
        try:
            source = stdin if path == "-" and stdin is not None else handles.enter_context(open(place, "rb"))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise TraceError(path, f"cannot be opened ({why})", "check the path and its permissions") from None
        if source is stdin or not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            place = _copied(path, source, handles)
        yield TraceFile(path, place, handles, one_of_many=one_of_many)


def _copied(path: str, source: BinaryIO, handles: ExitStack) -> str:
    import shutil
    import tempfile

    try:
        copy = handles.enter_context(tempfile.NamedTemporaryFile(prefix="leakwatch-"))  # noqa: SIM115
        shutil.copyfileobj(source, copy)
        copy.flush()
    except OSError as error:
        why = f"cannot be copied to a temporary file ({error.strerror})"
        raise TraceError(path, why, "set TMPDIR to a folder with room") from None
    return copy.name
