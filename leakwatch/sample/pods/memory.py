"""The memory of a pod's container: from the kubelet's summary, or from metrics.k8s.io where that is all we may see.

Summary API: https://github.com/kubernetes/kubelet/blob/master/pkg/apis/stats/v1alpha1/types.go. ``rssBytes`` is the
cgroup's anonymous memory; the kubelet renews the numbers every 10 to 15 seconds.
"""

from collections.abc import Callable, Mapping
from typing import Any

from leakwatch.errors import SourceError
from leakwatch.sample.pods.api import NAME, Api, NotAllowedError
from leakwatch.sample.pods.choose import Pod

KUBELET = "https://{host}:10250"

BETTER_WAY_SECONDS = 600.0
"""How long a worse way is kept before the better ones are tried again."""

Way = Callable[["Api", Pod, str], dict[str, float] | None]
"""None where the way is open and has no numbers of the container yet."""

METRICS = 2
"""The number of the last way, which tells the working set alone."""


class MemoryOfContainer:
    """Asks in the first of three ways that is allowed: the node, the node through the API server, metrics.k8s.io.

    Args:
        kubelet: address of a kubelet, with ``{host}`` for the node's address.
    """

    def __init__(self, api: Api, kubelet: str = KUBELET) -> None:
        self._api, self._kubelet = api, kubelet
        self._ways: tuple[tuple[str, Way], ...] = (
            ("the kubelet needs the right to get nodes/stats", self._from_kubelet),
            ("the API server's proxy needs the right to get nodes/proxy", _from_proxy),
            ("metrics-server needs the right to get pods in metrics.k8s.io", _from_metrics),
        )
        self._way, self._since = 0, float("-inf")
        self._refused: dict[int, str] = {}
        self._worked: set[int] = set()

    @property
    def blind_to(self) -> tuple[str, ...]:
        """What the way in use does not tell, and why no better one is taken."""
        if self._way < METRICS:
            return ("the page cache, kernel memory and kills of a child: watch its cgroup from a sidecar",)
        refusals = "; ".join(self._refused[way] for way in sorted(self._refused))
        return (f"anonymous memory, without which a leak and page cache look alike: {refusals}",)

    def read(self, pod: Pod, container: str, now_seconds: float) -> dict[str, float]:
        """Columns of a sample.

        Raises:
            SourceError: no way is open, or the container has no numbers (yet).
        """
        first = self._way if 0 <= now_seconds - self._since < BETTER_WAY_SECONDS else 0
        for way in range(first, len(self._ways)):
            if way == METRICS and self._failed_only_now(first):
                break
            needs, ask = self._ways[way]
            try:
                values = ask(self._api, pod, container)
            except NotAllowedError as refusal:
                self._refused[way] = f"{needs}: {refusal}"
                self._worked.discard(way)
                continue
            except SourceError as failure:
                self._refused[way] = str(failure).removeprefix(f"{NAME}: ")
                continue
            if way != self._way or first == 0:
                self._since = now_seconds
            self._way = way
            self._worked.add(way)
            if values is None:
                raise SourceError(NAME, "the cluster has no numbers of the container yet", "they come within a minute")
            return values
        self._since = float("-inf")
        raise SourceError(NAME, "; ".join(self._refused.values()), "grant one of these rights")

    def _failed_only_now(self, first: int) -> bool:
        """Whether a way that tells more was open before: then no numbers are better than numbers of another kind."""
        return first < METRICS and not self._worked.isdisjoint(range(METRICS))

    def _from_kubelet(self, api: Api, pod: Pod, container: str) -> dict[str, float] | None:
        host = pod["status"].get("hostIP")
        if not host or not (api.verifies_certificates or self._kubelet.startswith("http:")):
            raise NotAllowedError(0, "its certificate would not be checked")
        host = f"[{host}]" if ":" in host else host
        answer = api.get("/stats/summary", {"only_cpu_and_memory": "true"}, self._kubelet.format(host=host))
        return _of_summary(answer, pod, container)


def _from_proxy(api: Api, pod: Pod, container: str) -> dict[str, float] | None:
    path = f"/api/v1/nodes/{pod['spec'].get('nodeName')}/proxy/stats/summary"
    return _of_summary(api.get(path, {"only_cpu_and_memory": "true"}), pod, container)


def _from_metrics(api: Api, pod: Pod, container: str) -> dict[str, float] | None:
    from kubernetes.utils.quantity import parse_quantity

    meta = pod["metadata"]
    answer = api.get(f"/apis/metrics.k8s.io/v1beta1/namespaces/{meta['namespace']}/pods/{meta['name']}")
    for one in answer.get("containers") or ():
        if one.get("name") == container:
            return {"working_set_bytes": float(parse_quantity(one["usage"]["memory"]))}
    return None


def _of_summary(answer: Any, pod: Pod, container: str) -> dict[str, float] | None:
    for one in answer.get("pods") or ():
        if one["podRef"].get("uid") == pod["metadata"]["uid"]:
            for each in one.get("containers") or ():
                if each.get("name") == container and each.get("memory"):
                    return _columns(each["memory"], each.get("cpu") or {})
    return None


def _columns(memory: Mapping[str, Any], processor: Mapping[str, Any]) -> dict[str, float]:
    names = {"workingSetBytes": "working_set_bytes", "usageBytes": "usage_bytes", "rssBytes": "anon_bytes"}
    values = {column: float(memory[name]) for name, column in names.items() if memory.get(name) is not None}
    if pressure := (memory.get("psi") or {}).get("some"):  # from Kubernetes 1.34 on (KubeletPSI)
        values["memory_pressure_ratio"] = float(pressure.get("avg10", 0.0)) / 100
    if (used := processor.get("usageCoreNanoSeconds")) is not None:
        values["cpu_seconds_total"] = float(used) / 1e9
    return values
