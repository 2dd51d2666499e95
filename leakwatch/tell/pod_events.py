"""Events of pods in the API server. The official client is imported at first use.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from leakwatch.tell.post import TIMEOUT_SECONDS
from leakwatch.tell.units import visible

MOST_TEXT = 1024
"""What the API server takes as an event's note."""
MOST_PODS = 10


@dataclass(frozen=True, slots=True)
class PodPlace:
    """Which pods an event is about: one by name, or those of a label selector."""

    namespace: str
    pod: str | None = None
    selector: str | None = None


class PodEvents:
    """Finds pods and writes their events; every method raises what the official client raises.

    Args:
        core: its CoreV1Api; None: made from the pod's service account, else the kubeconfig.
    """

    def __init__(self, core: Any = None) -> None:
        self._core = core
        self._known: dict[PodPlace, Any] = {}

    def pods(self, place: PodPlace) -> list[Any]:
        """Of a selector the first `MOST_PODS`; a pod that is named as it was last, where it has gone since."""
        core = self._client()
        if place.pod is not None:
            return [self._named(core, place)]
        found = core.list_namespaced_pod(
            place.namespace, label_selector=place.selector, limit=MOST_PODS, _request_timeout=TIMEOUT_SECONDS
        )
        return list(found.items)[:MOST_PODS]

    def _named(self, core: Any, place: PodPlace) -> Any:
        from kubernetes.client.exceptions import ApiException

        try:
            found = core.read_namespaced_pod(place.pod, place.namespace, _request_timeout=TIMEOUT_SECONDS)
        except ApiException as error:
            if error.status != 404 or place not in self._known:
                raise
            return self._known[place]
        self._known[place] = found
        return found

    def create(self, event: dict[str, Any]) -> None:
        """Write it; one of its name that is there already stays as it is."""
        from kubernetes.client.exceptions import ApiException

        try:
            self._client().create_namespaced_event(
                event["metadata"]["namespace"], event, _request_timeout=TIMEOUT_SECONDS
            )
        except ApiException as error:
            if error.status != 409:
                raise

    def count(self, namespace: str, name: str, count: int, at_seconds: float, message: str) -> None:
        """It happened again, so many times by now."""
        changed = {"count": count, "lastTimestamp": stamp(at_seconds), "message": cut(message)}
        self._client().patch_namespaced_event(name, namespace, changed, _request_timeout=TIMEOUT_SECONDS)

    def _client(self) -> Any:
        if self._core is None:
            from kubernetes import client, config

            settings = client.Configuration()
            try:
                config.load_incluster_config(client_configuration=settings)
            except config.ConfigException:
                config.load_kube_config(client_configuration=settings)
            settings.retries = 0  # what failed is tried again by whoever tells
            self._core = client.CoreV1Api(client.ApiClient(settings))
        return self._core


def event(name: str, pod: Any, reason: str, message: str, at_seconds: float, *, warning: bool) -> dict[str, Any]:
    """The body; ``pod`` is the client's V1Pod, and ``name`` is made unique by whoever names it."""
    meta, at = pod.metadata, stamp(at_seconds)
    return {
        "metadata": {"name": f"leakwatch.{name}", "namespace": meta.namespace},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": meta.namespace,
            "name": meta.name,
            "uid": meta.uid,
        },
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": cut(message),
        "source": {"component": "leakwatch"},
        "reportingComponent": "leakwatch",
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }


def cut(message: str) -> str:
    """What is visible of it, as long as the API server takes it."""
    text = visible(message)
    return text if len(text.encode()) <= MOST_TEXT else text.encode()[: MOST_TEXT - 4].decode(errors="ignore") + "…"


def stamp(at_seconds: float) -> str:
    """The time as the API server has it."""
    return datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
