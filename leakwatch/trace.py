"""The one form in which numbers travel: a container, a time axis, and columns of float64 beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

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

LIVE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "peak_bytes": "highest usage of this life that the kernel saw",
        "limit_hits_total": "times usage came to the limit and something had to be given up first (v2 max, v1 failcnt)",
        "oom_kills_total": "kills for want of memory that the cgroup counted (oom_kill)",
        "oom_group_kills_total": "kills of the whole cgroup (oom_group_kill)",
        "oom_events_total": "times the cgroup was out of memory (oom)",
        "restarts_total": "restarts that the runtime counted",
        "memory_pressure_ratio": "share of the last 10 s in which some task waited for memory (PSI some avg10)",
        "cpu_seconds_total": "processor time used",
        "cpu_throttled_seconds_total": "time held back by the processor quota",
        "host_available_bytes": "memory that the host could still hand out",
        "requests_failed_total": "requests that did not end well, without those refused as the caller's mistake",
        "requests_failed_total:STATUS": "the same by the server's status (RESOURCE_EXHAUSTED, 5xx, ...)",
        "requests_refused_total": "requests refused as the caller's mistake, or as not found",
        "latency_p95_seconds:NAME": "95th percentile since the look before, of a model (and API: MODEL/API)",
        "latency_mean_seconds:NAME": "mean since the look before, where the server tells no more than that",
        "queue_seconds:NAME": "mean wait in the batching queue since the look before",
        "queue_depth:NAME": "requests that wait now",
        "batch_size:NAME": "mean size of the batches since the look before",
        "padding_ratio": "share of the batches' rows since the look before that were padding",
        "load_seconds:NAME": "how long the last load of the model took",
        "model_loads_failed_total": "loads of model versions that failed",
        "models_loading": "model versions being loaded now",
        "models_available": "model versions that serve now",
        "xla_compilations_total": "shapes that XLA compiled; what it compiles it keeps",
        "graph_runs_total": "graphs run, one or more for each batch; all that an old server tells of its load",
        "graph_builds_total": "graphs built for new sets of feeds and fetches, each kept until the model is unloaded",
        "gpu_wait_seconds_total": "time that allocations waited for GPU memory",
        "page_bytes": "size of the server's metrics page, which grows with every version ever loaded",
        "gpu_used_bytes:NAME": "memory of a GPU in use",
        "gpu_total_bytes:NAME": "memory of a GPU",
        "gpu_use_ratio:NAME": "share of the time in which a GPU computed",
        "input_sizes": "in how many buckets of a factor 4 the sizes of the inputs lie, since the server started",
    }
)
"""What a live sample may hold beside the columns of a trace (contracts.md section 1), and what each means."""


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
class Sample:
    """One look at one container.

    Attributes:
        time_seconds: Unix seconds at which the numbers were read.
        values: finite numbers by the column names of a trace (``anon_bytes``, ``requests_total:MODEL``, ...) and of
            `LIVE_COLUMNS`; what is unknown is absent. ``limit_bytes`` of 0 is no limit.
        life: names the process or container instance that was read; another name than before is a restart.
    """

    time_seconds: float
    values: Mapping[str, float]
    life: str | None = None


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
            NaN where the cell is unknown. Without ``timestamp``; with ``limit_bytes`` only where the limit changes.
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


def between(trace: Trace, since: float | None = None, until: float | None = None) -> Trace:
    """The part of a trace from ``since`` to ``until`` (Unix seconds, both included; None is no bound).

    A changing ``limit_bytes`` is the last one stated in the part; ``dropped_rows`` and ``notes`` stay those of the
    whole trace.
    """
    low = 0 if since is None else int(np.searchsorted(trace.time_seconds, since, side="left"))
    high = len(trace.time_seconds) if until is None else int(np.searchsorted(trace.time_seconds, until, side="right"))
    part = slice(low, max(low, high))
    columns = {name: column[part] for name, column in trace.columns.items()}
    limits = columns.get("limit_bytes", np.empty(0))
    stated = limits[np.isfinite(limits)]
    limit_bytes = float(stated[-1]) if stated.size else trace.limit_bytes
    return replace(trace, time_seconds=trace.time_seconds[part], columns=columns, limit_bytes=limit_bytes)


def samples_in(trace: Trace) -> Iterator[Sample]:
    """The rows of a trace as samples, in the order of time; an unknown cell is absent, and lives are unknown."""
    names = list(trace.columns)
    limit = {"limit_bytes": trace.limit_bytes} if trace.limit_bytes is not None and "limit_bytes" not in names else {}
    for at, *cells in zip(trace.time_seconds, *trace.columns.values(), strict=True):
        known = {name: float(cell) for name, cell in zip(names, cells, strict=True) if np.isfinite(cell)}
        yield Sample(float(at), {**limit, **known})


def with_limit(trace: Trace, limit_bytes: float | None) -> Trace:
    """The trace under another limit (None: none), which stands in place of any that the trace states."""
    columns = {name: column for name, column in trace.columns.items() if name != "limit_bytes"}
    return replace(trace, columns=columns, limit_bytes=limit_bytes)
