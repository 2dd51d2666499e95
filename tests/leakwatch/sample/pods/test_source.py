"""Containers of pods are read over real HTTP from a cluster that is a fake, by every way that rights may leave open."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.pods.api import Api
from leakwatch.sample.pods.deaths import Death, death_of, was_out_of_memory
from leakwatch.sample.pods.source import KubernetesSource
from leakwatch.sample.probes.pods import described, last_logs
from leakwatch.settings import KubernetesPlace
from tests.fakes.kubernetes_api import Fault, KubernetesApi
from tests.fakes.kubernetes_store import PODS, RefusedError

MIB = 2**20
KUBELET, PROXY = "/stats/summary", "/api/v1/nodes/n1/proxy/stats/summary"


class Cluster:
    """One deployment ``serving`` in ``ml``, and the pages that tell of its memory."""

    def __init__(self, api: KubernetesApi, folder: Path) -> None:
        self.api, self.folder = api, folder
        api.cluster.add_node("n1")

    def deploy(self, replicas: int = 1, limit: str = "8Gi") -> list[dict[str, Any]]:
        self.api.cluster.add_deployment("ml", "serving", replicas, resources={"limits": {"memory": limit}})
        return self.pods(replicas)

    def pods(self, replicas: int) -> list[dict[str, Any]]:
        return self.api.cluster.wait_for(
            lambda: found if len(found := self.api.cluster.ready_pods("ml")) == replicas else None
        )

    def source(self, token: str = "admin", kubelet: str | None = None, **place: Any) -> KubernetesSource:
        place = {"selector": "app=serving", **place}
        api = Api(str(self.api.kubeconfig(self.folder / "kubeconfig", token)))
        return KubernetesSource(KubernetesPlace("ml", "serving", **place), api, kubelet=kubelet or self.api.url)

    def tell(self, path: str, pods: list[dict[str, Any]], **memory: Any) -> None:
        containers = [{"name": "serving", "memory": memory, "cpu": {"usageCoreNanoSeconds": 2_500_000_000}}]
        entries = [{"podRef": {"uid": pod["metadata"]["uid"]}, "containers": containers} for pod in pods]
        self.api.cluster.pages[path] = ("application/json", json.dumps({"pods": entries}).encode())

    def tell_metrics(self, pod: dict[str, Any], memory: str) -> None:
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/ml/pods/{pod['metadata']['name']}"
        answer = {"containers": [{"name": "serving", "usage": {"memory": memory, "cpu": "1"}}]}
        self.api.cluster.pages[path] = ("application/json", json.dumps(answer).encode())

    def change(self, pod: dict[str, Any], **status: Any) -> None:
        """Other fields in the status of the pod's container."""

        def renew(one: dict[str, Any]) -> None:
            one["status"]["containerStatuses"][0].update(status)

        self.api.cluster.store.change(PODS, "ml", pod["metadata"]["name"], renew)


@pytest.fixture
def cluster(kubernetes_api: KubernetesApi, tmp_path: Path) -> Cluster:
    return Cluster(kubernetes_api, tmp_path)


def dead(reason: str, exit_code: int, number: int = 1) -> dict[str, Any]:
    ended = {"reason": reason, "exitCode": exit_code, "containerID": f"containerd://{number}", "finishedAt": "t"}
    return {"terminated": ended}


def test_the_kubelets_summary_is_the_first_choice(cluster: Cluster) -> None:
    """Anonymous memory, working set, limit, processor time, pressure where there is any, and restarts."""
    pods = cluster.deploy()
    psi = {"some": {"avg10": 25.0}}
    cluster.tell(KUBELET, pods, rssBytes=600 * MIB, workingSetBytes=700 * MIB, usageBytes=900 * MIB, psi=psi)
    cluster.tell(PROXY, pods, rssBytes=1, workingSetBytes=1)
    source = cluster.source()
    values = source.read(1000.0).values
    assert values["anon_bytes"] == 600 * MIB
    assert values["working_set_bytes"] == 700 * MIB
    assert values["usage_bytes"] == 900 * MIB
    assert values["limit_bytes"] == 8 * 2**30
    assert values["cpu_seconds_total"] == 2.5
    assert values["memory_pressure_ratio"] == 0.25
    assert values["restarts_total"] == 0
    assert not any("anonymous" in sentence for sentence in source.blind_to)
    source.close()
    source.close()


