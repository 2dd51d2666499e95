"""Rollouts, disruption budgets, and where replicas land."""

import re
from collections.abc import Iterator

from leakwatch.findings import Edit, Severity
from leakwatch.lint.project import Project, same_namespace
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Resource, Workload
from leakwatch.lint.yaml_tree import Form, Node

_HOST = "kubernetes.io/hostname"
_REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet")


def pdb_missing(workload: Workload, project: Project) -> Iterator[Hit]:
    """Several replicas of a model server that a node drain may take all at once."""
    server, replicas = project.server(workload), project.replicas(workload)
    if workload.kind not in _REPLICATED or server is None or replicas is None or replicas < 2:
        return
    if any(_covers(budget, workload) for budget in project.resources("PodDisruptionBudget")):
        return
    yield Hit(
        workload.node["metadata"]["name"].line or workload.node.line,
        f"{replicas} replicas without a PodDisruptionBudget: a drain may evict all of them at once, and each loads its "
        "models anew",
    )


def _covers(budget: Resource, workload: Workload) -> bool:
    selector = budget.node.at("spec", "selector")
    labels = {key: value.text for key, value in selector["matchLabels"].entries.items()}
    if not same_namespace(budget.namespace, workload.namespace):
        return False
    return bool(selector["matchExpressions"]) or labels.items() <= workload.labels.items()


def pdb_blocks(resource: Resource, project: Project) -> Iterator[Hit]:
    """A budget that allows no eviction at all."""
    if resource.kind != "PodDisruptionBudget":
        return
    spec = resource.node["spec"]
    least, most = spec["minAvailable"], spec["maxUnavailable"]
    if most.text in ("0", "0%") or least.text == "100%":
        node = most if most.text else least
        yield Hit(
            node.line, "no pod may ever be evicted: node drains hang until somebody deletes the budget, or the pods"
        )
        return
    for workload in project.selected(spec["selector"], resource.namespace):
        replicas = project.replicas(workload)
        if (
            least.text.isdigit()
            and replicas is not None
            and workload.kind in _REPLICATED
            and int(least.text) >= replicas > 0
        ):
            yield Hit(
                least.line,
                f"minAvailable {least.text} of {replicas} replica{'s' if replicas > 1 else ''} of {workload.name!r}: "
                "none may ever be evicted, node drains hang",
            )


def pdb_unhealthy(resource: Resource, project: Project) -> Iterator[Hit]:
    """A budget under which crash-looping pods cannot be evicted."""
    policy = resource.node.at("spec", "unhealthyPodEvictionPolicy")
    if resource.kind == "PodDisruptionBudget" and policy.text == "IfHealthyBudget":
        yield Hit(
            policy.line,
            "pods that crash, as after OOM kills, block their own eviction; AlwaysAllow lets them go",
            resource.source.replaced(policy.line, policy.text, "AlwaysAllow"),
        )


def one_node(workload: Workload, project: Project) -> Iterator[Hit]:
    """Replicas that share a node, by force or by chance."""
    server, replicas, pod = project.server(workload), project.replicas(workload), workload.pod
    if workload.kind not in _REPLICATED or server is None or replicas is None or replicas < 2:
        return
    pinned, why = _pinned(pod, workload)
    if pinned is not None:
        yield Hit(
            pinned.where, f"all {replicas} replicas land on one node ({why}): one node OOM or drain takes them all"
        )
    elif not pod["topologySpreadConstraints"] and not pod.at("affinity", "podAntiAffinity"):
        yield Hit(
            workload.node["metadata"]["name"].line or workload.node.line,
            f"nothing keeps the {replicas} replicas on different nodes: one node OOM may take them all",
            _spread(workload),
            Severity.NOTE,
        )


