"""Pods are evicted, rolled out and resized as a cluster allows it; seen against an API server over HTTP."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leakwatch.act.acting import Acting
from leakwatch.act.cluster import Cluster
from leakwatch.act.decision import Ruling, What
from leakwatch.act.holder import holder_of
from leakwatch.act.kubernetes import PodRestarter
from leakwatch.act.lease import WorkloadLease
from leakwatch.clock import SystemClock
from leakwatch.errors import ActError
from leakwatch.ports import Action
from leakwatch.settings import ActSettings, KubernetesPlace
from playbooks.types import Action as Remedy
from tests.fakes.acting import HandClock, leaking
from tests.fakes.kubernetes_api import Fault, KubernetesApi
from tests.fakes.kubernetes_store import BUDGETS, DEPLOYMENTS, RefusedError
from tests.fakes.shipped_roles import rules_of

MEMORY = {"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}}
PLACE = KubernetesPlace("ml", "serving", selector="app=serving")
Restart = Action(Remedy.RESTART, "serving", "it leaks", False, 0.0, 10.0)
GRANTED = ("evict", "rollout", "resize", "lease")
ROLE = rules_of(*GRANTED)


@pytest.fixture
def restarter(kubernetes_api: KubernetesApi, tmp_path: Path) -> Callable[..., PodRestarter]:
    """A restarter with just the rights of the Role in the documents, or less."""

    def made(without: str = "", place: KubernetesPlace = PLACE, clock: Any = None) -> PodRestarter:
        allowed = tuple(rule for rule in ROLE if rule[1] != without)
        kubernetes_api.cluster.accounts["leakwatch"] = ("system:serviceaccount:ml:leakwatch", allowed)
        kubeconfig = kubernetes_api.kubeconfig(tmp_path / "kubeconfig", "leakwatch")
        return PodRestarter(place, clock or SystemClock(), Cluster(str(kubeconfig)), 30.0, 5.0)

    return made


def serving(api: KubernetesApi, replicas: int, **budget: Any) -> list[dict[str, Any]]:
    """A deployment whose pods all serve, and which is known to be whole."""
    api.cluster.add_deployment("ml", "serving", replicas, resources=MEMORY)
    if budget:
        api.cluster.add_budget("ml", "serving", "serving", **budget)

    def whole() -> Any:
        [deployment] = api.cluster.store.find(DEPLOYMENTS, "ml")
        pods = api.cluster.ready_pods("ml")
        settled = (deployment.get("status") or {}).get("availableReplicas") == replicas
        budgets = api.cluster.store.find(BUDGETS, "ml")
        counted = all((one.get("status") or {}).get("currentHealthy") == replicas for one in budgets)
        return pods if len(pods) == replicas and settled and counted else None

    return api.cluster.wait_for(whole)


def uids(api: KubernetesApi) -> set[str]:
    return {pod["metadata"]["uid"] for pod in api.cluster.ready_pods("ml")}


def changes(api: KubernetesApi) -> list[tuple[str, str]]:
    """What was changed, the lease left out."""
    return [(one.method, one.path) for one in api.requests if one.method != "GET" and "leases" not in one.path]


def yes() -> bool:
    return True


def test_what_stands_there(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """The oldest pod's life and age, the others that serve, the rollout, the budget, the workload's name."""
    serving(kubernetes_api, 3, minAvailable=2)
    standing = restarter().standing(time.time() + 100.0)
    assert (standing.ready, standing.other_replicas_ready, standing.disruptions_allowed) == (True, 2, 1)
    assert standing.rollout_in_progress is False
    assert standing.workload == "ml/deployment/serving"
    assert standing.uptime_seconds == pytest.approx(100.0, abs=60.0)
    assert standing.life.startswith("kubernetes:")
    assert standing.not_applicable == {"drain"}
    assert changes(kubernetes_api) == []


def test_one_of_several_replicas_is_evicted(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """Its replacement serves before we say so; nothing is deleted, and the others stay."""
    before = {pod["metadata"]["uid"] for pod in serving(kubernetes_api, 3, minAvailable=2)}
    outcome = restarter().carry_out(Restart, yes)
    assert outcome.done
    assert "whole again" in outcome.detail
    after = uids(kubernetes_api)
    assert (len(after), len(after & before)) == (3, 2)
    [(method, path)] = changes(kubernetes_api)
    assert method == "POST"
    assert path.endswith("/eviction")


def test_a_disruption_budget_is_waited_for_and_obeyed(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """429 is asked again, after as long as the server says; a budget that never allows it is told with its words."""
    before = {pod["metadata"]["uid"] for pod in serving(kubernetes_api, 2, minAvailable=2)}
    refused = RefusedError(429, "TooManyRequests", "later", retry_after_seconds=1)
    kubernetes_api.faults.append(Fault("POST", "/eviction$", refused, times=1))
    outcome = restarter().carry_out(Restart, yes)
    assert not outcome.done
    assert "needs 2 healthy pods and has 2 currently" in outcome.detail
    assert uids(kubernetes_api) == before
    assert restarter().standing(time.time()).disruptions_allowed == 0
    asked = len(changes(kubernetes_api))
    assert asked >= 3
    kubernetes_api.faults.append(Fault("POST", "/eviction$", refused, times=1))
    kubernetes_api.cluster.store.change(BUDGETS, "ml", "serving", lambda one: one["spec"].update(minAvailable=1))
    kubernetes_api.cluster.wait_for(lambda: restarter().standing(time.time()).disruptions_allowed == 1)
    began = time.monotonic()
    assert restarter().carry_out(Restart, yes).done
    assert time.monotonic() - began >= 1.0


def test_two_budgets_for_one_pod_are_told(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """The server's 500 is no reason to try again."""
    serving(kubernetes_api, 2, minAvailable=1)
    kubernetes_api.cluster.add_budget("ml", "second", "serving", minAvailable=1)
    assert restarter().standing(time.time()).disruptions_allowed == 0
    outcome = restarter().carry_out(Restart, yes)
    assert not outcome.done
    assert "several disruption budgets" in outcome.detail
    assert len(changes(kubernetes_api)) == 1


