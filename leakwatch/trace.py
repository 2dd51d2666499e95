"""The one form in which numbers travel: a container, a time axis, and columns of float64 beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MEMORY_COLUMNS = (
    "anon_bytes",
    "working_set_bytes",
    "rss_bytes",
    "usage_bytes",
    "file_bytes",
    "shmem_bytes",
    "kernel_bytes",
)
"""Columns that measure memory, the best witness of a leak first (contracts.md section 1)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which container a trace belongs to.

    Attributes:
        source: where the numbers came from, exactly as the caller named it (a path, ``-``, a URL).
        container: the series' own name inside the source; None where the source holds one unnamed series.
    """

    source: str
    container: str | None = None


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A data row that could not be used: its 1-based line number in the source and the reason."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What was measured of one container.

    Attributes:
        target: which container.
        time_seconds: (n,) Unix seconds, strictly rising, finite, read-only; n may be 0.
        columns: by contract name (``anon_bytes``, ``requests_total:MODEL``, ...), each (n,) float64, read-only,
            NaN where the cell is unknown. Without ``timestamp`` and ``limit_bytes``.
        limit_bytes: the last limit that the trace states; None means no limit, or none known.
        dropped_rows: how many data rows were not used; ``len(time_seconds) + dropped_rows`` is every data row.
        dropped: the first three of them.
        notes: what the reader assumed and the person should know ("1 s between samples assumed").
    """

    target: Target
    time_seconds: FloatArray
    columns: Mapping[str, FloatArray]
    limit_bytes: float | None = None
    dropped_rows: int = 0
    dropped: tuple[DroppedRow, ...] = ()
    notes: tuple[str, ...] = field(default=())
