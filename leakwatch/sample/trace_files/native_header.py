"""The header of a native CSV: which cell holds what, and what a file without one lacks."""

import csv
from dataclasses import dataclass

from leakwatch.errors import TraceError
from leakwatch.quantities import shown
from leakwatch.sample.trace_files.archive import TraceFile
from leakwatch.sample.trace_files.rows import COUNTERS, GAUGES
from leakwatch.trace import MEMORY_COLUMNS

KNOWN_COLUMNS = frozenset((*MEMORY_COLUMNS, *COUNTERS, *GAUGES, "limit_bytes"))

UNKNOWN_CELLS = ("", "nan", "NaN", "NAN", "-nan", "null", "NULL", "None", "none", "NA", "N/A", "n/a", "max", "-")
"""Cells that say "not known" (or, of a limit, "none") in the files of common tools."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header stands (1-based line) and which cell holds what; of columns of one name the first counts."""

    line: int
    width: int
    time_at: int
    container_at: int | None
    columns: dict[str, int]

    def is_known(self, name: str) -> bool:
        """Whether the contract gives this column a meaning."""
        return name.partition(":")[0] in KNOWN_COLUMNS


def find_header(file: TraceFile) -> Header:
    """The first line that is not blank, as a header.

    Raises:
        TraceError: it is none.
    """
    number, line = next(((n, text) for n, text in file.head_lines() if text.strip()), (1, ""))
    try:
        cells = [cell.strip() for cell in next(csv.reader((line,)), [])]
    except csv.Error:
        cells = []
    found = ", ".join(shown(cell, 30) for cell in cells[:12]) + (", ..." if len(cells) > 12 else "")
    columns: dict[str, int] = {}
    for i, cell in enumerate(cells):
        base, colon, model = cell.partition(":")
        columns.setdefault(base.lower() + colon + model if base.lower() in KNOWN_COLUMNS else cell, i)
    by_lower = {cell.lower(): i for i, cell in reversed(list(enumerate(cells)))}
    time_at, container_at = by_lower.get("timestamp"), by_lower.get("container")
    if time_at is None:
        fix = "give a CSV with a timestamp and a memory column, or name the form with --format"
        if any(separator in line for separator in ";\t") and "timestamp" in line.lower():
            fix = "separate the columns with commas"
        raise TraceError(
            file.source, f"no known form of trace: no timestamp column among {found or 'none'}", fix, number
        )
    if not any(name in MEMORY_COLUMNS for name in columns):
        fix = "name one of the columns " + ", ".join(MEMORY_COLUMNS)
        raise TraceError(file.source, f"no memory column among {found}", fix, number)
    numbers = {name: i for name, i in columns.items() if name and i not in (time_at, container_at)}
    return Header(number, len(cells), time_at, container_at, numbers)
