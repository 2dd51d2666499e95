"""A container of a pod: its pod is evicted, its workload rolled out anew, or its limit raised in place.

Needs, in the namespace: get and list pods; get replicasets, deployments, statefulsets, daemonsets; list
poddisruptionbudgets; create pods/eviction; patch deployments; patch pods/resize; get, create and update leases
(docs/acting.md has the Role). What is not allowed is told with the missing rule.
"""

import time
from collections.abc import Callable

from leakwatch.act.cluster import NAME, Cluster, ForbiddenError, Object, Path
from leakwatch.act.lease import WorkloadLease
from leakwatch.act.pod_changes import evict, pod_path, raise_limit, restart_rollout
from leakwatch.act.wording import duration
from leakwatch.act.workloads import (
    KINDS,
    Workload,
    controller_of,
    is_leaving,
    is_ready,
    life_of,
    rollout_in_progress,
    selector_of_siblings,
    selects,
    uptime_seconds,
)
from leakwatch.errors import ActError
from leakwatch.ports import Action, Clock, Lease, Outcome, Standing
from leakwatch.settings import KubernetesPlace
from playbooks.types import Action as Remedy

READY_SECONDS = 300.0
EVICTION_PATIENCE_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.5


class PodRestarter:
    """One container of the pods of a workload.

    Args:
        ready_seconds: how long the replacement may take before we stop waiting for it.
        patience_seconds: how long a disruption budget is asked again.
        holder: the name in which the lease is held, see `leakwatch.act.holder`.
    """

    name = NAME

    def __init__(
        self,
        place: KubernetesPlace,
        clock: Clock,
        cluster: Cluster | None = None,
        ready_seconds: float = READY_SECONDS,
        patience_seconds: float = EVICTION_PATIENCE_SECONDS,
        holder: str | None = None,
    ) -> None:
        self._place, self._clock, self._cluster = place, clock, cluster or Cluster()
        self._ready_seconds, self._patience_seconds = ready_seconds, patience_seconds
        self._leases: dict[str, WorkloadLease] = {}
        self._holder = holder
        self._selector: str | None = place.selector

    def remedies(self) -> frozenset[Remedy]:
        """A raised limit, and a restart."""
        return frozenset({Remedy.RAISE_LIMIT, Remedy.RESTART})

    def lease(self) -> Lease:
        """The claim on the pod's workload; raises ActError where that is unknown."""
        workload = self._workload(self._pod())
        name = f"{workload.kind.lower()}-{workload.name}"
        if name not in self._leases:
            self._leases[name] = WorkloadLease(self._cluster, self._place.namespace, name, self._clock, self._holder)
        return self._leases[name]

    def standing(self, now_seconds: float) -> Standing:
        """Pod, workload and disruption budgets as the server describes them; raises ActError."""
        pod = self._pod()
        workload = self._workload(pod)
        known = workload.kind in KINDS
        absent = {"drain"}  # the endpoints leave with the pod; its own grace and preStop do the rest
        if _is_rolled_out(workload):
            absent |= {"replicas", "disruption_budget"}  # the new pod is ready before the old one goes
        budgets = self._budgets(pod)
        if not budgets:
            absent.add("disruption_budget")
        allowed = [int((one.get("status") or {}).get("disruptionsAllowed", 0)) for one in budgets]
        ready = is_ready(pod) and not is_leaving(pod)
        container = self._place.container
        return Standing(
            life_of(pod, container),
            uptime_seconds(pod, container, now_seconds),
            ready,
            max(workload.ready - ready, 0) if known else None,
            rollout_in_progress(workload) if known else None,
            (0 if len(allowed) > 1 else allowed[0]) if allowed else None,  # under several the server evicts nothing
            workload.key,
            frozenset(absent),
            elsewhere=self._place.pod not in (None, pod["metadata"]["name"]),
        )

    def carry_out(self, action: Action, held: Callable[[], bool]) -> Outcome:
        """Evict (a single replica: roll out), or raise the limit; then wait until the workload is whole again.

        What is forbidden was not done, and that is known.
        """
        began = self._clock.steady()
        try:
            return self._carried_out(action, held)
        except ForbiddenError as error:
            return Outcome(False, f"{error}; nothing was touched", self._clock.steady() - began)

    def _carried_out(self, action: Action, held: Callable[[], bool]) -> Outcome:
        pod = self._pod()
        workload, name = self._workload(pod), pod["metadata"]["name"]
        began = self._clock.steady()
        if action.dry_run:
            return Outcome(False, f"dry run: {action.remedy} of the pod {name} of {workload.key}", 0.0)
        if action.remedy is Remedy.RAISE_LIMIT:
            limit = action.limit_bytes or 0
            why = raise_limit(self._cluster, pod, self._place.container, limit, held, self._ready_seconds)
            said = why or f"the memory limit of the pod {name} is now {limit / 2**20:.0f} MiB, until it is replaced"
            return Outcome(why is None, said, self._clock.steady() - began)
        if _is_rolled_out(workload):
            done = not rollout_in_progress(workload)
            what = f"{workload.key} is paused or in the middle of a rollout; nothing was touched"
            said = self._rolled_out(workload, held) if done else what
        else:
            why = evict(self._cluster, pod, held, self._patience_seconds)
            done = why is None
            said = why or self._replaced(pod, workload, held)
        return Outcome(done, said, self._clock.steady() - began)

    # -----------------------------------------------------------------------------------------------------------------
    # What is there
    # -----------------------------------------------------------------------------------------------------------------

    def _pod(self) -> Object:
        """The pod by its name; of a selector the oldest that runs, as the samples are of that one too."""
        place = self._place
        if place.pod is not None:
            found = self._cluster.get(Path("", "pods", place.namespace, place.pod))
            if found is not None:
                if self._selector is None:
                    self._selector = selector_of_siblings(found)
                return found
        pods = self._listed(self._selector) if self._selector else []
        running = [pod for pod in pods if not is_leaving(pod) and (pod.get("status") or {}).get("phase") == "Running"]
        if not running:
            which = place.pod or place.selector
            raise ActError(NAME, f"no running pod {which!r} in {place.namespace}", "see 'kubectl get pods'")
        ages = sorted(running, key=lambda pod: (pod["metadata"].get("creationTimestamp", ""), pod["metadata"]["name"]))
        return ages[-1] if place.pod is not None else ages[0]  # the youngest stands in place of one that has gone

    def _listed(self, selector: str) -> list[Object]:
        path = Path("", "pods", self._place.namespace)
        found = self._cluster.get(path, {"labelSelector": selector, "limit": "500"}) or {}
        pods: list[Object] = found.get("items") or []
        return pods

    def _workload(self, pod: Object) -> Workload:
        """What owns the pod, through its replica set; raises ActError where nothing would make another."""
        owner, namespace = controller_of(pod), self._place.namespace
        if owner is not None and owner["kind"] == "ReplicaSet":
            replica_set = self._cluster.get(Path("apps", "replicasets", namespace, owner["name"]))
            owner = controller_of(replica_set) if replica_set is not None else None
        if owner is None or owner["kind"] == "Job":
            what = f"the pod {pod['metadata']['name']} belongs to nothing that would make another"
            raise ActError(NAME, what, "restart it by hand")
        if owner["kind"] not in KINDS:
            return Workload(owner["kind"], namespace, {"metadata": {"name": owner["name"]}})
        described = self._cluster.get(Path("apps", KINDS[owner["kind"]], namespace, owner["name"]))
        if described is None:
            raise ActError(NAME, f"{owner['kind']} {owner['name']} has gone", "it is being deleted")
        return Workload(owner["kind"], namespace, described)

    def _budgets(self, pod: Object) -> list[Object]:
        found = self._cluster.get(Path("policy", "poddisruptionbudgets", self._place.namespace)) or {}
        labels = pod["metadata"].get("labels") or {}
        return [one for one in found.get("items") or [] if selects((one.get("spec") or {}).get("selector"), labels)]

    # -----------------------------------------------------------------------------------------------------------------
    # Until it is whole again
    # -----------------------------------------------------------------------------------------------------------------

    def _rolled_out(self, workload: Workload, held: Callable[[], bool]) -> str:
        restart_rollout(self._cluster, workload, self._clock.now())
        tool = workload.managed_by
        caveat = f"; it is managed by {tool}, which may put its template back" if tool else ""
        return f"{workload.key} was rolled out anew{caveat}{self._until(lambda: self._is_whole(workload), held)}"

    def _replaced(self, pod: Object, workload: Workload, held: Callable[[], bool]) -> str:
        def over() -> bool:
            found = self._cluster.get(pod_path(pod))
            gone = found is None or found["metadata"]["uid"] != pod["metadata"]["uid"]
            return gone and self._is_whole(workload)

        return f"the pod {pod['metadata']['name']} of {workload.key} was evicted{self._until(over, held)}"

    def _is_whole(self, workload: Workload) -> bool:
        if workload.kind not in KINDS:
            return True
        path = Path("apps", KINDS[workload.kind], workload.namespace, workload.name)
        described = self._cluster.get(path)
        now = Workload(workload.kind, workload.namespace, described) if described is not None else workload
        return not rollout_in_progress(now) and now.ready >= now.replicas

    def _until(self, holds: Callable[[], bool], held: Callable[[], bool]) -> str:
        """Waits, keeping the lease; the end of the sentence."""
        end = time.monotonic() + self._ready_seconds
        while time.monotonic() < end:
            try:
                if holds():
                    return ", and its workload is whole again"
            except ActError:
                pass  # the server may be away for a moment; the change is made
            if not held():
                return "; the lease was lost while it was being replaced"
            time.sleep(_LOOK_EVERY_SECONDS)
        return f"; its workload was not whole again within {duration(self._ready_seconds)}"


def _is_rolled_out(workload: Workload) -> bool:
    """A single replica is not evicted: a rollout brings the new pod first."""
    return workload.kind == "Deployment" and workload.replicas == 1 and workload.surges
