"""What makes a fake cluster live: replica sets, rollouts of deployments and stateful sets, disruption budgets.

Each step looks at the objects and moves them one change nearer to what they should be, as the real controllers do.
"""

import hashlib
import json
import secrets
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.kubernetes_kubelet import Kubelet, is_leaving, is_ready
from tests.fakes.kubernetes_store import (
    BUDGETS,
    DEPLOYMENTS,
    NODES,
    PODS,
    REPLICASETS,
    STATEFULSETS,
    Object,
    Resource,
    Store,
    labels_match,
    rfc3339,
    selector_text,
)


class Controllers:
    """Runs in a thread of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.kubelet = Kubelet(store)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ended.is_set():
            with self.store.changed:
                before = self.store.version
                for pod in self.store.find(PODS):
                    self.kubelet.look_after(pod)
                for owner in self.store.find(DEPLOYMENTS):
                    self._deployment(owner)
                for owner in self.store.find(REPLICASETS):
                    self._replicas(REPLICASETS, owner)
                for owner in self.store.find(STATEFULSETS):
                    self._stateful(owner)
                for budget in self.store.find(BUDGETS):
                    self._budget(budget)
                if self.store.version == before:
                    self.store.changed.wait(0.01)

    def _replicas(self, resource: Resource, owner: Object) -> None:
        """As many pods as the replica set wants."""
        pods = self._pods_of(owner)
        staying = [pod for pod in pods if not is_leaving(pod)]
        wanted = owner["spec"].get("replicas", 1)
        for _ in range(wanted - len(staying)):
            self._make_pod(resource, owner, f"{owner['metadata']['name']}-{secrets.token_hex(3)[:5]}")
        for pod in sorted(staying, key=is_ready)[: max(0, len(staying) - wanted)]:
            self.let_go(pod)
        ready = sum(map(is_ready, staying))
        counts = {"replicas": len(staying), "readyReplicas": ready, "availableReplicas": ready}
        self._change(resource, owner, status={**counts, "observedGeneration": owner["metadata"]["generation"]})

    def _deployment(self, owner: Object) -> None:
        """One new replica set for each template; a pod of the new one has to be ready before one of the old goes."""
        spec, meta = owner["spec"], owner["metadata"]
        sets = [one for one in self.store.find(REPLICASETS, meta["namespace"]) if owned_by(one, owner)]
        digest = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode()).hexdigest()[:10]
        current = next((one for one in sets if one["metadata"]["labels"]["pod-template-hash"] == digest), None)
        wanted = spec.get("replicas", 1)
        if current is None and not (spec.get("paused") and sets):
            current = self._make_set(owner, digest, 0 if sets else wanted)
            sets.append(current)
        old = [one for one in sets if one is not current and one["spec"]["replicas"]]
        if current is not None and not spec.get("paused"):
            self._roll(current, old, wanted)
        pods = [pod for one in sets for pod in self._pods_of(one) if not is_leaving(pod)]
        of_current = [pod for pod in pods if current is not None and owned_by(pod, current)]
        ready = sum(map(is_ready, pods))
        updated = len(of_current)
        status = {"replicas": len(pods), "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": ready}
        status["unavailableReplicas"] = max(0, wanted - ready)
        self._change(DEPLOYMENTS, owner, status={**status, "observedGeneration": meta["generation"]})

    def _roll(self, current: Object, old: list[Object], wanted: int) -> None:
        ready = sum(is_ready(pod) for pod in self._pods_of(current) if not is_leaving(pod))
        now = current["spec"]["replicas"]
        total = now + sum(one["spec"]["replicas"] for one in old)
        if not old and now != wanted:
            self._scale(current, wanted)
        elif old and now < wanted and ready == now and total <= wanted:
            self._scale(current, now + 1)
        elif old and total > wanted and ready == now:
            self._scale(old[0], old[0]["spec"]["replicas"] - 1)

    def _stateful(self, owner: Object) -> None:
        """Pods by ordinal; one at a time is replaced where its template is not the current one."""
        spec, meta = owner["spec"], owner["metadata"]
        digest = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode()).hexdigest()[:10]
        pods = {pod["metadata"]["name"]: pod for pod in self._pods_of(owner)}
        wanted = spec.get("replicas", 1)
        for ordinal in range(wanted):
            if (name := f"{meta['name']}-{ordinal}") not in pods:
                pods[name] = self._make_pod(STATEFULSETS, owner, name, {"controller-revision-hash": digest})
        outdated = [pod for pod in pods.values() if pod["metadata"]["labels"]["controller-revision-hash"] != digest]
        if outdated and all(is_ready(pod) and not is_leaving(pod) for pod in pods.values()):
            self.let_go(outdated[-1])
        staying = [pod for pod in pods.values() if not is_leaving(pod)]
        ready, updated = sum(map(is_ready, staying)), len([pod for pod in staying if pod not in outdated])
        counts = {"replicas": len(staying), "readyReplicas": ready, "availableReplicas": ready}
        status = {**counts, "updatedReplicas": updated, "observedGeneration": meta["generation"]}
        self._change(STATEFULSETS, owner, status=status)

    def _budget(self, budget: Object) -> None:
        self._change(BUDGETS, budget, status=self.budget_status(budget))

    def budget_status(self, budget: Object) -> Object:
        """Healthy and wanted pods, and how many may go, of a disruption budget."""
        spec, meta = budget["spec"], budget["metadata"]
        pods = self.store.find(PODS, meta["namespace"], selector_text(spec.get("selector")))
        expected = len([pod for pod in pods if not is_leaving(pod)])
        healthy = len([pod for pod in pods if is_ready(pod) and not is_leaving(pod)])
        if "minAvailable" in spec:
            wanted = _share(spec["minAvailable"], expected)
        else:
            wanted = expected - _share(spec.get("maxUnavailable", 0), expected)
        return {
            "expectedPods": expected,
            "currentHealthy": healthy,
            "desiredHealthy": max(wanted, 0),
            "disruptionsAllowed": max(0, healthy - max(wanted, 0)),
            "observedGeneration": meta["generation"],
        }

    def let_go(self, pod: Object) -> None:
        """Graceful deletion: the kubelet removes it later."""
        if is_leaving(pod):
            return
        at = rfc3339(datetime.now(UTC) + timedelta(seconds=30))
        self.store.mark_leaving(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], at)

    def _pods_of(self, owner: Object) -> list[Object]:
        labels = selector_text(owner["spec"]["selector"])
        pods = self.store.find(PODS, owner["metadata"]["namespace"])
        return [pod for pod in pods if owned_by(pod, owner) and labels_match(labels, pod["metadata"]["labels"])]

    def _make_pod(self, resource: Resource, owner: Object, name: str, more: dict[str, str] | None = None) -> Object:
        template = owner["spec"]["template"]
        meta = {
            "name": name,
            "labels": {**template["metadata"].get("labels", {}), **(more or {})},
            "annotations": template["metadata"].get("annotations") or {},
            "ownerReferences": [reference(resource, owner)],
        }
        nodes = self.store.find(NODES)
        node = nodes[0]["metadata"]["name"] if nodes else "node-1"
        pod = {"metadata": meta, "spec": {"nodeName": node, **template["spec"]}, "status": {"phase": "Pending"}}
        return self.store.create(PODS, owner["metadata"]["namespace"], pod)

    def _make_set(self, owner: Object, digest: str, replicas: int) -> Object:
        spec = owner["spec"]
        labels = {**spec["template"]["metadata"].get("labels", {}), "pod-template-hash": digest}
        meta = {
            "name": f"{owner['metadata']['name']}-{digest}",
            "labels": labels,
            "ownerReferences": [reference(DEPLOYMENTS, owner)],
        }
        template = {**spec["template"], "metadata": {**spec["template"]["metadata"], "labels": labels}}
        selector = {"matchLabels": {**spec["selector"].get("matchLabels", {}), "pod-template-hash": digest}}
        one = {"metadata": meta, "spec": {"replicas": replicas, "selector": selector, "template": template}}
        return self.store.create(REPLICASETS, owner["metadata"]["namespace"], one)

    def _scale(self, one: Object, replicas: int) -> None:
        one["spec"]["replicas"] = replicas
        meta = one["metadata"]
        self.store.change(
            REPLICASETS, meta["namespace"], meta["name"], lambda obj: obj["spec"].update(replicas=replicas)
        )

    def _change(self, resource: Resource, obj: Object, **parts: Any) -> None:
        self.store.change(
            resource, obj["metadata"]["namespace"], obj["metadata"]["name"], lambda one: one.update(parts)
        )


def owned_by(obj: Object, owner: Object) -> bool:
    return any(one["uid"] == owner["metadata"]["uid"] for one in obj["metadata"].get("ownerReferences") or [])


def reference(resource: Resource, owner: Object) -> Object:
    meta = owner["metadata"]
    named = {"apiVersion": resource.api_version, "kind": resource.kind, "name": meta["name"], "uid": meta["uid"]}
    return {**named, "controller": True, "blockOwnerDeletion": True}


def _share(value: int | str, of: int) -> int:
    """A number, or a percentage that rounds up."""
    return -(-int(value[:-1]) * of // 100) if isinstance(value, str) else value
