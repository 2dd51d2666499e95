"""What the live columns of a trace say: the server's metrics page, the cgroup's counters, the GPU -> facts.

The columns are those of `leakwatch.trace.LIVE_COLUMNS`. Counters are read over the recent past, the last tenth of what
was recorded since the last restart; resets are left out.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from detectors.types import FloatArray
from leakwatch.trace import Trace
from playbooks.types import Fact

_RECENT = 10
_STATUSES = {
    "resource_exhausted_ratio": ("RESOURCE_EXHAUSTED", "429"),
    "unavailable_ratio": ("UNAVAILABLE", "503"),
    "deadline_exceeded_ratio": ("DEADLINE_EXCEEDED", "504"),
}


def facts_of_page(trace: Trace, since_seconds: float | None = None) -> tuple[Fact, ...]:
    """What the live columns say, from ``since_seconds`` (the last restart) on; what they do not hold is left out."""
    start = 0 if since_seconds is None else int(np.searchsorted(trace.time_seconds, since_seconds, side="left"))
    columns = {name: column[start:] for name, column in trace.columns.items()}
    time = trace.time_seconds[start:]
    if not len(time):
        return ()
    return (*_requests(columns), *_batches(columns), *_models(time, columns), *_late(time, columns))


def rise(count: FloatArray) -> float | None:
    """By how much a counter rose, resets left out; None where it is known less than twice."""
    known = count[np.isfinite(count)]
    return float(np.maximum(np.diff(known), 0.0).sum()) if len(known) > 1 else None


def last_rise(time: FloatArray, count: FloatArray) -> float | None:
    """When a counter was last seen to have risen; None where it was not."""
    known = np.isfinite(count)
    rows = np.flatnonzero(np.diff(count[known]) > 0)
    return float(time[known][rows[-1] + 1]) if len(rows) else None


def _requests(columns: Mapping[str, FloatArray]) -> Iterator[Fact]:
    parts = [
        rise(_recent(columns[name]))
        for name in ("requests_total", "requests_failed_total", "requests_refused_total")
        if name in columns
    ]
    total = sum(part for part in parts if part is not None)
    if "requests_failed_total" in columns and total >= 1:
        served = rise(_recent(columns["requests_total"])) if "requests_total" in columns else None
        if served is not None:
            ratio = 1 - served / total
            yield Fact("error_ratio", ratio, f"{ratio:.1%} of {total:.0f} requests were not answered with OK")
        for name, statuses in _STATUSES.items():
            counts = [columns.get(f"requests_failed_total:{status}", np.empty(0)) for status in statuses]
            failed = sum(rise(_recent(count)) or 0.0 for count in counts)
            yield Fact(name, failed / total, f"{failed:.0f} of {total:.0f} requests were answered with {statuses[0]}")
    p95 = _largest(columns, "latency_p95_seconds:")
    if p95 is not None:
        yield Fact("p95_latency_seconds", p95, f"95 % of the requests are answered within {p95:.3g} s")


def _batches(columns: Mapping[str, FloatArray]) -> Iterator[Fact]:
    wait = _largest(columns, "queue_seconds:")
    whole = _largest(columns, "latency_p95_seconds:") or _largest(columns, "latency_mean_seconds:")
    if wait is not None and whole is not None and whole > 0:
        yield Fact("queue_share", min(wait / whole, 1.0), f"a mean wait of {wait:.3g} s in the queue, of {whole:.3g} s")
    rows = _largest(columns, "batch_size:")
    if rows is not None:
        yield Fact("batch_size", rows, f"a batch has {rows:.3g} rows on average")


def _models(time: FloatArray, columns: Mapping[str, FloatArray]) -> Iterator[Fact]:
    for name, column, what in (
        ("load_failures", "model_loads_failed_total", "loads of model versions failed"),
        ("versions_loading", "models_loading", "model versions are being loaded"),
        ("models_available", "models_available", "model versions serve"),
    ):
        now = _last(columns[column]) if column in columns else None
        if now is not None:
            yield Fact(name, now, f"{now:.0f} {what}")
    loaded = last_rise(time, columns["model_loads_total"]) if "model_loads_total" in columns else None
    if loaded is not None:
        ago = float(time[-1]) - loaded
        yield Fact("seconds_since_load", ago, f"the last model version was loaded {ago:.0f} s before the end")


def _late(time: FloatArray, columns: Mapping[str, FloatArray]) -> Iterator[Fact]:
    for name, column, what in (
        ("xla_compilations", "xla_compilations_total", "XLA compilations"),
        ("graph_builds", "graph_builds_total", "graphs built"),
    ):
        late = rise(columns[column][len(time) // 2 :]) if column in columns else None
        if late is not None:
            yield Fact(name, late, f"{late:.0f} {what} in the last half")
    seconds = float(time[-1] - _recent(time)[0])
    wait = rise(_recent(columns["gpu_wait_seconds_total"])) if "gpu_wait_seconds_total" in columns else None
    if wait is not None and seconds > 0:
        yield Fact("gpu_wait_ratio", wait / seconds, f"{wait:.3g} s of waiting for GPU memory in {seconds:.0f} s")
    used = rise(_recent(columns["cpu_seconds_total"])) if "cpu_seconds_total" in columns else None
    held = rise(_recent(columns["cpu_throttled_seconds_total"])) if "cpu_throttled_seconds_total" in columns else None
    if used and held is not None:
        yield Fact("throttled_ratio", held / used, f"held back for {held:.3g} s while {used:.3g} s of CPU were used")
    busy = [
        (float(known.mean()), name.partition(":")[2])
        for name, column in columns.items()
        if name.startswith("gpu_use_ratio:") and len(known := (recent := _recent(column))[np.isfinite(recent)])
    ]
    if busy:
        use, gpu = max(busy)
        yield Fact("gpu_use_ratio", use, f"GPU {gpu} computed {use:.0%} of the time")
    gpus = [name.removeprefix("gpu_total_bytes:") for name in columns if name.startswith("gpu_total_bytes:")]
    shares = [
        (used_bytes / total_bytes, gpu)
        for gpu in gpus
        if (total_bytes := _last(columns[f"gpu_total_bytes:{gpu}"]))
        and (used_bytes := _last(columns.get(f"gpu_used_bytes:{gpu}", np.empty(0)))) is not None
    ]
    if shares:
        share, gpu = max(shares)
        yield Fact("gpu_memory_ratio", share, f"{share:.0%} of the memory of GPU {gpu} is in use")


def cores_used(trace: Trace) -> float | None:
    """Processors in use in the recent past: seconds of processor time a second; None where that was not recorded."""
    if "cpu_seconds_total" not in trace.columns or len(trace.time_seconds) < 2:
        return None
    recent = _recent(trace.time_seconds)
    used = rise(_recent(trace.columns["cpu_seconds_total"]))
    return used / float(recent[-1] - recent[0]) if used is not None else None


def _recent(column: FloatArray) -> FloatArray:
    """The last tenth, and two samples at least."""
    return column[-max(2, len(column) // _RECENT) :]


def _last(column: FloatArray) -> float | None:
    known = column[np.isfinite(column)]
    return float(known[-1]) if len(known) else None


def _largest(columns: Mapping[str, FloatArray], beginning: str) -> float | None:
    """The largest of the last known values of all columns of one kind."""
    last = (_last(column) for name, column in columns.items() if name.startswith(beginning))
    return max((value for value in last if value is not None), default=None)
