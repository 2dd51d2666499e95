"""The Roles that are shipped allow exactly what the code asks for: less would fail, more would be a gift."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes import config as kubernetes_config

from leakwatch.act.cluster import Cluster
from leakwatch.act.kubernetes import PodRestarter
from leakwatch.act.lease import WorkloadLease
from leakwatch.clock import SystemClock
from leakwatch.errors import ActError, SourceError
from leakwatch.ports import Action, Notification, Severity, Stage
from leakwatch.sample.pods.api import Api
from leakwatch.sample.pods.choose import ChosenPod
from leakwatch.sample.pods.source import KubernetesSource
from leakwatch.sample.probes.pods import last_logs
from leakwatch.settings import KubernetesPlace
from leakwatch.tell.decision_events import Decided, DecisionEvents
from leakwatch.tell.kubernetes_events import KubernetesEvents
from leakwatch.tell.pod_events import PodPlace
from playbooks.types import Action as Remedy
from tests.fakes.kubernetes_answers import VERBS, Request, place_of
from tests.fakes.kubernetes_api import KubernetesApi
from tests.fakes.kubernetes_store import EVENTS, RefusedError
from tests.fakes.shipped_roles import Rule, rules_of

PLACE = KubernetesPlace("ml", "serving", selector="app=serving")
MIB = 2**20


def asked(requests: Iterable[Request]) -> set[Rule]:
    """The same of each request."""
    found = set()
    for request in requests:
        try:
            place = place_of(request.path)
        except RefusedError:  # metrics.k8s.io, which the fake server has as a page
            _, _, group, _, _, _, plural, _ = request.path.split("/")
            found.add((group, plural, "get"))
            continue
        verb = VERBS.get(request.method) or ("get" if place.name else "list")
        found.add((place.resource.group, place.plural, verb))
    return found


@pytest.fixture
def served(kubernetes_api: KubernetesApi, tmp_path: Path) -> Callable[..., Path]:
    """A deployment of some replicas; gives a kubeconfig that may do what the Roles allow and nothing else."""

    def make(replicas: int, *rights: str) -> Path:
        cluster = kubernetes_api.cluster
        cluster.accounts["least"] = ("leakwatch", tuple(rules_of(*rights)))
        resources = {"limits": {"memory": "512Mi"}, "requests": {"memory": "512Mi"}}
        cluster.add_deployment("ml", "serving", replicas=replicas, resources=resources)
        cluster.add_budget("ml", "serving", "serving", maxUnavailable=1)
        cluster.wait_for(lambda: len(cluster.ready_pods("ml", "app=serving")) == replicas)
        return kubernetes_api.kubeconfig(tmp_path / "kubeconfig", token="least")

    return make


@pytest.mark.parametrize(
    ("right", "replicas", "remedy"),
    [("evict", 2, Remedy.RESTART), ("rollout", 1, Remedy.RESTART), ("resize", 1, Remedy.RAISE_LIMIT)],
)
def test_what_is_done_to_pods_needs_its_role_and_a_lease(served, kubernetes_api, right, replicas, remedy):
    """From the look at the pod to its replacement; owners of other kinds are read by the same rule."""
    cluster = Cluster(str(served(replicas, right, "lease")))
    name = kubernetes_api.cluster.ready_pods("ml", "app=serving")[0]["metadata"]["name"]
    named = PodRestarter(KubernetesPlace("ml", "serving", pod=name), SystemClock(), cluster)
    assert named.standing(SystemClock().now()).ready
    backend = PodRestarter(PLACE, SystemClock(), cluster, 20.0, 5.0)
    assert backend.standing(SystemClock().now()).ready
    lease = backend.lease()
    assert lease.acquire(SystemClock().now())
    action = Action(remedy, "serving", "a leak", False, 0.0, 0.0, limit_bytes=768 * MIB)
    outcome = backend.carry_out(action, lambda: lease.held(SystemClock().now()))
    lease.release()
    assert outcome.done, outcome.detail
    others = {("apps", kind, "get") for kind in ("statefulsets", "daemonsets")}
    assert asked(kubernetes_api.requests) | others == rules_of(right, "lease")


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_owners_of_other_kinds_are_read(served, kubernetes_api, kind):
    """A StatefulSet's or a DaemonSet's pod: its owner is asked for, with the Role of an eviction."""
    config = served(1, "evict")
    owner = {"kind": kind, "name": "other", "controller": True, "uid": "u", "apiVersion": "apps/v1"}
    spec = {"containers": [{"name": "serving", "image": "x"}]}
    meta = {"name": "other-0", "labels": {"app": "other"}, "ownerReferences": [owner]}
    cluster = kubernetes_api.cluster
    cluster.create("pods", "ml", {"metadata": meta, "spec": spec})
    cluster.wait_for(lambda: cluster.ready_pods("ml", "app=other"))
    backend = PodRestarter(KubernetesPlace("ml", "serving", "app=other"), SystemClock(), Cluster(str(config)))
    with pytest.raises(ActError, match="has gone"):  # asked for, and not there: nobody was refused
        backend.standing(SystemClock().now())
    assert ("apps", f"{kind.lower()}s", "get") in asked(kubernetes_api.requests)


def test_seeing_pods_needs_observe(served, kubernetes_api):
    """Pods by selector and by name, and their numbers in metrics.k8s.io."""
    config = served(2, "observe")
    pods = kubernetes_api.cluster.ready_pods("ml", "app=serving")
    page: dict[str, Any] = {"containers": [{"name": "serving", "usage": {"memory": "100Mi"}}]}
    for pod in pods:
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/ml/pods/{pod['metadata']['name']}"
        kubernetes_api.cluster.pages[path] = ("application/json", json.dumps(page).encode())
    source = KubernetesSource(PLACE, Api(str(config)), kubelet="http://127.0.0.1:1")
    for _ in range(2):
        assert source.read(SystemClock().now()).values["working_set_bytes"] == 100 * MIB
    assert len(ChosenPod(Api(str(config)), PLACE).all()) == 2
    beyond = {request.path for request in kubernetes_api.requests if "/proxy/" in request.path}
    seen = [request for request in kubernetes_api.requests if request.path not in beyond]
    assert asked(seen) == rules_of("observe")
    assert len(beyond) <= 1  # the better way is tried, refused, and no part of what is shipped


def test_the_last_lines_of_a_log_need_evidence(served, kubernetes_api):
    """The log of the pod, and of the life before."""
    config = served(1, "evidence")
    source = KubernetesSource(PLACE, Api(str(config)))
    for previous in (False, True):
        try:
            last_logs(source, previous=previous)
        except SourceError as error:
            pytest.fail(str(error))
    last_logs(source)
    assert asked(kubernetes_api.requests) == rules_of("evidence")


def test_telling_pods_needs_events(served, kubernetes_api):
    """An incident and decisions on a pod by its name and on those of a selector; a decision made again is a patch."""
    settings = client.Configuration()
    kubernetes_config.load_kube_config(str(served(1, "events")), client_configuration=settings)
    core = client.CoreV1Api(client.ApiClient(settings))
    [pod] = kubernetes_api.cluster.ready_pods("ml", "app=serving")
    places = {"a": PodPlace("ml", pod["metadata"]["name"]), "b": PodPlace("ml", selector="app=serving")}
    channel = KubernetesEvents(places, SystemClock().now, core)
    opened = Notification("k", 1, 1.79e9, Stage.OPENED, Severity.WARNING, "a", "it leaks")
    assert channel.notify(opened, {}).delivered
    decisions = DecisionEvents(places, SystemClock(), core)
    for written in (3, 3):  # with the incident's; the second time as counts, at the end
        for target in places:
            decisions.decided(Decided(target, "held", "MemoryActionHeld", "held", 1.79e9))
        kubernetes_api.cluster.wait_for(
            lambda written=written: len(kubernetes_api.cluster.store.find(EVENTS, "ml")) >= written
        )
    decisions.close()
    assert asked(kubernetes_api.requests) == rules_of("events")


def test_the_leader_needs_a_lease(served, kubernetes_api):
    """Taken, renewed, given back."""
    lease = WorkloadLease(Cluster(str(served(1, "lease"))), "ml", "cluster", SystemClock())
    assert lease.acquire(SystemClock().now()) and lease.acquire(SystemClock().now())
    lease.release()
    assert asked(kubernetes_api.requests) == rules_of("lease")
