"""Recorded traces: every form that people have at hand, recognised by content, plain or compressed.

One module a form, each with ``read(file) -> list[Trace]``; ``rows`` holds the rules for dirt that all of them share.
"""

import lzma
import zlib
from importlib import import_module
from typing import BinaryIO

from leakwatch.errors import TraceError
from leakwatch.sample.trace_files.archive import TraceFile, opened
from leakwatch.sample.trace_files.recognise import recognise
from leakwatch.trace import Trace

FORMATS: tuple[str, ...] = ("native", "prometheus", "openmetrics", "grafana", "docker-stats", "mprof", "psrecord")
"""The names for --format; each is a module of this package, imported once a file needs it."""


def read_traces(
    path: str,
    *,
    format: str | None = None,
    interval_seconds: float | None = None,
    stdin: BinaryIO | None = None,
    one_of_many: bool = False,
) -> list[Trace]:
    """All containers of one file, in the order in which they first appear; at least one, perhaps without samples.

    Args:
        path: a file; ``-`` reads standard input.
        format: one of FORMATS; None recognises the form by its content.
        interval_seconds: between two lines of ``docker stats`` that bear no time; None assumes 1 s and notes it.
        stdin: what ``-`` reads; None is the process' own.
        one_of_many: whether a dozen files or more are read by this process, so that loading a fast reader pays.

    Raises:
        TraceError: the file cannot be opened, is empty, damaged, not UTF-8, or holds no memory.
        ValueError: ``format`` is none of FORMATS.
    """
    if format is not None and format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    try:
        with opened(path, stdin, one_of_many=one_of_many) as file:
            return _read(file, format, interval_seconds)
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        what = f"the file is damaged or cut short ({' '.join(str(error).split())})"
        raise TraceError(path, what, "copy or compress it again") from None


def _read(file: TraceFile, format: str | None, interval_seconds: float | None) -> list[Trace]:
    if not file.head:
        raise TraceError(file.source, "the file is empty", "record samples first, or give another file")
    name = format or recognise(file)
    reader = import_module(f"{__name__}.{name.replace('-', '_')}")
    options = {"interval_seconds": interval_seconds} if name == "docker-stats" else {}
    traces: list[Trace] = reader.read(file, **options)
    return traces