def _pinned(pod: Node, workload: Workload) -> tuple[Node | None, str]:
    if pod["nodeName"]:
        return pod["nodeName"], f"nodeName {pod['nodeName'].text}"
    if selected := pod["nodeSelector"][_HOST]:
        return selected, f"nodeSelector {_HOST}"
    for term in pod.at("affinity", "podAffinity", "requiredDuringSchedulingIgnoredDuringExecution").items:
        labels = {key: value.text for key, value in term.at("labelSelector", "matchLabels").entries.items()}
        if term["topologyKey"].text == _HOST and labels and labels.items() <= workload.labels.items():
            return term["topologyKey"], "podAffinity to itself"
    required = pod.at("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    for term in required["nodeSelectorTerms"].items:
        for expression in term["matchExpressions"].items:
            if (
                expression["key"].text == _HOST
                and expression["operator"].text == "In"
                and len(expression["values"].items) == 1
            ):
                return expression["key"], f"nodeAffinity to one {_HOST}"
    return None, ""


def _spread(workload: Workload) -> tuple[Edit, ...]:
    """A topologySpreadConstraint over the labels of the workload's selector, before its containers."""
    containers = workload.pod["containers"]
    labels = workload.node.at("spec", "selector", "matchLabels")
    if containers.form is not Form.LIST or containers.flow or not labels.entries or not containers.key_line:
        return ()
    outer = " " * containers.column
    lines = [
        f"{outer}topologySpreadConstraints:",
        f"{outer}- maxSkew: 1",
        f"{outer}  topologyKey: {_HOST}",
        f"{outer}  whenUnsatisfiable: ScheduleAnyway",
        f"{outer}  labelSelector:",
        f"{outer}    matchLabels:",
        *(f"{outer}      {key}: {_plain(value)}" for key, value in labels.entries.items()),
    ]
    # `- containers:` cannot have a line before it on the same indent; a key of a mapping can.
    return workload.source.inserted(containers.key_line, tuple(lines)) if not workload.pod.flow else ()


def _plain(value: Node) -> str:
    return f'"{value.text}"' if value.style or not re.fullmatch(r"[A-Za-z][\w.-]*", value.text) else value.text


def all_at_once(workload: Workload, project: Project) -> Iterator[Hit]:
    """A rollout that stops every replica before the new ones have loaded."""
    server, replicas = project.server(workload), project.replicas(workload)
    strategy = workload.node.at("spec", "strategy")
    if server is None or workload.kind != "Deployment" or replicas is None or replicas < 2:
        return
    most = strategy.at("rollingUpdate", "maxUnavailable")
    if strategy["type"].text == "Recreate":
        yield Hit(
            strategy["type"].line,
            f"Recreate stops all {replicas} replicas, then waits until the new ones have loaded their models",
        )
    elif most.text == "100%" or most.text.isdigit() and int(most.text) >= replicas:
        yield Hit(most.line, f"maxUnavailable {most.text} lets a rollout stop all {replicas} replicas at once")


RULES = (
    Rule(
        "pdb-missing",
        Severity.NOTE,
        "several replicas of a model server without a PodDisruptionBudget",
        "A voluntary disruption may take them together; loading takes minutes.",
        "docs.kubernetes.io: disruptions",
        Workload,
        pdb_missing,
    ),
    Rule(
        "pdb-blocks-drain",
        Severity.WARNING,
        "a PodDisruptionBudget that allows no eviction",
        "Evictions, those of a leaking pod included, are answered with 429 for ever.",
        "docs.kubernetes.io: specifying a disruption budget",
        Resource,
        pdb_blocks,
    ),
    Rule(
        "pdb-unhealthy-pods",
        Severity.NOTE,
        "a PodDisruptionBudget that keeps unhealthy pods",
        "With IfHealthyBudget a pod in a crash loop counts against the budget and cannot be evicted.",
        "docs.kubernetes.io: unhealthy pod eviction policy (stable since 1.31)",
        Resource,
        pdb_unhealthy,
    ),
    Rule(
        "replicas-on-one-node",
        Severity.WARNING,
        "all replicas on one node (a note where nothing forces it)",
        "A node that runs out of memory takes every replica that is on it.",
        "docs.kubernetes.io: pod topology spread constraints",
        Workload,
        one_node,
    ),
    Rule(
        "rollout-all-at-once",
        Severity.WARNING,
        "a rollout that stops all replicas before new ones are ready",
        "A model server is ready once its models are loaded; until then there is none.",
        "docs.kubernetes.io: deployment strategy",
        Workload,
        all_at_once,
    ),
)
