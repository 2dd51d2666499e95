import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from leakwatch.agent.roster import MOST_PODS, Roster
from leakwatch.agent.running import run_agent
from leakwatch.clock import SystemClock
from leakwatch.errors import SourceError
from leakwatch.sample.several_pods import places_of
from leakwatch.settings import (
    KubernetesPlace,
    PrometheusPlace,
    ServingKind,
    ServingSettings,
    Settings,
    TargetSettings,
)
from leakwatch.trace import Sample
from tests.fakes.kubernetes_api import KubernetesApi
from tests.fakes.kubernetes_store import DEPLOYMENTS

DEADLINE_SECONDS = 60.0
PLACE = KubernetesPlace("ml", "serving", selector="app=serving")
SETTINGS = Settings((TargetSettings("serving", PLACE, limit_bytes=2**30),))
STOP = threading.Event()


def pod(name: str, namespace: str = "ml") -> KubernetesPlace:
    return KubernetesPlace(namespace, "serving", pod=name)


class Pods:
    """What a cluster answers, one list a look; the last one for ever."""

    def __init__(self, *looks: str) -> None:
        self.looks = [tuple(pod(name) for name in look.split()) for look in looks]
        self.error: SourceError | None = None

    def __call__(self, place: object) -> tuple[KubernetesPlace, ...]:
        if self.error is not None:
            raise self.error
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.fixture
def roster() -> Iterator[Callable[..., Roster]]:
    """A roster that looks when it is told to, after the first time."""
    made: list[Roster] = []

    def make(find: Callable, settings: Settings = SETTINGS) -> Roster:
        made.append(Roster(settings, find, every_seconds=3600))
        return made[-1]

    yield make
    for one in made:
        one.__exit__()


def names(roster: Roster) -> list[str]:
    return [target.name for target in roster.settings(STOP).targets]


def test_each_of_several_pods_is_a_target(roster):
    """Named TARGET/POD in the order of names, with the target's limit; one alone keeps the target's name and place."""
    several = roster(Pods("b a")).settings(STOP).targets
    assert several == tuple(TargetSettings(f"serving/{one}", pod(one), limit_bytes=2**30) for one in "ab")
    assert roster(Pods("a")).settings(STOP) == SETTINGS
    assert roster(Pods("")).settings(STOP) == SETTINGS


def with_page(url: str) -> Settings:
    serving = ServingSettings(ServingKind.TF_SERVING, url, gpu_metrics_url=url)
    return Settings((TargetSettings("serving", PLACE, serving, ("kmsg",)),))


def test_each_pod_has_its_own_page_where_the_address_says_so(roster):
    """{pod_ip} becomes the pod's own, in brackets for IPv6, of one pod as of several; all of them have the logs."""
    settings = with_page("http://{pod_ip}:8501/metrics")
    found = [replace(pod("a"), pod_ip="10.0.0.7"), replace(pod("b"), pod_ip="fd00::7"), pod("c")]
    several = roster(lambda _: found, settings).settings(STOP).targets
    pages = [one.serving and (one.serving.metrics_url, one.serving.gpu_metrics_url) for one in several]
    assert pages == [("http://10.0.0.7:8501/metrics",) * 2, ("http://[fd00::7]:8501/metrics",) * 2, None]
    assert [one.logs for one in several] == [("kmsg",)] * 3
    (alone,) = roster(lambda _: found[:1], settings).settings(STOP).targets
    assert (alone.name, alone.place, alone.serving.metrics_url) == ("serving", PLACE, "http://10.0.0.7:8501/metrics")
    (none,) = roster(lambda _: [], settings).settings(STOP).targets
    assert none.serving is None


def test_one_page_for_several_pods_is_told_not_dropped(roster, caplog):
    """Whose requests it counts is not known: it is read for none, and said once; for one pod alone it is read."""
    settings = with_page("http://serving:8501/metrics")
    one = roster(Pods("a b", "a b"), settings)
    assert [target.serving for target in one.settings(STOP).targets] == [None, None]
    one.look()
    assert [record.message for record in caplog.records] == [
        "serving: serving names one page for 2 pods, which is read for none of them; write {pod_ip} in its address"
    ]
    assert roster(Pods("a"), settings).settings(STOP) == settings


def test_a_pod_comes_and_goes_only_when_two_looks_agree(roster):
    """What is there for a moment, or away for one, changes nothing."""
    one = roster(Pods("a b", "a b c", "a b", "a", "a b", "a b d", "a b d", "b d", "b d"))
    seen = [names(one)]
    for _ in range(8):
        one.look()
        seen.append(names(one))
    assert [" ".join(name.removeprefix("serving/") for name in look) for look in seen] == [
        *["a b"] * 6,
        "a b d",
        "a b d",
        "b d",
    ]


def test_it_says_when_the_targets_have_changed(roster):
    """Until the new ones are taken; a look that finds the same pods is no change."""
    one = roster(Pods("a b", "a b", "a b c"))
    names(one)
    one.look()
    assert not one.has_changed
    one.look()
    one.look()
    assert one.has_changed
    names(one)
    assert not one.has_changed


