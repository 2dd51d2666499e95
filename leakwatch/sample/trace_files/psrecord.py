"""Logs of ``psrecord --log`` (https://github.com/astrofrog/psrecord), plain or ``--log-format csv``."""

import math

from leakwatch.sample.trace_files.archive import TraceFile
from leakwatch.sample.trace_files.recognise import PSRECORD_CSV_HEADER
from leakwatch.sample.trace_files.rows import RowCollector, to_traces
from leakwatch.trace import Trace

MIB = 2.0**20
"""psrecord prints MB and divides by 1024**2."""

PLAIN_COLUMNS: tuple[str, ...] = ("elapsed_time", "cpu", "mem_real", "mem_virtual")


def read(file: TraceFile) -> list[Trace]:
    """The one process of the log, its times those since the start of the recording (so the trace starts at 0).

    Raises:
        TraceError: not UTF-8.
    """
    separator, columns = None, PLAIN_COLUMNS
    collector = RowCollector(("rss_bytes", "virtual_bytes"))
    for number, line in file.lines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line.startswith(PSRECORD_CSV_HEADER):
            separator, columns = ",", tuple(line.strip().split(","))
            continue
        cells = dict(zip(columns, line.split(separator), strict=False))
        if len(cells) < len(columns):
            collector.reject(number, f"row cut short: {len(cells)} of {len(columns)} cells")
            continue
        try:
            numbers = [float(cells.get(name, math.nan)) for name in ("elapsed_time", "mem_real", "mem_virtual")]
        except ValueError:
            collector.reject(number, "time or memory is no number")
            continue
        collector.add(number, numbers[0], [mebibytes * MIB for mebibytes in numbers[1:]])
    return to_traces(file.source, collector.rows())
