"""What a compressed file begins with, and the stream that undoes it."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from typing import BinaryIO, cast


def _zstd(raw: BinaryIO) -> BinaryIO:
    # pyarrow, and not zstandard: the latter's stream ends silently where the archive was cut short.
    import pyarrow as pa

    return cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"))


DECOMPRESSORS: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda raw: cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb")),
    b"BZh": lambda raw: cast(BinaryIO, bz2.BZ2File(raw)),
    b"\xfd7zXZ\x00": lambda raw: cast(BinaryIO, lzma.LZMAFile(raw)),  # noqa: SIM115
    b"\x28\xb5\x2f\xfd": _zstd,
}
"""By the first bytes of a compressed file (RFC 1952, bzip2, the .xz format, RFC 8878)."""


def decompressor(head: bytes) -> Callable[[BinaryIO], BinaryIO] | None:
    """What undoes the compression of a file that begins with ``head``; None where it is not compressed."""
    return next((opened for start, opened in DECOMPRESSORS.items() if head.startswith(start)), None)
