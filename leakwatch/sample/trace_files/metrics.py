"""What the metrics of Prometheus exporters are called here, and which container a set of labels names."""

from collections.abc import Mapping

MEMORY_METRICS = {
    "container_memory_working_set_bytes": "working_set_bytes",
    "container_memory_usage_bytes": "usage_bytes",
    "container_memory_rss": "anon_bytes",  # cAdvisor's "rss" is the cgroup's anonymous memory
    "container_memory_cache": "file_bytes",
    "container_memory_kernel_usage": "kernel_bytes",
    "pod_memory_working_set_bytes": "working_set_bytes",
    "process_resident_memory_bytes": "rss_bytes",
    "container_spec_memory_limit_bytes": "limit_bytes",
    "container_threads": "threads",
    "container_file_descriptors": "open_fds",
    "process_open_fds": "open_fds",
}
"""Columns by metric name: cAdvisor (https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md), the
kubelet's resource metrics, and the process metrics of the Prometheus client libraries."""

REQUEST_METRICS = {
    ":tensorflow:serving:request_count": "model_name",
    "nv_inference_request_success": "model",
    "ts_inference_requests_total": "model_name",
}
"""The label that holds the model, by the counter of inferences of TensorFlow Serving, Triton and TorchServe."""

LIMIT_METRICS = ("kube_pod_container_resource_limits", "kube_pod_container_resource_limits_memory_bytes")
"""kube-state-metrics; the first holds every resource and needs the label resource="memory"."""


def column_of(metric: str, labels: Mapping[str, str]) -> str | None:
    """The column that a metric fills, None where it is none of ours."""
    if metric in LIMIT_METRICS and labels.get("resource", "memory") == "memory":
        return "limit_bytes"
    if metric in REQUEST_METRICS:
        return f"requests_total:{labels.get(REQUEST_METRICS[metric], '')}".removesuffix(":")
    return MEMORY_METRICS.get(metric)


def container_of(labels: Mapping[str, str]) -> str | None:
    """The name of the container that labels mean: pod and container, else the most telling label that there is."""
    if labels.get("pod"):
        parts = (labels.get("namespace", ""), labels["pod"], labels.get("container", ""))
        return "/".join(part for part in parts if part)
    for label in ("name", "container", "id", "instance", "job"):
        if labels.get(label):
            return labels[label]
    return all_labels(labels) or None


def all_labels(labels: Mapping[str, str]) -> str:
    """Every label as ``a=b,c=d``, for series that nothing shorter tells apart."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
