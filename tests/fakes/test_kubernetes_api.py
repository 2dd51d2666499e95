"""The fake API server behaves as a real one does, as far as it is used: seen through the official client."""

import threading
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, watch

from tests.fakes.kubernetes_api import Fault, KubernetesApi
from tests.fakes.kubernetes_store import RefusedError

MEMORY = {"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}}


@pytest.fixture
def connect(kubernetes_api: KubernetesApi, tmp_path: Path) -> Any:
    """A client of the fake, for a token."""

    def connected(token: str = "admin") -> client.ApiClient:
        configuration = client.Configuration()
        path = kubernetes_api.kubeconfig(tmp_path / f"{token}.json", token)
        config.load_kube_config(str(path), client_configuration=configuration)
        configuration.retries = False
        return client.ApiClient(configuration)

    return connected


def serving(api: KubernetesApi, replicas: int, **budget: Any) -> list[dict[str, Any]]:
    """A deployment whose pods all serve, with a budget where one is given."""
    api.cluster.add_deployment("ml", "serving", replicas, resources=MEMORY)
    if budget:
        api.cluster.add_budget("ml", "serving", "serving", **budget)
    return api.cluster.wait_for(lambda: pods if len(pods := api.cluster.ready_pods("ml")) == replicas else None)


def evict(core: client.CoreV1Api, name: str) -> int:
    """The status that an eviction gets."""
    body = client.V1Eviction(metadata=client.V1ObjectMeta(name=name, namespace="ml"))
    try:
        return core.create_namespaced_pod_eviction_with_http_info(name, "ml", body)[1]
    except client.ApiException as error:
        return int(error.status or 0)


def test_a_deployment_has_its_pods_through_a_replica_set(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """Pods have an owner, the owner has one too, and selectors and pages find them."""
    serving(kubernetes_api, 3)
    core, apps = client.CoreV1Api(connect()), client.AppsV1Api(connect())
    pods = core.list_namespaced_pod("ml", label_selector="app in (serving,other),!canary").items
    assert len(pods) == 3
    assert core.list_namespaced_pod("ml", label_selector="app!=serving").items == []
    [owner] = pods[0].metadata.owner_references
    replica_set = apps.read_namespaced_replica_set(owner.name, "ml")
    assert (owner.uid, replica_set.metadata.owner_references[0].name) == (replica_set.metadata.uid, "serving")
    page = core.list_namespaced_pod("ml", limit=2)
    rest = core.list_namespaced_pod("ml", limit=2, _continue=page.metadata._continue)
    assert {pod.metadata.name for pod in [*page.items, *rest.items]} == {pod.metadata.name for pod in pods}


def test_a_hundred_evictions_never_break_the_budget(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """However many ask at once, the budget's pods stay; the refused get 429, and the pods come back."""
    serving(kubernetes_api, 8, minAvailable=6)
    lowest, answers = [8], []

    def ask(core: client.CoreV1Api) -> None:
        for _ in range(25):
            pods = kubernetes_api.cluster.ready_pods("ml")
            lowest.append(len(pods))
            answers.append(evict(core, pods[0]["metadata"]["name"]))

    askers = [threading.Thread(target=ask, args=(client.CoreV1Api(connect()),)) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(60)
    assert len(answers) == 100
    assert set(answers) <= {201, 429, 404}
    assert {201, 429} <= set(answers)
    assert min(lowest) >= 6
    kubernetes_api.cluster.wait_for(lambda: len(kubernetes_api.cluster.ready_pods("ml")) == 8)


def test_two_budgets_for_a_pod_are_a_server_error(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """The eviction of a pod that two budgets select is answered with 500, as the real server does."""
    [pod] = serving(kubernetes_api, 1, minAvailable=0)
    kubernetes_api.cluster.add_budget("ml", "second", "serving", minAvailable=0)
    assert evict(client.CoreV1Api(connect()), pod["metadata"]["name"]) == 500


def test_a_stale_lease_update_is_a_conflict(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """Of two that read the same version, one may write; one that names no version is invalid."""
    leases = client.CoordinationV1Api(connect())
    lease = client.V1Lease(metadata=client.V1ObjectMeta(name="serving"), spec=client.V1LeaseSpec(holder_identity="one"))
    first = leases.create_namespaced_lease("ml", lease)
    with pytest.raises(client.ApiException, match="409"):
        leases.create_namespaced_lease("ml", lease)
    first.spec.holder_identity = "two"
    leases.replace_namespaced_lease("serving", "ml", first)
    with pytest.raises(client.ApiException, match="409"):
        leases.replace_namespaced_lease("serving", "ml", first)
    first.metadata.resource_version = None
    with pytest.raises(client.ApiException, match="422"):
        leases.replace_namespaced_lease("serving", "ml", first)


def test_a_watch_tells_what_changes(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """From the version of a list on, each change once, in order, and only what the selector names."""
    [pod] = serving(kubernetes_api, 1)
    core = client.CoreV1Api(connect())
    listed = core.list_namespaced_pod("ml")
    assert evict(core, pod["metadata"]["name"]) == 201
    seen = []
    stream = watch.Watch().stream(
        core.list_namespaced_pod,
        "ml",
        label_selector="app=serving",
        resource_version=listed.metadata.resource_version,
        timeout_seconds=30,
    )
    for event in stream:
        seen.append((event["type"], event["object"].metadata.name == pod["metadata"]["name"]))
        if event["type"] == "DELETED":
            break
    assert seen[0] == ("MODIFIED", True)  # it is leaving
    assert seen[-1] == ("DELETED", True)
    assert ("ADDED", False) in seen


def test_a_resize_changes_the_running_pod(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """The limit rises without a restart; the class of service stays; nothing else may be changed this way."""
    [pod] = serving(kubernetes_api, 1)
    name, core = pod["metadata"]["name"], client.CoreV1Api(connect())
    more = {"limits": {"memory": "1Gi"}}
    core.patch_namespaced_pod_resize(name, "ml", {"spec": {"containers": [{"name": "serving", "resources": more}]}})

    def limit() -> str:
        [status] = core.read_namespaced_pod(name, "ml").status.container_statuses
        return status.resources.limits["memory"]

    kubernetes_api.cluster.wait_for(lambda: limit() == "1Gi")
    with pytest.raises(client.ApiException, match="422"):
        core.patch_namespaced_pod_resize(name, "ml", {"spec": {"containers": [{"name": "serving", "image": "other"}]}})


def test_a_rollout_replaces_every_pod(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """A changed annotation of the template makes new pods, one after another, and the status tells when it is over."""
    before = {pod["metadata"]["uid"] for pod in serving(kubernetes_api, 3)}
    apps = client.AppsV1Api(connect())
    patch = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
    apps.patch_namespaced_deployment("serving", "ml", patch)
    lowest = [3]

    def over() -> bool:
        pods = kubernetes_api.cluster.ready_pods("ml")
        lowest.append(len(pods))
        return len(pods) == 3 and not before & {pod["metadata"]["uid"] for pod in pods}

    kubernetes_api.cluster.wait_for(over)
    assert min(lowest) >= 3


def test_a_token_may_do_what_its_rules_say(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """An unknown token gets 401; a verb that no rule has gets 403, in the words of a real server."""
    kubernetes_api.cluster.accounts["reader"] = ("system:serviceaccount:ml:leakwatch", (("", "pods", "list"),))
    core = client.CoreV1Api(connect("reader"))
    assert core.list_namespaced_pod("ml").items == []
    with pytest.raises(client.ApiException) as forbidden:
        core.read_namespaced_pod("serving", "ml")
    assert forbidden.value.status == 403
    assert 'cannot get resource \\"pods\\" in API group \\"\\" in the namespace \\"ml\\"' in forbidden.value.body
    with pytest.raises(client.ApiException, match="401"):
        client.CoreV1Api(connect("stranger")).list_namespaced_pod("ml")


def test_faults_come_as_often_as_asked(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """A 503, a hung-up connection, and a server that is down and comes back."""
    core = client.CoreV1Api(connect())
    kubernetes_api.faults.append(Fault("GET", "/pods$", RefusedError(503, "ServiceUnavailable", "later"), times=1))
    with pytest.raises(client.ApiException, match="503"):
        core.list_namespaced_pod("ml")
    kubernetes_api.faults.append(Fault("GET", "/pods$", hang_up=True, times=1))
    with pytest.raises(Exception, match=r"(?i)connection|remote"):
        core.list_namespaced_pod("ml")
    kubernetes_api.stop()
    with pytest.raises(Exception, match=r"(?i)refused|connection"):
        core.list_namespaced_pod("ml")
    kubernetes_api.start()
    assert core.list_namespaced_pod("ml").items == []


def test_events_and_logs(kubernetes_api: KubernetesApi, connect: Any) -> None:
    """An event with a generated name can be written, and the last lines of a container read."""
    [pod] = serving(kubernetes_api, 1)
    name, core = pod["metadata"]["name"], client.CoreV1Api(connect())
    kubernetes_api.cluster.logs["ml", name, "serving"] = "one\ntwo\nthree\n"
    assert core.read_namespaced_pod_log(name, "ml", container="serving", tail_lines=2) == "two\nthree\n"
    about = client.V1ObjectReference(kind="Pod", name=name, namespace="ml")
    event = client.CoreV1Event(
        metadata=client.V1ObjectMeta(generate_name="leakwatch-"), involved_object=about, reason="MemoryLeak"
    )
    core.create_namespaced_event("ml", event)
    [found] = core.list_namespaced_event("ml", field_selector=f"involvedObject.name={name}").items
    assert found.reason == "MemoryLeak"
