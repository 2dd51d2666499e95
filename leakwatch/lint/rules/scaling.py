"""Autoscalers on memory."""

from collections.abc import Iterator

from leakwatch.findings import Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Resource
from leakwatch.lint.wording import size


def hpa_on_memory(resource: Resource, project: Project) -> Iterator[Hit]:
    """An autoscaler that counts memory of a server whose memory does not fall."""
    if resource.kind != "HorizontalPodAutoscaler":
        return
    spec = resource.node["spec"]
    reference = spec["scaleTargetRef"]
    target = project.named(reference["kind"].text, reference["name"].text, resource.namespace)
    server = project.server(target) if target is not None else None
    if target is not None and server is None:
        return
    metrics = spec["metrics"]
    for metric in metrics.items:
        memory = metric["resource"] or metric["containerResource"]
        if memory["name"].text != "memory":
            continue
        percent = (memory.at("target", "averageUtilization") or memory["targetAverageUtilization"]).number
        request = server.memory_request or server.memory_limit if server is not None else None
        of = ""
        if percent is not None:
            of = f"; {percent:g} % is of the request"
            of += f", {size(request.value * percent / 100)}" if request is not None else ", not of the limit"
        most = spec["maxReplicas"].text or "the most"
        whose = f"of {server.said}" if server is not None else "of a model server"
        edits = () if metric.flow or len(metrics.items) < 2 else resource.source.removed(metric.line, metric.end_line)
        yield Hit(
            memory["name"].line,
            f"the memory {whose} does not fall with the load: once over the target it scales to {most} replicas and "
            f"stays there{of}; scale on requests or CPU",
            edits,
            None if server is not None else Severity.NOTE,
        )


def vpa_unbounded(resource: Resource, project: Project) -> Iterator[Hit]:
    """A vertical autoscaler that feeds a leak."""
    spec = resource.node["spec"]
    mode = spec.at("updatePolicy", "updateMode")
    if resource.kind != "VerticalPodAutoscaler" or mode.text == "Off":
        return
    if any(
        one.at("maxAllowed", "memory") or one["mode"].text == "Off"
        for one in spec.at("resourcePolicy", "containerPolicies").items
    ):
        return
    yield Hit(
        (mode or spec).where,
        "each OOM kill makes the autoscaler ask for more memory, and without maxAllowed.memory a leak takes all there "
        "is",
    )


RULES = (
    Rule(
        "hpa-on-memory",
        Severity.WARNING,
        "an autoscaler on the memory of a model server (a note where its target is not seen)",
        "The resident memory of a model server does not fall when the load does, so what scaled up never scales down, "
        "and a leak looks like load. The percentage is of the request.",
        "docs.kubernetes.io: horizontal pod autoscaling",
        Resource,
        hpa_on_memory,
    ),
    Rule(
        "vpa-unbounded",
        Severity.WARNING,
        "a vertical autoscaler without maxAllowed.memory",
        "After each OOM kill it raises the request, by at least 100 MiB or a fifth: with a leak, for ever.",
        "kubernetes/autoscaler#9521",
        Resource,
        vpa_unbounded,
    ),
)
