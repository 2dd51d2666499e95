"""What pods, their owners and disruption budgets say of themselves. Pure: JSON of the API server in, values out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

Object = dict[str, Any]

KINDS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
"""Kinds whose rollout can be read and begun, and their plurals in the group apps."""

_GITOPS = {
    "argocd.argoproj.io/": "Argo CD",
    "kustomize.toolkit.fluxcd.io/": "Flux",
    "helm.toolkit.fluxcd.io/": "Flux",
    "fleet.cattle.io/": "Fleet",
}


_OWN_LABELS = (
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
)


@dataclass(frozen=True, slots=True)
class Workload:
    """What owns a pod, as the server described it."""

    kind: str
    namespace: str
    described: Object

    @property
    def name(self) -> str:
        """Its own name."""
        return str(self.described["metadata"]["name"])

    @property
    def key(self) -> str:
        """Names it in the ledger: ``ml/deployment/serving``."""
        return f"{self.namespace}/{self.kind.lower()}/{self.name}"

    @property
    def replicas(self) -> int:
        """How many pods it should have."""
        if self.kind == "DaemonSet":
            return int((self.described.get("status") or {}).get("desiredNumberScheduled", 0))
        return int((self.described.get("spec") or {}).get("replicas", 1))

    @property
    def ready(self) -> int:
        """How many of its pods serve."""
        status = self.described.get("status") or {}
        return int(status.get("numberReady" if self.kind == "DaemonSet" else "readyReplicas", 0) or 0)

    @property
    def surges(self) -> bool:
        """Whether a rollout brings a new pod before the old one goes."""
        strategy = (self.described.get("spec") or {}).get("strategy") or {}
        surge = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
        return self.kind == "Deployment" and strategy.get("type") != "Recreate" and str(surge) not in ("0", "0%")

    @property
    def managed_by(self) -> str | None:
        """The GitOps tool that may put its template back."""
        meta = self.described["metadata"]
        names = [*(meta.get("annotations") or {}), *(meta.get("labels") or {})]
        return next((tool for prefix, tool in _GITOPS.items() if any(name.startswith(prefix) for name in names)), None)


def rollout_in_progress(workload: Workload) -> bool:
    """Whether it is paused, or not yet what it should be; as ``kubectl rollout status`` decides it."""
    spec, status = workload.described.get("spec") or {}, workload.described.get("status") or {}
    if spec.get("paused") or status.get("observedGeneration", 0) < workload.described["metadata"].get("generation", 0):
        return True
    if workload.kind == "DaemonSet":
        updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
        return bool(updated < workload.replicas or available < workload.replicas)
    updated, total = status.get("updatedReplicas", 0) or 0, status.get("replicas", 0) or 0
    available = status.get("availableReplicas", status.get("readyReplicas", 0)) or 0
    return bool(updated < workload.replicas or total > updated or available < updated)


def controller_of(described: Object) -> Object | None:
    """The reference to what owns it."""
    owners = described["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def is_ready(pod: Object) -> bool:
    """By its Ready condition."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def is_leaving(pod: Object) -> bool:
    """Whether it was told to go."""
    return pod["metadata"].get("deletionTimestamp") is not None


def selector_of_siblings(pod: Object) -> str:
    """The pod's labels but for those that are its own or its template's: they name what comes in its place."""
    labels = pod["metadata"].get("labels") or {}
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()) if name not in _OWN_LABELS)


def container_status(pod: Object, container: str) -> Object:
    """What is known of the container; empty where nothing is."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((one for one in statuses if one.get("name") == container), {})


def container_spec(pod: Object, container: str) -> Object:
    """What the container should be; empty where there is none of that name."""
    return next((one for one in pod["spec"]["containers"] if one.get("name") == container), {})


def life_of(pod: Object, container: str) -> str:
    """The same name that the samples bear."""
    identity = str(container_status(pod, container).get("containerID"))
    return f"kubernetes:{pod['metadata']['uid']}:{identity[-64:][:12]}"


def uptime_seconds(pod: Object, container: str, now_seconds: float) -> float | None:
    """Of the container; None while it does not run."""
    started = ((container_status(pod, container).get("state") or {}).get("running") or {}).get("startedAt")
    if started is None:
        return None
    return max(now_seconds - datetime.fromisoformat(str(started).replace("Z", "+00:00")).timestamp(), 0.0)


def selects(selector: Object | None, labels: dict[str, str]) -> bool:
    """Whether a label selector names the labels; an empty one names all, none names nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(one, labels) for one in selector.get("matchExpressions") or [])


def _holds(expression: Object, labels: dict[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
