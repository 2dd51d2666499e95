"""Kubernetes Events of the pod, so that `kubectl describe pod` tells the story. The client is imported at first use.

Needs ``create`` on ``events`` in the pod's namespace, and ``list`` on ``pods`` where a selector names them.
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from leakwatch.ports import Delivery, Notification, Severity, Stage
from leakwatch.tell.post import TIMEOUT_SECONDS, refusal, retry_after, unreachable
from leakwatch.tell.units import visible

MOST_TEXT = 1024
"""What the API server takes as an event's note."""
MOST_PODS = 10
_REASONS = {
    Stage.OPENED: "MemoryIncidentOpened",
    Stage.UPDATED: "MemoryIncidentUpdated",
    Stage.ACTED: "MemoryIncidentActed",
    Stage.RESOLVED: "MemoryIncidentResolved",
    Stage.ESCALATED: "MemoryIncidentEscalated",
}


@dataclass(frozen=True, slots=True)
class PodPlace:
    """Which pods an event is about: one by name, or those of a label selector."""

    namespace: str
    pod: str | None = None
    selector: str | None = None


class KubernetesEvents:
    """Writes one Event a pod and message.

    Args:
        places: by the target's name; a target without one is not told here.
        core: the official client's CoreV1Api; None: made from the cluster's own settings or the kubeconfig.
    """

    name = "kubernetes_events"
    repeat_seconds = None
    stages = frozenset(Stage)

    def __init__(self, places: Mapping[str, PodPlace], now: Callable[[], float], core: Any = None) -> None:
        self._places, self._now, self._core = places, now, core

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        """An event has a name made of its message's, so that one that arrived is not written twice."""
        place = self._places.get(notification.target)
        if place is None:
            return Delivery(True, False, f"{visible(notification.target)} is no pod")
        from kubernetes.client.exceptions import ApiException

        try:
            core = self._client()
            pods = self._pods(core, place)
            for pod in pods:
                try:
                    core.create_namespaced_event(
                        place.namespace, event(notification, pod), _request_timeout=TIMEOUT_SECONDS
                    )
                except ApiException as error:
                    if error.status != 409:  # it is there already
                        raise
            return Delivery(True, False, f"{len(pods)} pods have the event")
        except ApiException as error:
            return self._refused(error, place)
        except Exception as error:  # the client lets through what urllib3 and its own configuration raise
            return unreachable("the Kubernetes API", error)

    def _client(self) -> Any:
        if self._core is None:
            import kubernetes

            kubernetes.config.load_config()
            self._core = kubernetes.client.CoreV1Api()
        return self._core

    def _pods(self, core: Any, place: PodPlace) -> list[Any]:
        if place.pod is not None:
            return [core.read_namespaced_pod(place.pod, place.namespace, _request_timeout=TIMEOUT_SECONDS)]
        found = core.list_namespaced_pod(
            place.namespace, label_selector=place.selector, limit=MOST_PODS, _request_timeout=TIMEOUT_SECONDS
        )
        return list(found.items)[:MOST_PODS]

    def _refused(self, error: Any, place: PodPlace) -> Delivery:
        if error.status == 403:
            rule = "give the role create on events, and get and list on pods"
            return Delivery(False, True, f"the Kubernetes API forbids events in {place.namespace}; {rule}")
        if error.status in (404, 422):
            return Delivery(
                False, False, f"the Kubernetes API answered {error.status}: the pod is gone, or the event is bad"
            )
        headers = dict(error.headers.items()) if error.headers is not None else None
        if not error.status:
            return Delivery(False, True, "the Kubernetes API cannot be reached", retry_after(headers, self._now()))
        return refusal("the Kubernetes API", error.status, headers, self._now())


def event(notification: Notification, pod: Any) -> dict[str, Any]:
    """The body; ``pod`` is the client's V1Pod."""
    import hashlib

    n, meta = notification, pod.metadata
    name = hashlib.sha256(f"{n.key}\n{n.number}\n{n.stage}\n{meta.uid}".encode()).hexdigest()[:16]
    at = datetime.fromtimestamp(n.at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = visible(n.title)
    return {
        "metadata": {"name": f"leakwatch.{name}", "namespace": meta.namespace},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": meta.namespace,
            "name": meta.name,
            "uid": meta.uid,
        },
        "type": "Normal" if n.severity is Severity.INFO else "Warning",
        "reason": _REASONS[n.stage],
        "message": text
        if len(text.encode()) <= MOST_TEXT
        else text.encode()[: MOST_TEXT - 4].decode(errors="ignore") + "…",
        "source": {"component": "leakwatch"},
        "reportingComponent": "leakwatch",
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
