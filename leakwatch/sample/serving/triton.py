"""Triton's page (docs/user_guide/metrics.md of triton-inference-server/server): counters in microseconds, by model.

It tells means of times, and 95th percentiles only under ``--metrics-config summary_latencies=true``. How often models
were loaded it does not tell. ``nv_cpu_memory_used_bytes`` is the machine's, not the container's, and is left alone.
"""

from collections import defaultdict
from collections.abc import Iterable

from leakwatch.sample.exposition import PageSample
from leakwatch.sample.serving.reading import Mean, Reading

_SUCCESS, _FAILURE = "nv_inference_request_success", "nv_inference_request_failure"
_SUMS = {
    "nv_inference_request_duration_us": "latency_mean_seconds",
    "nv_inference_queue_duration_us": "queue_seconds",
}
_SUMMARY = "nv_inference_request_summary_us"
_INFERENCES, _EXECUTIONS = "nv_inference_count", "nv_inference_exec_count"
_PENDING, _LOAD = "nv_inference_pending_request_count", "nv_model_load_duration_secs"
_GPU = {"nv_gpu_memory_used_bytes": "gpu_used_bytes", "nv_gpu_memory_total_bytes": "gpu_total_bytes"}

WANTED = frozenset({_SUCCESS, _FAILURE, *_SUMS, _SUMMARY, _INFERENCES, _EXECUTIONS, _PENDING, _LOAD, *_GPU})

CALLERS_MISTAKE = frozenset({"CANCELED"})
"""Reasons of ``nv_inference_request_failure`` that are no fault of the server; REJECTED is a full queue."""


def read(samples: Iterable[PageSample], types: frozenset[str]) -> Reading:
    """A reading of the page."""
    totals: dict[str, float] = defaultdict(float)
    by_model: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    available: set[tuple[str, str]] = set()
    if _SUCCESS in types:
        totals["requests_total"] = totals["requests_failed_total"] = 0.0
    for sample in samples:
        name, labels = sample.name, sample.labels
        model = labels.get("model", "")
        if name in _GPU:
            totals[f"{_GPU[name]}:{labels.get('gpu_uuid', '')}"] = sample.value
        elif name == _SUCCESS:
            totals["requests_total"] += sample.value
            totals[f"requests_total:{model}"] += sample.value
            available.add((model, labels.get("version", "")))
        elif name == _FAILURE:
            reason = labels.get("reason", "FAILED")
            if reason in CALLERS_MISTAKE:
                totals["requests_refused_total"] += sample.value
            else:
                totals["requests_failed_total"] += sample.value
                totals[f"requests_failed_total:{reason}"] += sample.value
        elif name == _SUMMARY:
            if labels.get("quantile") == "0.95":
                column = f"latency_p95_seconds:{model}"
                totals[column] = max(totals.get(column, 0.0), sample.value * 1e-6)  # quantiles do not add up
        elif name == _PENDING:
            totals[f"queue_depth:{model}"] += sample.value
        elif name == _LOAD:
            totals[f"load_seconds:{model}"] = sample.value
        else:
            by_model[model][name] += sample.value
    if available:
        totals["models_available"] = float(len(available))
    means: dict[str, Mean] = {}
    for model, sums in by_model.items():
        requests = totals.get(f"requests_total:{model}", 0.0)
        for name, column in _SUMS.items():
            if name in sums:
                means[f"{column}:{model}"] = Mean(sums[name] * 1e-6, requests)
        if _INFERENCES in sums and _EXECUTIONS in sums:
            means[f"batch_size:{model}"] = Mean(sums[_INFERENCES], sums[_EXECUTIONS])
    return Reading(values=dict(totals), means=means, models=frozenset(model for model, _ in available))