def test_a_single_replica_is_rolled_out(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """The new pod serves before the old one goes: replicas and budget are not asked, and one always serves."""
    [old] = serving(kubernetes_api, 1, minAvailable=1)
    standing = restarter().standing(time.time())
    assert {"replicas", "disruption_budget"} <= standing.not_applicable
    lowest, ended = [1], threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            lowest.append(len(kubernetes_api.cluster.ready_pods("ml")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    outcome = restarter().carry_out(Restart, yes)
    ended.set()
    watcher.join()
    assert outcome.done
    assert "rolled out" in outcome.detail
    assert min(lowest) >= 1
    assert old["metadata"]["uid"] not in uids(kubernetes_api)
    assert restarter().standing(time.time()).life != standing.life
    [(method, path)] = changes(kubernetes_api)
    assert (method, path.rsplit("/", 2)[-2:]) == ("PATCH", ["deployments", "serving"])


@pytest.mark.parametrize("replicas", [1, 3])
def test_a_pod_by_name_is_followed_to_what_comes_in_its_place(
    kubernetes_api: KubernetesApi, restarter: Any, replicas: int
) -> None:
    """Evicted or rolled out, its name is gone afterwards: the youngest pod of its workload is looked at instead."""
    old = serving(kubernetes_api, replicas)[0]["metadata"]
    one = restarter(place=KubernetesPlace("ml", "serving", pod=old["name"]))
    before = one.standing(time.time())
    assert one.carry_out(Restart, yes).done
    kubernetes_api.cluster.wait_for(lambda: old["uid"] not in uids(kubernetes_api))
    after = one.standing(time.time())
    assert after.ready
    assert after.life != before.life
    assert after.workload == before.workload
    assert (before.elsewhere, after.elsewhere) == (False, True)


def test_a_pod_of_a_stateful_set_is_evicted(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """It comes back under its own name, as another pod."""
    labels = {"app": "serving"}
    spec = {"containers": [{"name": "serving", "resources": MEMORY}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    wanted = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    kubernetes_api.cluster.create("statefulsets", "ml", {"metadata": {"name": "serving"}, "spec": wanted}, group="apps")
    one = restarter()
    kubernetes_api.cluster.wait_for(lambda: len(kubernetes_api.cluster.ready_pods("ml")) == 2)
    kubernetes_api.cluster.wait_for(lambda: one.standing(time.time()).rollout_in_progress is False)
    before = uids(kubernetes_api)
    standing = one.standing(time.time())
    assert (standing.workload, standing.other_replicas_ready) == ("ml/statefulset/serving", 1)
    assert one.carry_out(Restart, yes).done
    kubernetes_api.cluster.wait_for(lambda: len(uids(kubernetes_api)) == 2)
    assert len(uids(kubernetes_api) & before) == 1


def test_a_gitops_tool_is_named(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """Whoever manages the template may put it back."""
    serving(kubernetes_api, 1)
    mark = {"argocd.argoproj.io/tracking-id": "x"}
    kubernetes_api.cluster.store.change(
        DEPLOYMENTS, "ml", "serving", lambda one: one["metadata"].update(annotations=mark)
    )
    assert "managed by Argo CD" in restarter().carry_out(Restart, yes).detail


@pytest.mark.parametrize("spec", [{"paused": True}, {"replicas": 4}])
def test_a_rollout_in_progress_is_seen(kubernetes_api: KubernetesApi, restarter: Any, spec: dict[str, Any]) -> None:
    """Paused, or not yet what it should be."""
    serving(kubernetes_api, 3)
    kubernetes_api.cluster.kubelet.pods_become_ready = False
    kubernetes_api.cluster.store.change(DEPLOYMENTS, "ml", "serving", lambda one: one["spec"].update(spec))
    assert restarter().standing(time.time()).rollout_in_progress is True


def test_a_paused_single_replica_is_not_rolled_out(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """Asked again right before the act, whatever was decided earlier."""
    serving(kubernetes_api, 1)
    kubernetes_api.cluster.store.change(DEPLOYMENTS, "ml", "serving", lambda one: one["spec"].update(paused=True))
    outcome = restarter().carry_out(Restart, yes)
    assert not outcome.done
    assert outcome.detail == "ml/deployment/serving is paused or in the middle of a rollout; nothing was touched"
    assert changes(kubernetes_api) == []


def test_a_pod_that_nothing_would_make_anew_is_left_alone(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """A bare pod is not evicted."""
    labels = {"metadata": {"name": "alone", "labels": {"app": "serving"}}}
    spec = {"spec": {"containers": [{"name": "serving"}]}}
    kubernetes_api.cluster.create("pods", "ml", {**labels, **spec, "status": {"phase": "Pending"}})
    kubernetes_api.cluster.wait_for(lambda: kubernetes_api.cluster.ready_pods("ml"))
    with pytest.raises(ActError, match="nothing that would make another"):
        restarter().standing(time.time())


def test_a_pod_that_was_replaced_meanwhile_is_left_alone(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """The eviction names the uid: another pod of the same name does not go."""
    serving(kubernetes_api, 2)
    conflict = RefusedError(409, "Conflict", "Precondition failed: UID in precondition")
    kubernetes_api.faults.append(Fault("POST", "/eviction$", conflict, times=1))
    outcome = restarter().carry_out(Restart, yes)
    assert not outcome.done
    [body] = [one.body for one in kubernetes_api.requests if one.path.endswith("/eviction")]
    assert body["deleteOptions"]["preconditions"]["uid"]


def test_an_eviction_whose_answer_was_lost_is_not_made_twice(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """The pod is looked at again; where it is not going the eviction is asked for once more."""
    serving(kubernetes_api, 2)
    kubernetes_api.faults.append(Fault("POST", "/eviction$", hang_up=True, times=1))
    assert restarter().carry_out(Restart, yes).done
    assert len(changes(kubernetes_api)) == 2


@pytest.mark.parametrize("missing", ("pods", "pods/eviction", "replicasets", "deployments", "poddisruptionbudgets"))
def test_a_missing_right_is_told_with_its_rule(kubernetes_api: KubernetesApi, restarter: Any, missing: str) -> None:
    """403 says which rule to add; nothing is done."""
    serving(kubernetes_api, 1 if missing == "deployments" else 2)
    one = restarter(without=missing)
    try:
        one.standing(time.time())
        outcome = one.carry_out(Restart, yes)
        assert not outcome.done and outcome.detail.endswith("nothing was touched")
        said = outcome.detail
    except ActError as error:
        said = str(error)
    assert re.search(rf'add to the role: .*resources: \["{missing}"\], verbs: \["\w+"\]', said)
    assert [path for _, path in changes(kubernetes_api) if not path.endswith("/eviction")] == []


def test_an_api_that_is_down_is_unknown(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """Refused, slow or failing: an error in one line, within seconds."""
    serving(kubernetes_api, 2)
    kubernetes_api.faults.append(Fault("GET", "/pods$", RefusedError(503, "ServiceUnavailable", "later"), times=1))
    with pytest.raises(ActError, match="503"):
        restarter().standing(time.time())
    kubernetes_api.stop()
    with pytest.raises(ActError, match="no answer"):
        restarter().standing(time.time())


def test_a_limit_is_raised_in_place(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """The same pod, the same life, a higher limit."""
    serving(kubernetes_api, 1)
    one = restarter()
    before = one.standing(time.time())
    outcome = one.carry_out(replace(Restart, remedy=Remedy.RAISE_LIMIT, limit_bytes=640 * 2**20), yes)
    assert outcome.done
    assert "640 MiB" in outcome.detail
    assert one.standing(time.time()).life == before.life
    [pod] = kubernetes_api.cluster.ready_pods("ml")
    assert pod["status"]["containerStatuses"][0]["resources"]["limits"]["memory"] == str(640 * 2**20)


def test_a_raise_never_lowers_a_limit(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """Somebody has raised it meanwhile, further than we would."""
    serving(kubernetes_api, 1)
    raised = replace(Restart, remedy=Remedy.RAISE_LIMIT, limit_bytes=500 * 2**20)
    outcome = restarter().carry_out(raised, yes)
    assert (outcome.done, outcome.detail) == (False, "the memory limit of the container serving is 512Mi already")
    assert changes(kubernetes_api) == []


def test_a_limit_that_the_node_has_no_room_for_is_taken_back(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """Infeasible: told, and the pod is as it was; so is a cluster without the subresource."""
    kubernetes_api.cluster.add_deployment(
        "ml", "serving", 1, resources={"requests": {"memory": "512Mi"}, "limits": {"memory": "512Mi"}}
    )
    kubernetes_api.cluster.wait_for(lambda: kubernetes_api.cluster.ready_pods("ml"))
    kubernetes_api.cluster.kubelet.room_bytes = 600 * 2**20
    raised = replace(Restart, remedy=Remedy.RAISE_LIMIT, limit_bytes=640 * 2**20)
    outcome = restarter().carry_out(raised, yes)
    assert not outcome.done
    assert "no room" in outcome.detail
    [pod] = kubernetes_api.cluster.ready_pods("ml")
    assert pod["spec"]["containers"][0]["resources"]["limits"]["memory"] == "512Mi"
    kubernetes_api.cluster.without_resize = True
    assert "pods/resize" in restarter().carry_out(raised, yes).detail


def test_two_agents_never_hold_a_workload_together(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """However often both try; when one lets go the other may."""
    serving(kubernetes_api, 2)
    leases = [restarter().lease() for _ in range(2)]
    holders = []
    for _ in range(5):
        got = [lease.acquire(time.time()) for lease in leases]
        holders.append(got)
        assert sum(got) == 1
        for lease, mine in zip(leases, got, strict=True):
            if mine:
                assert lease.held(time.time())
                lease.release()
                assert not lease.held(time.time())
    assert holders[0] == [True, False]


def test_an_agent_that_was_killed_knows_its_lease_at_the_next_start(
    kubernetes_api: KubernetesApi, restarter: Any, tmp_path: Path
) -> None:
    """By the name that its state folder has for it; nothing is waited for, and another agent has to wait."""
    serving(kubernetes_api, 2)
    cluster = restarter()._cluster

    def lease_of(folder: Path) -> WorkloadLease:
        return WorkloadLease(cluster, "ml", "deployment-serving", SystemClock(), holder_of(folder))

    assert lease_of(tmp_path / "a").acquire(time.time())
    assert not lease_of(tmp_path / "b").acquire(time.time())
    assert lease_of(tmp_path / "a").acquire(time.time())


def test_a_lease_is_lost_to_whoever_wrote_meanwhile(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """409 at the renewal: not ours any more. While the server is away it is ours until its time is over."""
    serving(kubernetes_api, 2)
    clock = HandClock(now=time.time())
    lease = restarter(clock=clock).lease()
    assert lease.acquire(clock.now())
    kubernetes_api.stop()
    clock.pass_(60.0)
    assert lease.held(clock.now())
    clock.pass_(61.0)
    assert not lease.held(clock.now())
    kubernetes_api.start()
    again = restarter(clock=clock).lease()
    assert not again.acquire(clock.now())  # the first one's name still stands there, and is not old to us yet
    clock.pass_(121.0)
    assert again.acquire(clock.now())
    clock.pass_(60.0)
    assert not lease.held(clock.now())
    assert again.held(clock.now())


def test_a_lease_that_cannot_be_asked_for_is_unknown(kubernetes_api: KubernetesApi, restarter: Any) -> None:
    """An overloaded server (429) is no permission."""
    serving(kubernetes_api, 2)
    kubernetes_api.faults.append(Fault("*", "/leases", RefusedError(429, "TooManyRequests", "later")))
    with pytest.raises(ActError, match="429"):
        restarter().lease().acquire(time.time())


def agent(folder: Path, restarter: PodRestarter, **settings: Any) -> Acting:
    active = ActSettings(dry_run=False, min_uptime_seconds=0.0, **settings)
    return Acting(active, folder, {"serving": [restarter]}, {}, SystemClock())


def test_of_two_agents_at_once_one_evicts(kubernetes_api: KubernetesApi, restarter: Any, tmp_path: Path) -> None:
    """Both decide on the same leak at the same moment; the lease lets one act, and the other tells why it did not."""
    serving(kubernetes_api, 3, minAvailable=1)
    kubernetes_api.cluster.kubelet.termination_seconds = 3.0
    agents = [agent(tmp_path / name, restarter()) for name in ("one", "two")]
    decisions = [one.consider(leaking()) for one in agents]
    assert [decision.ruling for decision in decisions] == [Ruling.ACT, Ruling.ACT]
    for one, decision in zip(agents, decisions, strict=True):
        assert one.begin(decision)
    kubernetes_api.cluster.wait_for(lambda: not any(one.busy() for one in agents), 60.0)
    whats = [{happening.what for happening in one.happenings()} for one in agents]
    assert sorted(What.DONE in told for told in whats) == [False, True]
    assert sorted(What.HELD in told for told in whats) == [False, True]
    assert len(changes(kubernetes_api)) == 1
    for one in agents:
        one.close()


def test_a_dry_run_asks_and_changes_nothing(kubernetes_api: KubernetesApi, restarter: Any, tmp_path: Path) -> None:
    """Not even a lease is written."""
    serving(kubernetes_api, 3)
    acting = Acting(ActSettings(min_uptime_seconds=0.0), tmp_path, {"serving": [restarter()]}, {}, SystemClock())
    assert acting.consider(leaking()).ruling is Ruling.WOULD_ACT
    acting.close()
    assert [one.method for one in kubernetes_api.requests if one.method != "GET"] == []


def test_an_agent_holds_while_the_api_is_down(kubernetes_api: KubernetesApi, restarter: Any, tmp_path: Path) -> None:
    """And acts when it is back."""
    serving(kubernetes_api, 3)
    acting = agent(tmp_path, restarter())
    kubernetes_api.stop()
    decision = acting.consider(leaking())
    assert decision.ruling is Ruling.WAIT
    assert "no answer" in decision.against[0].sentence
    kubernetes_api.start()
    assert acting.consider(leaking()).ruling is Ruling.ACT
    acting.close()
