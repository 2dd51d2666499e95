"""Lines of ``docker stats --format '{{json .}}'``, bare or with a time that the collector added."""

import json
import math
from collections import Counter

from leakwatch.quantities import parse_size, parse_time, shown
from leakwatch.sample.trace_files.archive import TraceFile
from leakwatch.sample.trace_files.recognise import ESCAPES
from leakwatch.sample.trace_files.rows import RowCollector, to_traces
from leakwatch.trace import Trace

TIME_KEYS = ("Timestamp", "timestamp", "time")


def read(file: TraceFile, interval_seconds: float | None = None) -> list[Trace]:
    """The traces of all containers in the file; MemUsage is the working set, and its limit stands after the ``/``.

    Docker's client subtracts the inactive file pages (https://docs.docker.com/reference/cli/docker/container/stats/).

    Args:
        interval_seconds: between two lines of one container that bear no time; None is 1 s, and a note says so.

    Raises:
        TraceError: not UTF-8.
    """
    collector = RowCollector(("working_set_bytes", "limit_bytes", "threads"))
    seen: Counter[str | None] = Counter()
    untimed = False
    for number, line in file.lines():
        text = ESCAPES.sub("", line).strip()
        if not text:
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            collector.reject(number, "no JSON object")
            continue
        # JSON can spell half a surrogate pair ("\\ud800"), which no terminal can print.
        name = next(
            (
                str(record[key]).encode(errors="replace").decode()
                for key in ("Name", "Container", "ID")
                if record.get(key)
            ),
            None,
        )
        key = next((key for key in TIME_KEYS if key in record), None)
        untimed |= key is None
        try:
            time_seconds = seen[name] * (interval_seconds or 1.0) if key is None else parse_time(str(record[key]))
        except ValueError:
            collector.reject(number, f"{key} {shown(str(record[key]))} is no time", name)
            continue
        seen[name] += 1
        used, _, limit = str(record.get("MemUsage", "")).partition("/")
        sizes = (_size(used), _size(limit))
        # A container that is stopped shows "0B / 0B", or dashes: that is no measurement.
        running = sizes != (0.0, 0.0)
        collector.add(number, time_seconds, (*(sizes if running else (math.nan, math.nan)), _count(record)), name)
    assumed = untimed and interval_seconds is None
    return to_traces(
        file.source, collector.rows(("1 s between samples assumed (--interval says otherwise)",) * assumed)
    )


def _size(text: str) -> float:
    try:
        return parse_size(text)
    except ValueError:
        return math.nan


def _count(record: dict[str, object]) -> float:
    """PIDs: what the pids cgroup counts, which is threads."""
    try:
        return float(str(record.get("PIDs")))
    except ValueError:
        return math.nan
