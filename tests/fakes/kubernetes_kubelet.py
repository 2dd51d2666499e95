"""The kubelet of a fake cluster: pods start, become ready, are resized, and end."""

import secrets
import time

from tests.fakes.kubernetes_store import PODS, Object, Store, rfc3339

SIZES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def bytes_of(quantity: str) -> int:
    """Of a Kubernetes quantity of memory."""
    for unit, scale in SIZES.items():
        if quantity.endswith(unit):
            return int(float(quantity.removesuffix(unit)) * scale)
    return int(float(quantity))


def is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def is_leaving(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def quality_of_service(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort, by the containers' requests and limits."""
    resources = [container.get("resources") or {} for container in spec["containers"]]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    whole = all(
        set(one.get("limits") or {}) >= {"cpu", "memory"}
        and (one.get("requests") or one["limits"]).items() >= one["limits"].items()
        for one in resources
    )
    return "Guaranteed" if whole else "Burstable"


class Kubelet:
    """The times are how long a pod takes to start, to end and to be resized; all may be changed at any moment."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.start_seconds = self.termination_seconds = self.resize_seconds = 0.05
        self.pods_become_ready = True
        self.room_bytes: int | None = None
        self._due: dict[str, float] = {}

    def look_after(self, pod: Object) -> None:
        """One step of one pod."""
        meta, status = pod["metadata"], pod.get("status") or {}
        if is_leaving(pod):
            if self._is_due(f"end {meta['uid']}", self.termination_seconds):
                self.store.remove(PODS, meta["namespace"], meta["name"])
        elif status.get("phase", "Pending") == "Pending":
            if self._is_due(f"start {meta['uid']}", self.start_seconds):
                self._set_status(pod, self._running(pod))
        elif status.get("phase") == "Running" and not is_ready(pod) and self.pods_become_ready:
            if not status.get("held_unready"):
                self._set_status(pod, {**status, **self._readiness(pod, True)})
        elif self._wants_resize(pod) and self._is_due(
            f"resize {meta['uid']} {meta['generation']}", self.resize_seconds
        ):
            self._resize(pod)

    def _running(self, pod: Object) -> Object:
        now = rfc3339()
        running = {"phase": "Running", "startTime": now, "hostIP": "127.0.0.1", "podIP": "127.0.0.1"}
        return {**running, **self._readiness(pod, self.pods_become_ready), "qosClass": quality_of_service(pod["spec"])}

    def _readiness(self, pod: Object, ready: bool) -> Object:
        old = {one["name"]: one for one in pod.get("status", {}).get("containerStatuses") or []}
        statuses = [
            old.get(container["name"], {})
            | {
                "name": container["name"],
                "ready": ready,
                "restartCount": old.get(container["name"], {}).get("restartCount", 0),
                "image": container.get("image", ""),
                "imageID": "",
                "containerID": old.get(container["name"], {}).get(
                    "containerID", f"containerd://{secrets.token_hex(32)}"
                ),
                "state": old.get(container["name"], {}).get("state", {"running": {"startedAt": rfc3339()}}),
                "resources": container.get("resources") or {},
            }
            for container in pod["spec"]["containers"]
        ]
        condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": rfc3339()}
        return {"conditions": [condition], "containerStatuses": statuses}

    def _wants_resize(self, pod: Object) -> bool:
        applied = {one["name"]: one.get("resources") for one in pod["status"].get("containerStatuses") or []}
        return any(applied.get(one["name"]) != (one.get("resources") or {}) for one in pod["spec"]["containers"])

    def _resize(self, pod: Object) -> None:
        wanted = sum(
            bytes_of(one.get("resources", {}).get("requests", {}).get("memory", "0"))
            for one in pod["spec"]["containers"]
        )
        status = pod["status"]
        others = [one for one in status["conditions"] if not one["type"].startswith("PodResize")]
        if self.room_bytes is not None and wanted > self.room_bytes:
            message = f"Node didn't have enough capacity: memory, requested: {wanted}, capacity: {self.room_bytes}"
            pending = {"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": message}
            if pending not in status["conditions"]:
                self._set_status(pod, {**status, "conditions": [*others, pending]})
            return
        applied = {one["name"]: one.get("resources") or {} for one in pod["spec"]["containers"]}
        statuses = [one | {"resources": applied[one["name"]]} for one in status["containerStatuses"]]
        self._set_status(pod, {**status, "conditions": others, "containerStatuses": statuses})

    def _set_status(self, pod: Object, status: Object) -> None:
        meta = pod["metadata"]
        self.store.change(PODS, meta["namespace"], meta["name"], lambda one: one.update(status=status))

    def _is_due(self, what: str, seconds: float) -> bool:
        """Whether so long has passed since it was first asked."""
        return time.monotonic() >= self._due.setdefault(what, time.monotonic() + seconds)
