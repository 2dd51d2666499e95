"""Prometheus rules: metrics that are never exported, and expressions that say something else than is meant."""

import re
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import PrometheusRule
from leakwatch.lint.wording import number

_SERVING = [
    "request_count",
    "request_latency",
    "runtime_latency",
    "request_example_counts",
    "request_example_count_total",
    "request_log_count",
    "model_warmup_latency",
    "model_warmup_records_read",
    "mlmd_map",
    "batching:batch_size",
    "batching:padding_size",
    "batching:input_batch_size",
    "batching:processed_batch_size",
    "batching:batch_delay_us",
    "batching:input_batch_size_v2",
    "batching:padding_size_v2",
    "batching:batch_delay_us_v2",
    "batching:processed_batch_size_v2",
    "batching:max_batch_size",
    "batching:batch_timeout_micros",
    "batching:max_enqueued_batches",
    "batching:allowed_batch_sizes",
    "batching:costs",
]
_TASK_METRICS = ["queuing_latency", "wrapped_run_count", "input_batch_size", "processed_batch_size", "padding_size"]
"""Their name's middle part is the batching task's: ``:tensorflow:serving:batching_session:queuing_latency``."""
_PREFIX = ":tensorflow:serving:"
_WRONG_NAME = re.compile(
    r"(?<![\w:])(?::?tensorflow_serving[:_]|tensorflow:serving:|tf_serving[:_]|:tensorflow_serving_)([a-z_:]+)"
)
_RIGHT_NAME = re.compile(r"(?<![\w:]):tensorflow:serving:([\w:]+)")
_SUFFIX = re.compile(r"_(?:bucket|sum|count|total)$")
_RENAMED = {"batch_size": "batching_session:processed_batch_size", "request_latency_seconds": "request_latency"}
_ALWAYS_ZERO = re.compile(
    r":tensorflow:serving:(?:mlmd_map|batching:(?:allowed_batch_sizes|padding_size|input_batch_size|processed_batch_size|batch_delay_us))(?![\w:])"
)
_LABELS = frozenset(
    [
        "model_name",
        "status",
        "API",
        "entrypoint",
        "runtime",
        "model",
        "status_code",
        "model_path",
        "version",
        "thread_pool_name",
        "execution_batch_size",
        "op_name",
        "batch_size",
        "le",
    ]
)
_TARGET_LABELS = frozenset(
    [
        "job",
        "instance",
        "namespace",
        "pod",
        "container",
        "node",
        "service",
        "endpoint",
        "cluster",
        "region",
        "zone",
        "env",
        "environment",
        "app",
        "team",
        "prometheus",
    ]
)
_SELECTOR = re.compile(r":tensorflow:serving:[\w:]+\s*\{([^{}]*)\}")
_LABEL = re.compile(r"([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)")
_LATENCY = re.compile(r":tensorflow:serving:(?:request_latency|runtime_latency)")
_COMPARED = re.compile(r"[<>]=?\s*(\d+(?:\.\d+)?(?:e\d+)?)\s*\)?\s*$")
_LEAST_MICROSECONDS = 1000.0
_SPEC_LIMIT = re.compile(r"container_spec_memory_limit_bytes(?:\s*\{[^{}]*\})?")
_MEMORY = re.compile(r"container_memory_\w+|process_resident_memory_bytes|leakwatch_memory_bytes")
_GPU_MEMORY = re.compile(
    r"DCGM_FI_DEV_FB_(?:USED|FREE)|nvidia_(?:smi_)?(?:gpu_)?memory_used|nvidia_gpu_memory_used_bytes"
)


def _place(rule: PrometheusRule, found: str) -> int:
    """The line of the expression that holds a text."""
    first, last = rule.expression.line, rule.expression.end_line
    return next((line for line in range(first, last + 1) if found in rule.source.line(line)), first)