def test_the_api_server_is_asked_where_the_kubelet_refuses(cluster: Cluster) -> None:
    """nodes/proxy instead of nodes/stats; the refused way is not tried at every look."""
    pods = cluster.deploy()
    cluster.tell(PROXY, pods, rssBytes=600 * MIB, workingSetBytes=700 * MIB)
    pods[0]["spec"]["nodeName"] = "n1"
    cluster.api.faults.append(Fault("GET", f"^{KUBELET}$", RefusedError(403, "Forbidden", "nodes/stats")))
    source = cluster.source()
    for second in range(5):
        assert source.read(1000.0 + second).values["anon_bytes"] == 600 * MIB
    assert sum(request.path == KUBELET for request in cluster.api.requests) == 1
    assert source.read(5000.0).values["anon_bytes"] == 600 * MIB
    assert sum(request.path == KUBELET for request in cluster.api.requests) == 2


def test_metrics_server_is_the_last_resort_and_its_blindness_is_said(cluster: Cluster) -> None:
    """Working set alone; `blind_to` names the right that would show anonymous memory."""
    [pod] = cluster.deploy()
    cluster.tell_metrics(pod, "716800Ki")
    source = cluster.source()
    values = source.read(1000.0).values
    assert values["working_set_bytes"] == 700 * MIB
    assert "anon_bytes" not in values
    assert any("nodes/stats" in sentence for sentence in source.blind_to)


def test_a_kubelet_that_fails_now_is_not_replaced_by_one_that_knows_less(cluster: Cluster) -> None:
    """A gap is better than anonymous memory that turns into a working set; after it the kubelet is asked again."""
    [pod] = cluster.deploy()
    cluster.tell_metrics(pod, "716800Ki")
    cluster.tell(KUBELET, [pod], rssBytes=1, workingSetBytes=1)
    source = cluster.source()
    assert source.read(1.0).values["anon_bytes"] == 1
    cluster.api.faults.append(Fault("GET", f"^{KUBELET}$", hang_up=True, times=1))
    with pytest.raises(SourceError, match="cut off"):
        source.read(2.0)
    assert source.read(3.0).values["anon_bytes"] == 1


def test_a_container_that_the_kubelet_does_not_know_yet(cluster: Cluster) -> None:
    """After a restart its numbers come with the next reading; meanwhile nothing else is taken for them."""
    [pod] = cluster.deploy()
    cluster.tell_metrics(pod, "716800Ki")
    cluster.tell(KUBELET, [], rssBytes=1)
    source = cluster.source()
    with pytest.raises(SourceError, match="no numbers of the container yet"):
        source.read(1.0)
    cluster.tell(KUBELET, [pod], rssBytes=1, workingSetBytes=1)
    assert source.read(2.0).values["anon_bytes"] == 1


def test_a_kubelet_whose_certificate_is_not_to_be_trusted_gets_no_token(cluster: Cluster) -> None:
    """The next way is taken, and `blind_to` names the reason where that one knows less."""
    [pod] = cluster.deploy()
    cluster.tell_metrics(pod, "716800Ki")
    source = cluster.source(kubelet=f"https://127.0.0.1:{cluster.api.port}")
    assert source.read(1.0).values["working_set_bytes"] == 700 * MIB
    assert "certificate" in " ".join(source.blind_to)
    assert not any(request.path == KUBELET for request in cluster.api.requests)


def test_no_way_at_all_names_the_rights(cluster: Cluster) -> None:
    """One line with all three."""
    cluster.deploy()
    with pytest.raises(SourceError, match=r"nodes/stats.*nodes/proxy.*metrics\.k8s\.io") as raised:
        cluster.source().read(1000.0)
    assert "\n" not in str(raised.value) and not raised.value.gone