def test_pods_beyond_the_bound_are_told(roster, caplog):
    """The first fifty are watched, and how many there are is said, once."""
    one = roster(Pods(" ".join(f"p{number:03}" for number in range(60))))
    assert len(names(one)) == MOST_PODS
    one.look()
    assert [record.message for record in caplog.records] == [
        "serving: 60 pods, of which the first 50 are watched; split them by selector or namespace"
    ]


def test_a_cluster_that_does_not_answer_changes_nothing(roster, caplog):
    """The pods that were known stay watched, and it is told once."""
    find = Pods("a b")
    one = roster(find)
    assert names(one) == ["serving/a", "serving/b"]
    find.error = SourceError("kubernetes", "403", "grant the right")
    one.look()
    one.look()
    assert names(one) == ["serving/a", "serving/b"] and not one.has_changed
    assert len(caplog.records) == 1


def test_namesakes_in_two_namespaces_are_two_targets(roster):
    """A Prometheus place without a namespace can find the same pod name twice."""
    place = PrometheusPlace("http://127.0.0.1:9", "serving")
    found = [PrometheusPlace(place.url, "serving", pod="serving-0", namespace=space) for space in ("ml", "lab")]
    one = roster(lambda _: found, Settings((TargetSettings("serving", place),)))
    assert names(one) == ["serving/lab/serving-0", "serving/ml/serving-0"]


def test_a_markup_in_a_pods_name_stays_a_name(roster):
    """Names come from outside; nothing is made of them but a name."""
    hostile = "$(rm -rf x)<b>\x1b[31m"
    one = roster(lambda _: [pod("a"), pod(hostile)])
    assert f"serving/{hostile}" in names(one)


@pytest.fixture
def cluster(kubernetes_api: KubernetesApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KubernetesApi:
    """A fake API server that is the usual one; the client reads KUBECONFIG only when it is imported."""
    config = str(kubernetes_api.kubeconfig(tmp_path / "kubeconfig"))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", config)
    return kubernetes_api


def test_pods_that_run_and_have_the_container_are_found(cluster):
    """By the selector, in the namespace, and of this node alone where that is asked for."""
    cluster.cluster.add_node("node-1")
    cluster.cluster.add_deployment("ml", "serving", replicas=3)
    cluster.cluster.add_deployment("ml", "other", replicas=1)
    pods = cluster.cluster.wait_for(lambda: (ready := cluster.cluster.ready_pods("ml", "app=serving"))[2:] and ready)
    found = sorted((one["metadata"]["name"], one["status"]["podIP"]) for one in pods)
    assert places_of(PLACE) == [replace(pod(name), pod_ip=ip) for name, ip in found]
    assert places_of(KubernetesPlace("ml", "sidecar", selector="app=serving")) == []


def test_this_node_is_asked_for_by_its_name(cluster, monkeypatch):
    """With the field selector that the server evaluates; without NODE_NAME the error says what to set."""
    here = KubernetesPlace("ml", "serving", selector="app=serving", this_node=True)
    with pytest.raises(SourceError, match="NODE_NAME"):
        places_of(here)
    monkeypatch.setenv("NODE_NAME", "node-7")
    assert places_of(here) == []
    assert cluster.requests[-1].query["fieldSelector"] == "spec.nodeName=node-7"


class Level:
    """A source that always tells the same memory."""

    name, blind_to = "level", ()

    def read(self, now_seconds: float) -> Sample:
        return Sample(now_seconds, {"anon_bytes": 1e6})

    def close(self) -> None:
        """Nothing to close."""


def test_a_running_agent_follows_the_pods(cluster, tmp_path, caplog):
    """Two pods are watched; a third is taken in without a restart, and two that go are let go."""
    caplog.set_level("INFO")
    cluster.cluster.add_deployment("ml", "serving", replicas=2)
    cluster.cluster.wait_for(lambda: len(cluster.cluster.ready_pods("ml", "app=serving")) == 2)
    settings = Settings(SETTINGS.targets, str(tmp_path / "state"), 0.02, 0.1, None)
    stop, asked = threading.Event(), []

    def sources(target: TargetSettings) -> tuple[Level]:
        asked.append(target.name)
        return (Level(),)

    run = partial(run_agent, sources=sources, roster_of=partial(Roster, every_seconds=0.1))
    thread = threading.Thread(target=run, args=(lambda: settings, SystemClock(), stop, threading.Event()))
    thread.start()

    def wait_for(wanted: int) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            pods = sorted(one["metadata"]["name"] for one in cluster.cluster.ready_pods("ml", "app=serving"))
            expected = [f"serving/{one}" for one in pods] if wanted > 1 else ["serving"]
            if len(pods) == wanted and asked[-wanted:] == expected:
                return
            assert time.monotonic() < deadline, asked
            time.sleep(0.02)

    try:
        wait_for(2)
        for replicas in (3, 1):
            change = partial(cluster.cluster.store.change, DEPLOYMENTS, "ml", "serving")
            change(lambda one, replicas=replicas: one["spec"].update(replicas=replicas))
            wait_for(replicas)
    finally:
        stop.set()
        thread.join(DEADLINE_SECONDS)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
