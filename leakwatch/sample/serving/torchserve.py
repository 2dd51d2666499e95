"""TorchServe's page (docs/metrics_api.md of pytorch/serve; it needs ``metrics_mode=prometheus``).

``MemoryUsed`` is the machine's and in MB, and is left alone; ``GPUMemoryUsed`` is taken. It tells no quantiles, and its
response counters (Requests2XX, 4XX, 5XX) have no model.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from leakwatch.sample.exposition import PageSample
from leakwatch.sample.serving.reading import Mean, Reading

_REQUESTS = "ts_inference_requests_total"
_SUMS = {
    "ts_inference_latency_microseconds": "latency_mean_seconds",
    "ts_queue_latency_microseconds": "queue_seconds",
}
_FAILED, _REFUSED = "Requests5XX", "Requests4XX"
_GPU_USED, _LOAD = "GPUMemoryUsed", "WorkerLoadTime"

WANTED = frozenset({_REQUESTS, *_SUMS, _FAILED, _REFUSED, _GPU_USED, _LOAD})

MEGABYTE = 1024.0 * 1024.0
"""Its metrics_collector divides bytes by 1024 twice and calls the result Megabytes (ts/metrics/system_metrics.py)."""

_WORKER = re.compile(r"W-\d+-(.+?)(?:_[^_]*)?")


def read(samples: Iterable[PageSample], types: frozenset[str]) -> Reading:
    """A reading of the page."""
    totals: dict[str, float] = defaultdict(float)
    sums: dict[tuple[str, str], float] = defaultdict(float)
    models: set[str] = set()
    if _REQUESTS in types:
        totals["requests_total"] = 0.0
    if _FAILED in types:
        totals["requests_failed_total"] = 0.0
    for sample in samples:
        name, labels = sample.name, sample.labels
        model = labels.get("model_name", "")
        if name == _REQUESTS:
            totals["requests_total"] += sample.value
            totals[f"requests_total:{model}"] += sample.value
            models.add(model)
        elif name in _SUMS:
            sums[_SUMS[name], model] += sample.value * 1e-6
        elif name == _FAILED:
            totals["requests_failed_total"] += sample.value
            totals["requests_failed_total:5xx"] += sample.value
        elif name == _REFUSED:
            totals["requests_refused_total"] += sample.value
        elif name == _GPU_USED:
            totals[f"gpu_used_bytes:{labels.get('DeviceId', labels.get('device_id', ''))}"] = sample.value * MEGABYTE
        elif name == _LOAD:
            worker = _WORKER.fullmatch(labels.get("WorkerName", ""))
            if worker:
                column = f"load_seconds:{worker.group(1)}"
                totals[column] = max(totals.get(column, 0.0), sample.value * 1e-3)
    means = {
        f"{column}:{model}": Mean(total, totals.get(f"requests_total:{model}", 0.0))
        for (column, model), total in sums.items()
    }
    return Reading(values=dict(totals), means=means, models=frozenset(models))