def test_a_limit_without_end_is_none(cluster: Cluster) -> None:
    """No limit in the pod is limit_bytes 0."""
    cluster.api.cluster.add_deployment("ml", "serving", 1)
    cluster.tell(KUBELET, cluster.pods(1), rssBytes=1, workingSetBytes=1)
    assert cluster.source().read(1.0).values["limit_bytes"] == 0


def test_a_restart_is_another_life_and_its_cause_is_counted_once(cluster: Cluster) -> None:
    """A new container id; OOMKilled raises the count by one however often the pod is read."""
    [pod] = cluster.deploy()
    cluster.tell(KUBELET, [pod], rssBytes=1, workingSetBytes=1)
    source = cluster.source(pod=pod["metadata"]["name"], selector=None)
    before = source.read(1.0)
    cluster.change(pod, containerID="containerd://new", restartCount=1, lastState=dead("OOMKilled", 137))
    after = source.read(2.0)
    assert after.life != before.life
    assert after.values["restarts_total"] == 1
    assert after.values["oom_kills_total"] == before.values["oom_kills_total"] + 1
    assert source.read(3.0).values["oom_kills_total"] == after.values["oom_kills_total"]
    cluster.change(pod, containerID="containerd://third", lastState=dead("Error", 137, 2))
    assert source.read(4.0).values["oom_kills_total"] == after.values["oom_kills_total"]


def test_a_kill_from_before_the_first_look_is_not_counted(cluster: Cluster) -> None:
    """An agent that starts must not tell an old kill as a new one."""
    [pod] = cluster.deploy()
    cluster.tell(KUBELET, [pod], rssBytes=1, workingSetBytes=1)
    cluster.change(pod, lastState=dead("OOMKilled", 137))
    source = cluster.source()
    assert [source.read(at).values["oom_kills_total"] for at in (1.0, 2.0)] == [0, 0]


def test_a_container_that_crashes_again_and_again_is_gone_with_its_reason(cluster: Cluster) -> None:
    """What kubectl would say, and how it died."""
    [pod] = cluster.deploy()
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    cluster.change(pod, state=waiting, lastState=dead("OOMKilled", 137))
    with pytest.raises(SourceError, match=r"CrashLoopBackOff.*killed for want of memory") as raised:
        cluster.source().read(1.0)
    assert raised.value.gone


def test_of_several_pods_the_oldest_is_kept(cluster: Cluster) -> None:
    """No jumping between replicas, and the others are named as not watched."""
    pods = cluster.deploy(replicas=3)
    cluster.tell(KUBELET, pods, rssBytes=1, workingSetBytes=1)
    source = cluster.source()
    lives = {source.read(float(at)).life for at in range(5)}
    assert len(lives) == 1
    asked = [request.path for request in cluster.api.requests if "/pods" in request.path]
    assert asked.count("/api/v1/namespaces/ml/pods") == 1  # all are listed once, then the one is read
    assert source.blind_to[0].startswith("2 other pods")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"selector": "app=other"}, "no pod for selector 'app=other'"),
        ({"selector": None, "pod": "serving-9"}, "no pod 'serving-9'"),
    ],
)
def test_what_does_not_exist_is_gone(cluster: Cluster, place: dict[str, Any], said: str) -> None:
    """The names are in the message."""
    cluster.deploy()
    with pytest.raises(SourceError, match=said) as raised:
        cluster.source(**place).read(1.0)
    assert raised.value.gone


def test_a_wrong_container_names_the_right_ones(cluster: Cluster) -> None:
    """Nothing is guessed."""
    [pod] = cluster.deploy()
    place = KubernetesPlace("ml", "server", pod=pod["metadata"]["name"])
    source = KubernetesSource(place, Api(str(cluster.api.kubeconfig(cluster.folder / "k"))), cluster.api.url)
    with pytest.raises(SourceError, match="no container 'server'; name one of: serving"):
        source.read(1.0)


