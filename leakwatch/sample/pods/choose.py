"""Which pod is meant: the one of a name, or of those that a selector names the oldest, until it goes."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from leakwatch.errors import SourceError
from leakwatch.quantities import shown
from leakwatch.sample.pods.api import NAME, Api, NotAllowedError
from leakwatch.settings import KubernetesPlace

Pod = Mapping[str, Any]
"""As the API server writes it (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/)."""


class ChosenPod:
    """The pod of a place. A list of all that the selector names is asked for only when the chosen one has gone."""

    def __init__(self, api: Api, place: KubernetesPlace) -> None:
        self._api, self._place = api, place
        self._path = f"/api/v1/namespaces/{quote(place.namespace, safe='')}/pods"
        self._chosen: tuple[str, str] | None = None
        self.others = 0
        """How many more the selector named when this one was chosen."""

    def pod(self) -> Pod:
        """The pod as it is now.

        Raises:
            SourceError: no such pod (``gone``), no right, or no answer.
            LookupError, TypeError: the answer is none of Kubernetes'.
        """
        if self._place.pod is not None:
            pod = self._named(self._place.pod)
            if pod is None:
                raise self._none()
            return pod
        if self._chosen is not None:
            name, uid = self._chosen
            pod = self._named(name)
            if pod is not None and pod["metadata"]["uid"] == uid and not _is_leaving(pod):
                return pod
        return self._choose()

    def _choose(self) -> Pod:
        found = self.all()
        if not found:
            raise self._none()
        oldest = min(found, key=lambda pod: (pod["status"].get("startTime") or "9", pod["metadata"]["name"]))
        self._chosen, self.others = (oldest["metadata"]["name"], oldest["metadata"]["uid"]), len(found) - 1
        return dict(oldest)

    def all(self) -> list[Pod]:
        """Every pod that the place names, has the container and stays; of more than 500, those that are listed first.

        Raises:
            SourceError: no right, no answer, or the node's own name is not known.
            LookupError, TypeError: the answer is none of Kubernetes'.
        """
        query = {"limit": "500"} | ({"labelSelector": self._place.selector} if self._place.selector else {})
        if self._place.this_node:
            query["fieldSelector"] = f"spec.nodeName={_this_node()}"
        listed = self._get(self._path, query)["items"]
        return [dict(pod) for pod in listed if self._place.container in names_in(pod) and not _is_leaving(pod)]

    def _named(self, name: str) -> Pod | None:
        try:
            return dict(self._get(f"{self._path}/{quote(name, safe='')}"))
        except NotAllowedError:
            return None

    def _get(self, path: str, query: dict[str, str] | None = None) -> Any:
        try:
            return self._api.get(path, query)
        except NotAllowedError as refusal:
            if refusal.status == 404:
                raise
            namespace = self._place.namespace
            fix = f"grant the right to get and list pods in namespace {shown(namespace, 63)}"
            raise SourceError(NAME, f"pods of {shown(namespace, 63)}: {refusal}", fix) from None

    def _none(self) -> SourceError:
        place = self._place
        which = f"pod {shown(place.pod, 253)}" if place.pod else f"pod for selector {shown(place.selector or '', 200)}"
        what = f"no {which} with container {shown(place.container, 63)} in namespace {shown(place.namespace, 63)}"
        return SourceError(NAME, what, "check the names (kubectl get pods --show-labels)", gone=True)


def _this_node() -> str:
    """The name of the node that we run on, as the downward API tells it."""
    name = os.environ.get("NODE_NAME")
    if not name:
        fix = "set it by the downward API (fieldRef: spec.nodeName), or leave this_node out"
        raise SourceError(NAME, "the node's own name is not in the environment's NODE_NAME", fix)
    return name


def containers_of(pod: Pod) -> list[Mapping[str, Any]]:
    """As they are specified, native sidecars (among the init containers) too."""
    spec = pod["spec"]
    return [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]


def names_in(pod: Pod) -> frozenset[str]:
    """Of its containers."""
    return frozenset(one["name"] for one in containers_of(pod))


def _is_leaving(pod: Pod) -> bool:
    return "deletionTimestamp" in pod["metadata"]
