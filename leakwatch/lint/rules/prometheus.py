"""Prometheus rules: expressions that say something else than is meant."""

import re
from collections.abc import Iterator

from leakwatch.findings import Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import PrometheusRule

_SPEC_LIMIT = re.compile(r"container_spec_memory_limit_bytes(?:\s*\{[^{}]*\})?")
_MATCHING = r"(?:(?:on|ignoring)\s*\([^()]*\)\s*)?(?:group_(?:left|right)\s*(?:\([^()]*\)\s*)?)?"
_OPENED = r"(?:(?:\w+\s*(?:(?:by|without)\s*\([^()]*\)\s*)?)?\(\s*)*"
_DIVIDED_BY = re.compile(rf"/\s*{_MATCHING}{_OPENED}$", re.IGNORECASE)
_NOT_ZERO = re.compile(r"(?:>|!=)\s*0(?![.\d])")
_FILTERED = re.compile(r"limit_bytes[^/]*(?:>|!=)\s*0(?![.\d])")
_MEMORY = re.compile(r"container_memory_\w+|process_resident_memory_bytes|leakwatch_memory_bytes")
_GPU_MEMORY = re.compile(
    r"DCGM_FI_DEV_FB_(?:USED|FREE)|nvidia_(?:smi_)?(?:gpu_)?memory_used|nvidia_gpu_memory_used_bytes"
)


def usage(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """Usage, page cache included, held against a limit."""
    text = rule.expression.text
    if "container_memory_usage_bytes" in text and (rule.node["alert"] or "limit" in text):
        yield Hit(
            rule.line_of("container_memory_usage_bytes"),
            "container_memory_usage_bytes includes page cache that the kernel takes back before it kills: use "
            "container_memory_working_set_bytes",
            rule.replaced("container_memory_usage_bytes", "container_memory_working_set_bytes"),
        )


def unlimited(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A division by a limit that is 0 where there is none."""
    text = rule.expression.text
    for match in _SPEC_LIMIT.finditer(text):
        after = text[match.end() :].lstrip()
        if _DIVIDED_BY.search(text[: match.start()]) and not _NOT_ZERO.match(after) and not _FILTERED.search(text):
            yield Hit(
                rule.line_of("container_spec_memory_limit_bytes"),
                "container_spec_memory_limit_bytes is 0 without a limit: the ratio is +Inf and fires for ever; divide "
                "by (container_spec_memory_limit_bytes > 0)",
                rule.replaced(match[0], f"({match[0]} > 0)"),
            )


def oom_counter(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """A counter that dies with what it counts."""
    if re.search(r"\bcontainer_oom_events_total\b", rule.expression.text):
        yield Hit(
            rule.line_of("container_oom_events_total"),
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
            rule.line_of("137"),
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
            rule.line_of("last_terminated_reason"),
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
            rule.line_of("predict_linear"),
            "predict_linear without a for: draws its line through every start and load of a version, and fires right "
            "after deployments",
        )


def gpu_memory(rule: PrometheusRule, project: Project) -> Iterator[Hit]:
    """GPU memory that is full from the start."""
    match = _GPU_MEMORY.search(rule.expression.text)
    if rule.node["alert"] and match is not None and re.search(r"[<>]", rule.expression.text):
        yield Hit(
            rule.line_of(match[0]),
            "TensorFlow takes nearly all memory of a GPU when it starts (22.5 of 24.3 GB): that it is full tells "
            "nothing; watch RESOURCE_EXHAUSTED in :tensorflow:serving:request_count",
        )


RULES = (
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
        "gpu-memory-full",
        Severity.NOTE,
        "an alert on GPU memory that TensorFlow fills by design",
        "The allocator takes the memory at start and keeps it.",
        "tensorflow/serving#1929",
        PrometheusRule,
        gpu_memory,
    ),
)
