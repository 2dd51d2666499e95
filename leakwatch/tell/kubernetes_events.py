"""Kubernetes Events of the pod, so that `kubectl describe pod` tells the story.

Needs ``create`` on ``events`` in the pod's namespace, and ``get`` and ``list`` on ``pods``.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from leakwatch.ports import Delivery, Notification, Severity, Stage
from leakwatch.tell.pod_events import PodEvents, PodPlace, event
from leakwatch.tell.post import refusal, retry_after, unreachable
from leakwatch.tell.units import visible

_REASONS = {
    Stage.OPENED: "MemoryIncidentOpened",
    Stage.UPDATED: "MemoryIncidentUpdated",
    Stage.ACTED: "MemoryIncidentActed",
    Stage.RESOLVED: "MemoryIncidentResolved",
    Stage.ESCALATED: "MemoryIncidentEscalated",
}


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
        self._places, self._now, self._events = places, now, PodEvents(core)

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        """An event has a name made of its message's, so that one that arrived is not written twice."""
        place = self._places.get(notification.target)
        if place is None:
            return Delivery(True, False, f"{visible(notification.target)} is no pod")
        from kubernetes.client.exceptions import ApiException

        try:
            pods = self._events.pods(place)
            for pod in pods:
                self._events.create(_event(notification, pod))
            return Delivery(True, False, f"{len(pods)} pods have the event")
        except ApiException as error:
            return self._refused(error, place)
        except Exception as error:  # the client lets through what urllib3 and its own configuration raise
            return unreachable("the Kubernetes API", error)

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


def _event(n: Notification, pod: Any) -> dict[str, Any]:
    name = hashlib.sha256(f"{n.key}\n{n.number}\n{n.stage}\n{pod.metadata.uid}".encode()).hexdigest()[:16]
    return event(name, pod, _REASONS[n.stage], n.title, n.at_seconds, warning=n.severity is not Severity.INFO)