def _replaced(rule: PrometheusRule, old: str, new: str) -> tuple[Edit, ...]:
    return rule.source.replaced(_place(rule, old), old, new)


def never_exported(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A metric of TF Serving under a name that its page does not have."""
    text = rule.expression.text
    for match in _WRONG_NAME.finditer(text):
        right = _right_name(match[1])
        hint = f"; it is {right}" if right else ", whose names begin with :tensorflow:serving:"
        edits = _replaced(rule, match[0], right) if right else ()
        yield Hit(_place(rule, match[0]), f"{match[0]} is never exported by TF Serving{hint}", edits)
    for match in _RIGHT_NAME.finditer(text):
        if not _exists(match[1]):
            right = _right_name(match[1])
            hint = f"; {right} is meant, perhaps" if right else ""
            edits = _replaced(rule, match[0], right) if right else ()
            yield Hit(_place(rule, match[0]), f"TF Serving exports no {match[0]}{hint}", edits)


def _exists(name: str) -> bool:
    base = _SUFFIX.sub("", name)
    last = base.rpartition(":")[2]
    return (
        name in _SERVING
        or base in _SERVING
        or ":" in base
        and last in _TASK_METRICS
        or name.rpartition(":")[2] in _TASK_METRICS
        and ":" in name
    )


def _right_name(name: str) -> str | None:
    name = name.strip(":").replace("__", ":")
    suffix = _SUFFIX.search(name)
    for base, end in ((name, ""), (_SUFFIX.sub("", name), suffix[0] if suffix else "")):
        base = _RENAMED.get(base, base)
        if _exists(base):
            # A counter has no _total on the page, whatever a client library shows.
            return f"{_PREFIX}{base}{'' if end == '_total' else end}"
    return None


def summary_quantile(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A quantile label on a histogram."""
    for match in re.finditer(
        r"(?:tensorflow[:_]serving[:_])?\w*latency\w*\s*\{[^{}]*\bquantile\s*=", rule.expression.text
    ):
        if "tensorflow" in match[0] or "serving" in rule.expression.text:
            yield Hit(
                _place(rule, "quantile"),
                "TF Serving's latencies are histograms without a quantile label: the expression is empty; use "
                "histogram_quantile(0.95, rate(:tensorflow:serving:request_latency_bucket[5m]))",
            )


def invented_label(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A label that TF Serving does not put on its metrics."""
    for selector in _SELECTOR.finditer(rule.expression.text):
        for name in _LABEL.findall(re.sub(r'"(?:[^"\\]|\\.)*"', '""', selector[1])):
            # What scraping adds is the installation's own; only names that articles invent are named here.
            if name in _LABELS | _TARGET_LABELS or name not in (
                "model_version",
                "version_label",
                "quantile",
                "method",
                "grpc_status",
            ):
                continue
            if name == "quantile":
                continue
            yield Hit(_place(rule, name), f"TF Serving's metrics have no label {name!r}: the selector takes nothing")


def latency_unit(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A threshold in seconds or milliseconds for microseconds."""
    text = " ".join(rule.expression.text.split())
    compared = _COMPARED.search(text)
    if not _LATENCY.search(text) or compared is None or "histogram_quantile" not in text and "_sum" not in text:
        return
    threshold = float(compared[1])
    if 0 < threshold < _LEAST_MICROSECONDS and not re.search(r"/\s*(?:1e[36]|1000(?:000)?)\b", text):
        yield Hit(
            _place(rule, compared[1]),
            f"latencies are in microseconds: {compared[1]} is {number(threshold)} us, which every request exceeds (500 "
            "ms is 500000)",
        )


def usage(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """Usage, page cache included, held against a limit."""
    text = rule.expression.text
    if "container_memory_usage_bytes" in text and (rule.node["alert"] or "limit" in text):
        yield Hit(
            _place(rule, "container_memory_usage_bytes"),
            "container_memory_usage_bytes includes page cache that the kernel takes back before it kills: use "
            "container_memory_working_set_bytes",
            _replaced(rule, "container_memory_usage_bytes", "container_memory_working_set_bytes"),
        )


def unlimited(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A division by a limit that is 0 where there is none."""
    text = rule.expression.text
    for match in _SPEC_LIMIT.finditer(text):
        before, after = text[: match.start()].rstrip().rstrip("("), text[match.end() :].lstrip()
        if (
            before.rstrip().endswith("/")
            and not re.match(r"(?:>|!=)\s*0(?![.\d])", after)
            and not re.search(r"limit_bytes[^/]*(?:>|!=)\s*0(?![.\d])", text)
        ):
            yield Hit(
                _place(rule, "container_spec_memory_limit_bytes"),
                "container_spec_memory_limit_bytes is 0 without a limit: the ratio is +Inf and fires for ever; divide "
                "by (container_spec_memory_limit_bytes > 0)",
                _replaced(rule, match[0], f"({match[0]} > 0)"),
            )


def oom_counter(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A counter that dies with what it counts."""
    if re.search(r"\bcontainer_oom_events_total\b", rule.expression.text):
        yield Hit(
            _place(rule, "container_oom_events_total"),
            "a killed container starts again in a new cgroup, whose container_oom_events_total is 0: the rise is never "
            "seen; use kube_pod_container_status_last_terminated_reason with a rise of "
            "kube_pod_container_status_restarts_total",
        )


def exit_code(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """Exit code 137 taken for an OOM."""
    text = " ".join(rule.expression.text.split())
    about = f"{rule.name} {rule.node['annotations']['summary'].text} {rule.node['annotations']['description'].text}"
    if re.search(r"exit_?code[^=]*==\s*137|exit_?code\s*=\s*\"137\"", text) and re.search(
        r"oom|out of memory", about, re.IGNORECASE
    ):
        yield Hit(
            _place(rule, "137"),
            "137 is any SIGKILL: a stop whose grace period ran out, which is every stop of TF Serving, and a failed "
            "liveness probe look the same; ask the reason OOMKilled",
        )


def never_resolves(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """An alert on the last death, which stays the last for weeks."""
    text = rule.expression.text
    if not rule.node["alert"] or "last_terminated_reason" not in text or "OOMKilled" not in text:
        return
    if not re.search(r"restarts_total|changes\s*\(|\bincrease\s*\(|\bresets\s*\(|\bunless\b|\boffset\b", text):
        yield Hit(
            _place(rule, "last_terminated_reason"),
            "the last reason stays OOMKilled until the container dies another way: the alert fires for weeks and hides "
            "the next kill; and it with increase(kube_pod_container_status_restarts_total[15m]) > 0",
        )


def prediction_alone(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A line through a start-up."""
    text = " ".join(rule.expression.text.split())
    if not rule.node["alert"] or "predict_linear" not in text or not _MEMORY.search(text):
        return
    held = rule.node["for"].text
    if held in ("", "0", "0s", "0m"):
        yield Hit(
            _place(rule, "predict_linear"),
            "predict_linear without a for: draws its line through every start and load of a version, and fires right "
            "after deployments",
        )


def always_zero(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A metric that the page shows as 0 for ever."""
    for match in _ALWAYS_ZERO.finditer(rule.expression.text):
        after = rule.expression.text[match.end() :]
        if re.match(r"\s*(?:\{[^{}]*\})?\s*(?:[<>]=?|[!=]=)", after):
            yield Hit(
                _place(rule, match[0]),
                f"{match[0]} is no number to TF Serving's exporter and always reads 0; count its series instead",
            )


def gpu_memory(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """GPU memory that is full from the start."""
    match = _GPU_MEMORY.search(rule.expression.text)
    if rule.node["alert"] and match is not None and re.search(r"[<>]", rule.expression.text):
        yield Hit(
            _place(rule, match[0]),
            "TensorFlow takes nearly all memory of a GPU when it starts (22.5 of 24.3 GB): that it is full tells "
            "nothing; watch RESOURCE_EXHAUSTED in :tensorflow:serving:request_count",
        )


RULES = (
    Rule(
        "metric-never-exported",
        Severity.ERROR,
        "a TF Serving metric under a name that is never exported",
        "Every character but letters, digits and _ becomes a colon: names begin with :tensorflow:serving:. An alert on "
        "another name never fires.",
        "util/prometheus_exporter.cc",
        PrometheusRule,
        never_exported,
    ),
    Rule(
        "latency-quantile-label",
        Severity.ERROR,
        "a quantile label on a latency of TF Serving",
        "request_latency is a histogram with 33 buckets.",
        "util/prometheus_exporter.cc; servables/tensorflow/util.cc",
        PrometheusRule,
        summary_quantile,
    ),
    Rule(
        "label-never-exported",
        Severity.ERROR,
        "a label that TF Serving's metrics do not have",
        "request_count has model_name and status, request_latency model_name, API and entrypoint; there is no "
        "model_version.",
        "servables/tensorflow/util.cc",
        PrometheusRule,
        invented_label,
    ),
    Rule(
        "latency-unit",
        Severity.WARNING,
        "a latency threshold that is not in microseconds",
        "All latencies on the page are microseconds.",
        "servables/tensorflow/util.cc",
        PrometheusRule,
        latency_unit,
    ),
    Rule(
        "usage-not-working-set",
        Severity.WARNING,
        "an alert on memory usage instead of the working set",
        "Usage counts inactive page cache, which grows to the limit on any server that reads files.",
        "cAdvisor handler: working set; google/cadvisor#2582",
        PrometheusRule,
        usage,
    ),
    Rule(
        "limit-may-be-zero",
        Severity.WARNING,
        "a ratio to a limit that may be 0",
        "cAdvisor reports 0 for containers without a limit.",
        "cAdvisor metrics: container_spec_memory_limit_bytes",
        PrometheusRule,
        unlimited,
    ),
    Rule(
        "oom-counter-resets",
        Severity.WARNING,
        "container_oom_events_total",
        "The counter belongs to the cgroup, which is gone after the kill.",
        "google/cadvisor#3015",
        PrometheusRule,
        oom_counter,
    ),
    Rule(
        "exit-137-is-not-oom",
        Severity.WARNING,
        "exit code 137 taken for an OOM kill",
        "137 is 128 + 9, any SIGKILL. An OOM is proven by the cgroup's counter, a kernel line, or the reason "
        "OOMKilled.",
        "kubernetes/kubernetes#19825",
        PrometheusRule,
        exit_code,
    ),
    Rule(
        "oom-alert-never-resolves",
        Severity.WARNING,
        "an OOM alert that does not resolve",
        "last_terminated_reason is a state, not an event.",
        "kubernetes/kube-state-metrics#2153",
        PrometheusRule,
        never_resolves,
    ),
    Rule(
        "prediction-without-for",
        Severity.NOTE,
        "predict_linear on memory without for:",
        "Start-up, warm-up and version loads are lines, too, for a while.",
        "prometheus.io: predict_linear; alert libraries on false alarms after deployments",
        PrometheusRule,
        prediction_alone,
    ),
    Rule(
        "metric-always-zero",
        Severity.WARNING,
        "a comparison with a metric that always reads 0",
        "The exporter prints the integer slot of every scalar: string gauges and percentile samplers show 0.",
        "util/prometheus_exporter.cc",
        PrometheusRule,
        always_zero,
    ),
    Rule(
        "gpu-memory-full",
        Severity.NOTE,
        "an alert on GPU memory that TensorFlow fills by design",
        "The allocator takes the memory at start and keeps it.",
        "tensorflow/serving#1929",
        PrometheusRule,
        gpu_memory,
    ),
)
