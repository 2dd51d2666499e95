import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leakwatch.act.cluster import Cluster
from leakwatch.agent.leading import Leading
from leakwatch.agent.running import run_agent
from leakwatch.clock import SystemClock
from leakwatch.ports import Clock
from leakwatch.settings import LeaderLeaseSettings, PidPlace, Settings, TargetSettings
from leakwatch.trace import Sample
from tests.fakes.kubernetes_api import Fault, KubernetesApi

DEADLINE_SECONDS = 60.0
LEASE = LeaderLeaseSettings("leakwatch", "cluster")


class FastClock:
    """The machine's, with a steady time that runs a hundred times as fast: a Lease of two minutes is old in 1.2 s."""

    now = staticmethod(time.time)

    def steady(self) -> float:
        return 100.0 * time.monotonic()


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not in time"
        time.sleep(0.01)


@pytest.fixture
def agents(kubernetes_api: KubernetesApi, tmp_path: Path) -> Iterator[Callable[[], Leading]]:
    """Makes agents that want the Lease; what is left is ended."""
    config = kubernetes_api.kubeconfig(tmp_path / "kubeconfig")
    made: list[Leading] = []

    def make() -> Leading:
        made.append(Leading(LEASE, FastClock(), Cluster(str(config)), every_seconds=0.02))
        return made[-1]

    yield make
    for one in made:
        one.__exit__()


def test_one_leads_and_the_other_follows_when_it_ends(agents):
    """The Lease is given back at the end, and the other has it at its next look."""
    first = agents()
    wait_until(lambda: first.is_ours, "the first leads")
    second = agents()
    time.sleep(0.2)
    assert first.is_ours and not second.is_ours
    first.__exit__()
    wait_until(lambda: second.is_ours, "the second leads")


def test_a_leader_that_dies_is_followed_when_its_time_is_over(agents, kubernetes_api):
    """Nobody gives the Lease back: the other takes it once it saw it unchanged for two minutes, and not before."""
    first = agents()
    wait_until(lambda: first.is_ours, "the first leads")
    kubernetes_api.faults.append(Fault("PUT", "/leases", hang_up=True))  # as if killed: not one write more
    first.__exit__()
    kubernetes_api.faults.clear()
    began = time.monotonic()
    second = agents()
    wait_until(lambda: second.is_ours, "the second leads")
    assert time.monotonic() - began >= 1.2
    (lease,) = [one for one in kubernetes_api.requests if one.method == "PUT"][-1:]
    assert lease.body["spec"]["leaseTransitions"] == 1


def test_a_leader_that_cannot_renew_steps_down(agents, kubernetes_api):
    """The server is away for longer than the Lease lasts: nobody may go on watching as if it were his."""
    first = agents()
    wait_until(lambda: first.is_ours, "the first leads")
    kubernetes_api.faults.append(Fault("*", "/leases", hang_up=True))
    wait_until(lambda: not first.is_ours, "it steps down")
    kubernetes_api.faults.clear()
    wait_until(lambda: first.is_ours, "it leads again")


def test_without_a_lease_it_is_always_us(agents):
    """An agent that stands alone asks nobody."""
    with Leading(None, SystemClock()) as alone:
        assert alone.is_ours and alone.wait(lambda: False)


class Counted:
    """A source that counts its looks."""

    name, blind_to = "counted", ()

    def __init__(self) -> None:
        self.looks = 0

    def read(self, now_seconds: float) -> Sample:
        self.looks += 1
        return Sample(now_seconds, {"anon_bytes": 1e6})

    def close(self) -> None:
        """Nothing to close."""


def test_of_two_agents_only_the_leader_watches(kubernetes_api, tmp_path):
    """The other stands by without one look at a source, and goes on where the first ended."""
    config = str(kubernetes_api.kubeconfig(tmp_path / "kubeconfig"))
    runs = []

    def leading_of(lease: LeaderLeaseSettings | None, clock: Clock) -> Leading:
        return Leading(lease, clock, Cluster(config), every_seconds=0.02)

    def run(name: str) -> tuple[Counted, threading.Event, threading.Thread]:
        source, stop = Counted(), threading.Event()
        targets = (TargetSettings("one", PidPlace(1)),)
        settings = Settings(targets, str(tmp_path / name), 0.02, 0.1, ("127.0.0.1", 0), leader_lease=LEASE)
        thread = threading.Thread(
            target=run_agent,
            args=(lambda: settings, SystemClock(), stop, threading.Event()),
            kwargs={"sources": lambda _: (source,), "leading_of": leading_of},
        )
        thread.start()
        runs.append((stop, thread))
        return source, stop, thread

    try:
        first, stop, thread = run("first")
        wait_until(lambda: first.looks > 3, "the first watches")
        second, _, _ = run("second")
        looks = first.looks
        wait_until(lambda: first.looks > looks + 20, "the first goes on")
        assert second.looks == 0
        stop.set()
        thread.join(DEADLINE_SECONDS)
        wait_until(lambda: second.looks > 3, "the second watches")
    finally:
        for stop, thread in runs:
            stop.set()
            thread.join(DEADLINE_SECONDS)
