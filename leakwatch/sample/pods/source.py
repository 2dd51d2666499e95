"""A container of a pod as a source of samples, from outside of the pod.

Needs: the right to get and list pods in the namespace, and one of nodes/stats, nodes/proxy, or pods in metrics.k8s.io.
Cannot see: anything that happens within the 10 to 60 seconds between the cluster's own readings. A sidecar that reads
the cgroup sees more, with fewer rights.
"""

from collections.abc import Mapping
from typing import Any

from leakwatch.errors import SourceError
from leakwatch.quantities import shown
from leakwatch.sample.pods.api import NAME, Api
from leakwatch.sample.pods.choose import ChosenPod, Pod, containers_of, names_in
from leakwatch.sample.pods.deaths import death_of, was_out_of_memory
from leakwatch.sample.pods.memory import KUBELET, MemoryOfContainer
from leakwatch.settings import KubernetesPlace
from leakwatch.trace import Sample


class KubernetesSource:
    """One container of one pod; of several pods that a selector names, the oldest, until it goes.

    Args:
        api: the cluster; the usual one where None is given.
        kubelet: address of a kubelet, with ``{host}`` for the node's address.
    """

    name = NAME

    def __init__(self, place: KubernetesPlace, api: Api | None = None, kubelet: str = KUBELET) -> None:
        self.container, self.api = place.container, api or Api()
        self._memory = MemoryOfContainer(self.api, kubelet)
        self._chosen = ChosenPod(self.api, place)
        self._kills = 0
        self._ended = ("", "")

    @property
    def blind_to(self) -> tuple[str, ...]:
        """What the rights at hand do not let us see."""
        others = f"{self._chosen.others} other pods that the selector names: make each a target of its own (pod: NAME)"
        blind = ("kills between two looks but the last: a pod keeps only its last state", *self._memory.blind_to)
        return (others, *blind) if self._chosen.others else blind

    def read(self, now_seconds: float) -> Sample:
        """The pod's state, and the memory that the cluster saw last.

        Raises:
            SourceError: no answer, no right; no such pod, or its container does not run (``gone``).
        """
        try:
            pod = self.pod()
            status = self._status_of(pod)
            self._count_kills(pod["metadata"]["uid"], status)
            running = (status.get("state") or {}).get("running")
            if running is None:
                raise self._not_running(pod, status)
            values = self._memory.read(pod, self.container, now_seconds)
            values["limit_bytes"] = self._limit_bytes(pod, status)
            values["restarts_total"] = float(status.get("restartCount", 0))
            values["oom_kills_total"] = float(self._kills)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            what = f"an answer is none of Kubernetes' ({type(error).__name__})"
            raise SourceError(NAME, what, "check the address in the kubeconfig") from None
        life = f"{NAME}:{pod['metadata']['uid']}:{str(status.get('containerID'))[-64:][:12]}"
        return Sample(now_seconds, values, life=life)

    def close(self) -> None:
        """Close the connections; the next read opens others."""
        self.api.close()

    def pod(self) -> Pod:
        """The pod that is meant now, as the API server has it; raises `SourceError`."""
        return self._chosen.pod()

    def _status_of(self, pod: Pod) -> Mapping[str, Any]:
        statuses = pod["status"]
        for kind in ("containerStatuses", "initContainerStatuses"):  # a native sidecar is among the latter
            for status in statuses.get(kind) or ():
                if status.get("name") == self.container:
                    return dict(status)
        where = f"pod {shown(pod['metadata']['name'], 253)}"
        if self.container in names_in(pod):
            raise SourceError(NAME, f"{where} has not started its containers", "it is looked for again", gone=True)
        names = ", ".join(sorted(names_in(pod)))
        raise SourceError(NAME, f"{where} has no container {shown(self.container, 63)}", f"name one of: {names}")

    def _count_kills(self, uid: str, status: Mapping[str, Any]) -> None:
        """A death counts when it is first seen; one from before the first look at a pod is not ours to count."""
        last = (status.get("state") or {}).get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
        ended = f"{last.get('containerID')} {last.get('finishedAt')}" if last else ""
        known_uid, known = self._ended
        if uid == known_uid and ended not in ("", known):
            self._kills += was_out_of_memory(death_of(last))
        self._ended = uid, ended

    def _limit_bytes(self, pod: Pod, status: Mapping[str, Any]) -> float:
        """The status knows what is in force, also after a resize in place; before Kubernetes 1.33 it says nothing."""
        from kubernetes.utils.quantity import parse_quantity

        spec = next(one for one in containers_of(pod) if one["name"] == self.container)
        for resources in (status.get("resources"), spec.get("resources")):
            if limit := ((resources or {}).get("limits") or {}).get("memory"):
                return float(parse_quantity(limit))
        return 0.0

    def _not_running(self, pod: Pod, status: Mapping[str, Any]) -> SourceError:
        state = status.get("state") or {}
        why = (state.get("waiting") or state.get("terminated") or {}).get("reason") or "unknown"
        last = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
        how = f"; {death_of(last).value}" if last else ""
        what = f"the container of pod {shown(pod['metadata']['name'], 253)} does not run ({shown(str(why), 60)}{how})"
        return SourceError(NAME, what, "it is looked for again", gone=True)