def test_a_missing_right_is_named(cluster: Cluster) -> None:
    """The role's rule that is wanting is in the line; the token is not."""
    cluster.deploy()
    cluster.api.cluster.accounts["s3cret"] = ("poor", ())
    with pytest.raises(SourceError, match="grant the right to get and list pods in namespace 'ml'") as raised:
        cluster.source("s3cret").read(1.0)
    assert "s3cret" not in str(raised.value)


def test_without_a_cluster_the_remedy_is_said(tmp_path: Path) -> None:
    """A kubeconfig that is not there, or is none."""
    (tmp_path / "torn").write_text("apiVersion: [")
    for name in ("nothing", "torn"):
        source = KubernetesSource(KubernetesPlace("ml", "serving", pod="x"), Api(str(tmp_path / name)))
        with pytest.raises(SourceError, match="set KUBECONFIG") as raised:
            source.read(1.0)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("reason", "exit_code", "death"),
    [
        ("OOMKilled", 137, Death.OUT_OF_MEMORY),
        ("OOMKilled", 143, Death.CHILD_OUT_OF_MEMORY),
        ("OOMKilled", 1, Death.CHILD_OUT_OF_MEMORY),
        ("Error", 137, Death.KILLED),
        ("Error", 143, Death.STOPPED),
        ("Error", 1, Death.FAILED),
        ("Completed", 0, Death.COMPLETED),
    ],
)
def test_137_is_told_apart(reason: str, exit_code: int, death: Death) -> None:
    """Only the runtime's word OOMKilled speaks of memory, and only with 137 does it speak of the server itself."""
    assert death_of({"reason": reason, "exitCode": exit_code}) is death
    assert was_out_of_memory(death) == (reason == "OOMKilled")


def test_the_api_server_may_hang_or_hang_up(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time for an answer, one line; then it is asked again and answers."""
    monkeypatch.setattr("leakwatch.sample.pods.api.ANSWER_SECONDS", 0.5)
    [pod] = cluster.deploy()
    cluster.tell(KUBELET, [pod], rssBytes=1, workingSetBytes=1)
    source = cluster.source()
    cluster.api.faults += [
        Fault("GET", "/pods$", delay_seconds=2.0, times=1),
        Fault("GET", "/pods$", hang_up=True, times=1),
    ]
    said: list[Callable[[], object]] = [lambda: source.read(1.0), lambda: source.read(2.0)]
    for ask, words in zip(said, ("no whole answer", "cut off"), strict=True):
        with pytest.raises(SourceError, match=words):
            ask()
    assert source.read(3.0).values["anon_bytes"] == 1


def test_evidence_of_a_pod(cluster: Cluster) -> None:
    """Its description without secrets, its log, and the log of the life that was killed."""
    variables = [{"name": "API_TOKEN", "value": "hunter2"}, {"name": "MALLOC_ARENA_MAX", "value": "2"}]
    cluster.api.cluster.add_deployment("ml", "serving", 1, env=variables, args=["--password=hunter2"])
    [pod] = cluster.pods(1)
    name = pod["metadata"]["name"]
    cluster.api.cluster.logs["ml", name, "serving"] = "now password=hunter2\n"
    cluster.api.cluster.logs["ml", name, "serving (previous)"] = "bad_alloc\n"
    told = described(cluster.source())
    assert b"hunter2" not in told
    assert json.loads(told)["spec"]["containers"][0]["env"][1] == variables[1]
    assert b"now password=***" in last_logs(cluster.source())
    assert b"bad_alloc" in last_logs(cluster.source(), previous=True)


def test_evidence_without_the_right_names_it(cluster: Cluster) -> None:
    """pods/log is a right of its own."""
    cluster.deploy()
    cluster.api.cluster.accounts["reader"] = ("reader", (("", "pods", "get"), ("", "pods", "list")))
    with pytest.raises(SourceError, match="grant the right to get pods/log"):
        last_logs(cluster.source("reader"))
