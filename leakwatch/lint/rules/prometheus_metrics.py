"""Prometheus rules: metrics, labels and units that TF Serving's page does not have."""

import re
from collections.abc import Iterator

from leakwatch.findings import Severity
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
_NO_COLON = re.compile(r"(?<![\w:])tensorflow:(?:core|cc|data|mlir|api):[\w:]+")
_RIGHT_NAME = re.compile(r"(?<![\w:]):tensorflow:serving:([\w:]+)")
_SUFFIX = re.compile(r"_(?:bucket|sum|count|total)$")
_RENAMED = {"batch_size": "batching_session:processed_batch_size", "request_latency_seconds": "request_latency"}
_ALWAYS_ZERO = re.compile(
    r":tensorflow:serving:(?:mlmd_map|batching:(?:allowed_batch_sizes|padding_size|input_batch_size|processed_batch_size|batch_delay_us))(?![\w:])"
)
_INVENTED = frozenset({"model_version", "version_label", "grpc_status", "http_status"})
"""Labels that articles name; others may come from an installation's own relabelling."""
_SELECTOR = re.compile(r":tensorflow:serving:[\w:]+\s*\{([^{}]*)\}")
_LABEL = re.compile(r"([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)")
_LATENCY = re.compile(r":tensorflow:serving:(?:request_latency|runtime_latency)")
_COMPARED = re.compile(r"[<>]=?\s*(\d+(?:\.\d+)?(?:e\d+)?)\s*\)?\s*$")
_LEAST_MICROSECONDS = 1000.0


def never_exported(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A metric of TF Serving under a name that its page does not have."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', lambda quoted: '"' * len(quoted[0]), rule.expression.text)
    for match in _WRONG_NAME.finditer(text):
        if match[0] in project.recorded:
            continue
        right = _right_name(match[1])
        hint = f"; it is {right}" if right else ", whose names begin with :tensorflow:serving:"
        edits = rule.replaced(match[0], right) if right else ()
        yield Hit(rule.line_of(match[0]), f"{match[0]} is never exported by TF Serving{hint}", edits)
    for match in _NO_COLON.finditer(text):
        if match[0] not in project.recorded:
            hint = f"its page begins every name with a colon: :{match[0]}"
            edits = rule.replaced(match[0], f":{match[0]}")
            yield Hit(rule.line_of(match[0]), f"{match[0]} is never exported by TF Serving; {hint}", edits)
    for match in _RIGHT_NAME.finditer(text):
        if not _exists(match[1]) and match[0] not in project.recorded:
            right = _right_name(match[1])
            hint = f"; {right} is meant, perhaps" if right else ""
            edits = rule.replaced(match[0], right) if right else ()
            yield Hit(rule.line_of(match[0]), f"TF Serving exports no {match[0]}{hint}", edits)


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
                rule.line_of("quantile"),
                "TF Serving's latencies are histograms without a quantile label: the expression is empty; use "
                "histogram_quantile(0.95, rate(:tensorflow:serving:request_latency_bucket[5m]))",
            )


def invented_label(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A label that TF Serving does not put on its metrics."""
    for selector in _SELECTOR.finditer(rule.expression.text):
        for name in _LABEL.findall(re.sub(r'"(?:[^"\\]|\\.)*"', '""', selector[1])):
            if name in _INVENTED:
                yield Hit(
                    rule.line_of(name), f"TF Serving's metrics have no label {name!r}: the selector takes nothing"
                )


def latency_unit(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A threshold in seconds or milliseconds for microseconds."""
    text = " ".join(rule.expression.text.split())
    compared = _COMPARED.search(text)
    if not _LATENCY.search(text) or compared is None or "histogram_quantile" not in text and "_sum" not in text:
        return
    threshold = float(compared[1])
    if 0 < threshold < _LEAST_MICROSECONDS and not re.search(r"/\s*(?:1e[36]|1000(?:000)?)\b", text):
        yield Hit(
            rule.line_of(compared[1]),
            f"latencies are in microseconds: {compared[1]} is {number(threshold)} us, which every request exceeds (500 "
            "ms is 500000)",
        )


def always_zero(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A metric that the page shows as 0 for ever."""
    for match in _ALWAYS_ZERO.finditer(rule.expression.text):
        after = rule.expression.text[match.end() :]
        if re.match(r"\s*(?:\{[^{}]*\})?\s*(?:[<>]=?|[!=]=)", after):
            yield Hit(
                rule.line_of(match[0]),
                f"{match[0]} is no number to TF Serving's exporter and always reads 0; count its series instead",
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
        "metric-always-zero",
        Severity.WARNING,
        "a comparison with a metric that always reads 0",
        "The exporter prints the integer slot of every scalar: string gauges and percentile samplers show 0.",
        "util/prometheus_exporter.cc",
        PrometheusRule,
        always_zero,
    ),
)
