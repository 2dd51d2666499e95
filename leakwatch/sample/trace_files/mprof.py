"""``mprofile_*.dat`` of ``mprof run`` (https://github.com/pythonprofilers/memory_profiler, mprof.py)."""

from dataclasses import replace

from leakwatch.sample.trace_files.archive import TraceFile
from leakwatch.sample.trace_files.rows import RowCollector, to_traces
from leakwatch.trace import Trace

MIB = 2.0**20
"""mprof prints MB and divides by 2**20."""


def read(file: TraceFile) -> list[Trace]:
    """The resident memory of the process (``MEM``), and of each child (``CHLD``) where mprof ran with --multiprocess.

    Raises:
        TraceError: not UTF-8.
    """
    collector = RowCollector(("rss_bytes",))
    for number, line in file.lines():
        match line.split():
            case ["MEM", mebibytes, seconds]:
                name = None
            case ["CHLD", pid, mebibytes, seconds]:
                name = f"child {pid}"
            case ["MEM" | "CHLD", *_]:
                collector.reject(number, "row cut short or glued together")
                continue
            case _:
                continue  # CMDLINE and FUNC lines measure nothing
        try:
            collector.add(number, float(seconds), (float(mebibytes) * MIB,), name)
        except ValueError:
            collector.reject(number, "memory or time is no number", name)
    rows = collector.rows()
    if len(rows.names) > 1:
        rows = replace(rows, names=[name or "main" for name in rows.names])
    return to_traces(file.source, rows)
