"""Decisions become Events of the pod: each once with its count, nobody waits, and what is refused is told once."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from leakwatch.clock import SystemClock
from leakwatch.tell import decision_events
from leakwatch.tell.decision_events import Decided, DecisionEvents
from leakwatch.tell.pod_events import PodPlace
from tests.fakes.kubernetes_api import Fault, KubernetesApi
from tests.fakes.kubernetes_store import RefusedError

NOW = 1_790_000_000.0
HELD = Decided("serving", "wait restart cooldown", "MemoryActionHeld", "restart of serving is held: 1 min ago", NOW)
DEADLINE_SECONDS = 30.0

Make = Callable[..., DecisionEvents]


def wait(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + DEADLINE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.01)
    return value


def again(one: Decided, seconds: float, message: str) -> Decided:
    return Decided(one.target, one.same, one.reason, message, one.at_seconds + seconds, one.warning)


@pytest.fixture
def core(kubernetes_api: KubernetesApi, tmp_path: Path) -> client.CoreV1Api:
    """The official client before a cluster with a replica of serving."""
    kubernetes_api.cluster.add_deployment("ml", "serving", replicas=1)
    kubernetes_api.cluster.wait_for(lambda: kubernetes_api.cluster.ready_pods("ml", "app=serving"))
    settings = client.Configuration()
    config.load_kube_config(str(kubernetes_api.kubeconfig(tmp_path / "kubeconfig")), client_configuration=settings)
    settings.retries = 0
    return client.CoreV1Api(client.ApiClient(settings))


@pytest.fixture
def make(core: client.CoreV1Api) -> Iterator[Make]:
    """Makes one that writes counts every so often; ended afterwards."""
    made: list[DecisionEvents] = []

    def build(repeat_seconds: float = 3600.0, places: Any = None) -> DecisionEvents:
        name = core.list_namespaced_pod("ml").items[0].metadata.name
        where = places or {"serving": PodPlace("ml", name)}
        made.append(DecisionEvents(where, SystemClock(), core, repeat_seconds))
        return made[-1]

    yield build
    for one in made:
        one.close()


def written(core: client.CoreV1Api) -> list[Any]:
    found = [one for one in core.list_namespaced_event("ml").items if one.source.component == "leakwatch"]
    return sorted(found, key=lambda one: one.reason)


def test_a_decision_that_is_made_again_and_again_is_one_event_with_its_count(
    core: client.CoreV1Api, make: Make, kubernetes_api: KubernetesApi
) -> None:
    """A thousand judgements, two requests: the first at once, the rest as a count with the newest words and time."""
    events = make()
    events.decided(HELD)
    first = wait(lambda: written(core))[0]
    assert (first.reason, first.type, first.count, first.message) == ("MemoryActionHeld", "Normal", 1, HELD.message)
    for i in range(1000):
        events.decided(again(HELD, 60.0 * (i + 1), f"restart of serving is held: {i + 2} min ago"))
    events.close()
    [one] = written(core)
    assert (one.count, one.message) == (1001, "restart of serving is held: 1001 min ago")
    assert one.last_timestamp.timestamp() - one.first_timestamp.timestamp() == 60_000.0
    changes = [request.method for request in kubernetes_api.requests if request.method in ("POST", "PATCH")]
    assert changes == ["POST", "PATCH"]


def test_the_count_is_written_now_and_then_while_it_goes_on(core: client.CoreV1Api, make: Make) -> None:
    """Without waiting for the end of the agent."""
    events = make(repeat_seconds=0.1)
    for number in range(1, 4):
        events.decided(again(HELD, number, f"{number}"))
        wait(lambda number=number: [one for one in written(core) if one.count == number])
    assert [one.message for one in written(core)] == ["3"]


def test_another_decision_is_another_event(core: client.CoreV1Api, make: Make) -> None:
    """Held, then acted, then held for the same reason again: two Events, the first with a count of two."""
    events = make()
    acted = Decided("serving", "act restart", "MemoryActionDecided", "restart of serving by docker", NOW + 1, True)
    for one in (HELD, acted, again(HELD, 9.0, "held again")):
        events.decided(one)
        wait(lambda one=one: one.reason in [event.reason for event in written(core)])
    events.close()
    assert [(one.reason, one.type, one.count) for one in written(core)] == [
        ("MemoryActionDecided", "Warning", 1),
        ("MemoryActionHeld", "Normal", 2),
    ]


def test_an_event_that_the_server_has_forgotten_is_begun_anew(core: client.CoreV1Api, make: Make) -> None:
    """After its hour, or deleted by somebody: the count goes on from there."""
    events = make(repeat_seconds=0.1)
    events.decided(HELD)
    first = wait(lambda: written(core))[0]
    core.delete_namespaced_event(first.metadata.name, "ml")
    events.decided(again(HELD, 5.0, "again"))
    second = wait(lambda: written(core))[0]
    assert (second.metadata.name != first.metadata.name, second.message) == (True, "again")


def test_nobody_waits_for_an_api_that_hangs_and_nothing_is_lost_by_its_return(
    kubernetes_api: KubernetesApi,
    core: client.CoreV1Api,
    make: Make,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Told once when it fails and once when it is back; what was decided meanwhile has its count."""
    monkeypatch.setattr(decision_events, "FIRST_RETRY_SECONDS", 0.05)
    events = make()
    kubernetes_api.faults.append(Fault("POST", "/events", RefusedError(500, "InternalError", "oh"), times=3))
    with caplog.at_level(logging.WARNING):
        for i in range(50):
            events.decided(again(HELD, i, f"{i}"))
        wait(lambda: written(core))
        wait(lambda: "written again" in caplog.text)
    events.close()
    assert [one.count for one in written(core)] == [50]
    assert caplog.text.count("answers 500") == 1


