"""The three things that are done to pods: eviction, a rollout of their workload, a resize. Nothing is ever deleted.

Eviction: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/ (429: the disruption budget says not
now; 500: several budgets select the pod, and then the server evicts nothing).
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

from leakwatch.act.cluster import NAME, Answer, Cluster, Object, Path
from leakwatch.act.workloads import KINDS, Workload, container_spec, container_status, is_leaving
from leakwatch.errors import ActError
from leakwatch.quantities import SIZE_UNITS

STRATEGIC = "application/strategic-merge-patch+json"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 30.0
_LOOK_EVERY_SECONDS = 0.5

Held = Callable[[], bool]


def pod_path(pod: Object, subresource: str | None = None) -> Path:
    """Where the pod is."""
    return Path("", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"], subresource)


def evict(cluster: Cluster, pod: Object, held: Held, patience_seconds: float) -> str | None:
    """Asks until the pod may go; None once it goes, else the sentence that says why it stays.

    Raises:
        ActError: nobody knows whether it goes, or it is forbidden.
    """
    meta = pod["metadata"]
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "deleteOptions": {"preconditions": {"uid": meta["uid"]}},  # this pod, and not the next of its name
    }
    end, wait = time.monotonic() + patience_seconds, _FIRST_WAIT_SECONDS
    while True:
        answer = _asked(cluster, pod, body)
        if answer is None or answer.status < 300 or answer.status == 404:
            return None
        if answer.status == 409:
            return f"the pod {meta['name']} was replaced meanwhile"
        if answer.status == 500 and "more than one" in answer.message:
            return f"several disruption budgets select the pod {meta['name']}; the server evicts it only with one"
        if answer.status not in (429, 500, 503):
            raise ActError(NAME, f"eviction of {meta['name']}: {answer.status} {answer.message}", "see what it says")
        pause = answer.retry_after_seconds or wait
        if time.monotonic() + pause > end:
            return f"the pod {meta['name']} may not go now: {answer.message}"
        time.sleep(pause)
        wait = min(2.0 * wait, _LONGEST_WAIT_SECONDS)
        if not held():
            return "the lease was lost while waiting for the disruption budget"


def _asked(cluster: Cluster, pod: Object, body: Object) -> Answer | None:
    """The answer; None where the connection was lost and the pod turns out to be going."""
    try:
        return cluster.send("POST", pod_path(pod, "eviction"), body)
    except ActError as error:
        if "no answer" not in str(error):
            raise
        found = cluster.get(pod_path(pod))
        if found is None or found["metadata"]["uid"] != pod["metadata"]["uid"] or is_leaving(found):
            return None
        return Answer(503, {"message": str(error)}, None)


def restart_rollout(cluster: Cluster, workload: Workload, now_seconds: float) -> None:
    """As ``kubectl rollout restart`` does it: an annotation of the pod template. Raises ActError."""
    stamp = datetime.fromtimestamp(now_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: stamp}}}}}
    path = Path("apps", KINDS[workload.kind], workload.namespace, workload.name)
    cluster.accepted(cluster.send("PATCH", path, patch, STRATEGIC), path)


def raise_limit(
    cluster: Cluster, pod: Object, container: str, limit_bytes: int, held: Held, within_seconds: float
) -> str | None:
    """Raises the memory limit of the running pod; None once it holds, else the sentence that says why not.

    The request follows where it equals the limit: the class of service may not change. A resize that the node has no
    room for is taken back.
    """
    before = container_spec(pod, container).get("resources") or {}
    limits, requests = before.get("limits") or {}, before.get("requests") or {}
    if "memory" not in limits:
        return f"the container {container} has no memory limit that could be raised"
    if quantity_bytes(limits["memory"]) >= limit_bytes:
        return f"the memory limit of the container {container} is {limits['memory']} already"
    wanted = {"limits": {"memory": str(limit_bytes)}}
    if requests.get("memory") == limits["memory"]:
        wanted["requests"] = {"memory": str(limit_bytes)}
    answer = _resize(cluster, pod, container, wanted)
    if answer.status == 404:
        return "the cluster has no pods/resize (it came with Kubernetes 1.33), or the pod has gone"
    if answer.status >= 300:
        return f"the resize was refused: {answer.message}"
    why = _wait_for_limit(cluster, pod, container, limit_bytes, held, within_seconds)
    if why is not None:
        old = {key: {"memory": (before.get(key) or {})["memory"]} for key in wanted}
        _resize(cluster, pod, container, old)
    return why


def _resize(cluster: Cluster, pod: Object, container: str, resources: Object) -> Answer:
    patch = {"spec": {"containers": [{"name": container, "resources": resources}]}}
    return cluster.send("PATCH", pod_path(pod, "resize"), patch, STRATEGIC)


def _wait_for_limit(
    cluster: Cluster, pod: Object, container: str, limit_bytes: int, held: Held, within: float
) -> str | None:
    end = time.monotonic() + within
    while time.monotonic() < end and held():
        found = cluster.get(pod_path(pod))
        if found is None:
            return "the pod has gone meanwhile"
        applied = (container_status(found, container).get("resources") or {}).get("limits") or {}
        if applied.get("memory") and quantity_bytes(applied["memory"]) == limit_bytes:
            return None
        for condition in (found.get("status") or {}).get("conditions") or []:
            if condition.get("type") == "PodResizePending" and condition.get("reason") in ("Infeasible", "Deferred"):
                return f"the node has no room for it ({condition['reason']}): {condition.get('message', '')}"
        time.sleep(_LOOK_EVERY_SECONDS)
    return "the resize was not carried out in time"


def quantity_bytes(text: str) -> int:
    """Bytes of a memory quantity as the server writes it: 1Gi, 512M, 1073741824."""
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text)
    if match is None:
        return -1
    number, unit = match.groups()
    return round(float(number) * (SIZE_UNITS.get(unit, -1) if unit else 1))
