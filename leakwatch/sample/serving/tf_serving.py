"""TensorFlow Serving's page (util/prometheus_exporter.cc): colon names, TYPE lines only, times in microseconds.

An inference is a ``request_latency`` whose API is not empty: ``request_count`` counts status polls as well, ours and
the probes'. Old servers have no such family: their graph runs are told, and no requests. A cell that never happened has
no line, which is no error; a family without cells says that it is zero.
"""

from collections import defaultdict
from collections.abc import Iterable

from leakwatch.sample.exposition import PageSample
from leakwatch.sample.serving.collecting import Histogram
from leakwatch.sample.serving.reading import Mean, Reading

_SERVING = ":tensorflow:serving:"
_LATENCY = _SERVING + "request_latency"
_COUNT = _SERVING + "request_count"
_LOADS = ":tensorflow:cc:saved_model:load_attempt_count"
_LOAD_TIME = ":tensorflow:cc:saved_model:load_latency"
_LOADED = _SERVING + "mlmd_map"
_XLA = ":tensorflow:core:xla_compilations"
_BUILDS = ":tensorflow:core:graph_build_calls"
_RUNS = ":tensorflow:core:graph_runs"
_GPU_WAIT = ":tensorflow:core:bfc_allocator_delay"
_SESSION = _SERVING + "batching_session:"
_TFRT = _SERVING + "saved_model_with_batching:"
_QUEUED = (_SESSION + "queuing_latency", _TFRT + "queuing_latency")
_BATCHES = (_SESSION + "processed_batch_size", _TFRT + "processed_batch_size")
_PADDING = (_SESSION + "padding_size", _TFRT + "padding_size")
_INPUTS = ":tensorflow:core:graph_run_input_tensor_bytes"
_HISTOGRAMS = (_LATENCY, *_QUEUED, *_BATCHES, *_PADDING)

WANTED = frozenset(
    {f"{name}_{part}" for name in _HISTOGRAMS for part in ("bucket", "sum", "count")}
    | {f"{_INPUTS}_bucket"}
    | {_COUNT, _LOADS, _LOAD_TIME, _LOADED, _XLA, _BUILDS, _RUNS, _GPU_WAIT}
)

CALLERS_MISTAKE = frozenset(
    {"INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "UNAUTHENTICATED"}
    | {"FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED", "CANCELLED"}
)
"""gRPC statuses that a server in good health gives (https://grpc.github.io/grpc/core/md_doc_statuscodes.html)."""

_SECONDS = 1e-6

_EXACT_BELOW = 1e6
"""Sums are printed with six significant digits (the exporter's stream default); counts are always exact."""


def read(samples: Iterable[PageSample], types: frozenset[str]) -> Reading:
    """A reading of the page; ``types`` are the families that its TYPE lines name."""
    totals: dict[str, float] = defaultdict(float)
    models: set[str] = set()
    latency: dict[str, Histogram] = defaultdict(Histogram)
    queued: dict[str, Histogram] = defaultdict(Histogram)
    batches, padding, inputs = Histogram(), Histogram(), Histogram()
    loads: dict[str, float] = defaultdict(float)  # by path of a version
    load_seconds: dict[str, float] = {}
    if _LATENCY in types:
        totals["requests_total"] = 0.0
    if _COUNT in types:
        totals["requests_failed_total"] = 0.0
    if _LOADS in types:
        totals["model_loads_total"] = totals["model_loads_failed_total"] = 0.0
    for sample in samples:
        name, labels = sample.name, sample.labels
        if name.startswith(_LATENCY):
            model, api = labels.get("model_name", ""), labels.get("API", "")
            if not api:  # a status poll
                continue
            models.add(model)
            if name.endswith("_count"):
                totals["requests_total"] += sample.value
                totals[f"requests_total:{model}"] += sample.value
            else:
                latency[f"{model}/{api.lower()}"].take(sample, _SECONDS)
        elif name == _COUNT:
            _count_status(totals, labels.get("status", ""), sample.value)
        elif name == _LOADS:
            path, ended = labels.get("model_path", ""), labels.get("status", "")
            if ended == "success":
                loads[path] += sample.value
                totals["model_loads_total"] += sample.value
                totals[f"model_loads_total:{model_of(path)}"] += sample.value
                models.add(model_of(path))
            else:
                totals["model_loads_failed_total"] += sample.value
        elif name == _LOAD_TIME:
            load_seconds[labels.get("model_path", "")] = sample.value * _SECONDS
        elif name == _LOADED:
            totals["models_available"] += 1.0
        elif name.startswith(_QUEUED):
            queued[labels.get("thread_pool_name", "batching")].take(sample, _SECONDS)
        elif name.startswith(_BATCHES):
            batches.take(sample)
        elif name.startswith(_PADDING):
            padding.take(sample)
        elif name.startswith(_INPUTS):
            inputs.take(sample)
        elif name == _XLA:
            totals["xla_compilations_total"] += sample.value
        elif name == _BUILDS:
            totals["graph_builds_total"] += sample.value
        elif name == _RUNS:
            totals["graph_runs_total"] += sample.value
        elif name == _GPU_WAIT:
            totals["gpu_wait_seconds_total"] += sample.value * _SECONDS
    for path in sorted(loads, key=_version_of):  # the newest version of a model has the last word
        if loads[path] and path in load_seconds:
            totals[f"load_seconds:{model_of(path)}"] = load_seconds[path] / loads[path]
    rows, padded = batches.buckets(exact_below=_EXACT_BELOW), padding.buckets(exact_below=_EXACT_BELOW)
    means = {}
    if (sizes := inputs.buckets()) is not None and sizes.counts[-1]:
        totals["input_sizes"] = float(len(set(sizes.counts) - {0.0}))  # each bucket that holds one is a step up
    if rows and padded and rows.total is not None and padded.total is not None:
        means["padding_ratio"] = Mean(padded.total, rows.total)
    return Reading(
        values=dict(totals),
        quantiles={
            f"latency_p95_seconds:{name}": b for name, h in latency.items() if (b := h.buckets(_SECONDS, _EXACT_BELOW))
        },
        histogram_means={
            **{f"queue_seconds:{name}": b for name, h in queued.items() if (b := h.buckets(_SECONDS, _EXACT_BELOW))},
            **({"batch_size:batching": rows} if rows else {}),
        },
        means=means,
        models=frozenset(models),
    )


def model_of(path: str) -> str:
    """The model whose version lies at the path: the folder above the number (``/models/resnet/42``: resnet)."""
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 2 and parts[-1].isdecimal():
        return parts[-2]
    return parts[-1] if parts else path


def _version_of(path: str) -> tuple[str, int]:
    last = path.rstrip("/").rpartition("/")[2]
    return model_of(path), int(last) if last.isdecimal() else -1


def _count_status(totals: dict[str, float], status: str, value: float) -> None:
    if status == "OK" or not status:
        return
    if status in CALLERS_MISTAKE:
        totals["requests_refused_total"] += value
    else:
        totals["requests_failed_total"] += value
        totals[f"requests_failed_total:{status}"] += value