def test_forbidden_is_told_once_with_the_rule(
    kubernetes_api: KubernetesApi,
    core: client.CoreV1Api,
    make: Make,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However often it is tried."""
    monkeypatch.setattr(decision_events, "FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(decision_events, "MOST_RETRY_SECONDS", 0.02)
    fault = Fault("POST", "/events", RefusedError(403, "Forbidden", "no"), times=1000)
    kubernetes_api.faults.append(fault)
    events = make()
    with caplog.at_level(logging.WARNING):
        events.decided(HELD)
        wait(lambda: fault.times < 997)
    assert caplog.text.count("give the role create and patch on events") == 1
    kubernetes_api.faults.clear()
    wait(lambda: written(core))


def test_what_waits_is_bounded(kubernetes_api: KubernetesApi, make: Make) -> None:
    """Ten thousand different decisions while the API hangs keep the newest few, and none of them is waited for."""
    events = make()
    kubernetes_api.faults.append(Fault("GET", "/pods/", delay_seconds=5.0, times=1))
    for i in range(10_000):
        events.decided(Decided("serving", f"other-{i}", "MemoryActionHeld", "x", NOW))
        assert len(events._waiting) <= decision_events.MOST_KEPT
    assert ("serving", "other-9999") in events._waiting
    kubernetes_api.faults.append(Fault("GET", "/pods/", RefusedError(404, "NotFound", "gone")))


def test_what_is_no_pod_and_a_pod_that_has_gone_are_passed_over(core: client.CoreV1Api, make: Make) -> None:
    """No Event, no try without end, and the next decision is written."""
    events = make(places={"gone": PodPlace("ml", "gone-0"), "serving": PodPlace("ml", selector="app=serving")})
    for target in ("elsewhere", "gone", "serving"):
        events.decided(Decided(target, "x", "MemoryActionHeld", f"about {target}", NOW))
    wait(lambda: written(core))
    events.close()
    assert [one.message for one in written(core)] == ["about serving"]
    assert events._waiting == {}
