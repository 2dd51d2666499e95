"""A real Docker engine: a container is restarted with all that comes before and after, and not beyond its budget."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leakwatch.act.acting import Acting
from leakwatch.act.bundles import kept
from leakwatch.act.decision import Case, Ruling, What
from leakwatch.act.docker import DockerRestarter
from leakwatch.act.docker_claim import HOLDER
from leakwatch.act.holder import holder_of
from leakwatch.clock import SystemClock
from leakwatch.errors import ActError
from leakwatch.ports import Action
from leakwatch.settings import ActSettings, EvidenceSettings
from playbooks.types import Action as Remedy
from tests.fakes.acting import MIB, FakeProbe, HandClock, healthy, leaking

RESTART = Action(Remedy.RESTART, "serving", "it leaks", False, 0.0, 1.0)
DEADLINE_SECONDS = 60.0
CLOCK = SystemClock()
ACTIVE = ActSettings(
    dry_run=False, min_uptime_seconds=0.0, cooldown_seconds=0.1, stop_timeout_seconds=1.0, verify_seconds=30.0
)


def yes() -> bool:
    return True


def wait(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + DEADLINE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
    return value


@pytest.fixture
def container(docker_engine: Any) -> Any:
    """A container that runs until it is told to end."""
    client = docker_engine.client()
    script = 'trap "exit 0" TERM; while true; do sleep 0.1; done'
    made = client.containers.run(docker_engine.image, ["sh", "-c", script], detach=True, network_mode="none")
    wait(lambda: made.reload() or made.status == "running")
    yield made
    made.remove(force=True)
    client.close()


def started_at(container: Any) -> str:
    container.reload()
    return str(container.attrs["State"]["StartedAt"])


def restarter(engine: Any, container: Any) -> DockerRestarter:
    return DockerRestarter(container.id, SystemClock(), engine.url)


def agent(folder: Path, one: DockerRestarter, settings: ActSettings = ACTIVE) -> Acting:
    return Acting(settings, folder, {"serving": [one]}, {}, SystemClock())


def act_on(acting: Acting, case: Case) -> Ruling:
    decision = acting.consider(case)
    if decision.ruling is Ruling.ACT:
        assert acting.begin(decision)
        wait(lambda: not acting.busy())
    return decision.ruling


def test_a_container_is_restarted_and_verified(docker_engine: Any, container: Any, tmp_path: Path) -> None:
    """Evidence first, then the engine restarts it; the new life runs, its memory is back: it helped."""
    before = started_at(container)
    acting = agent(tmp_path, restarter(docker_engine, container))
    assert act_on(acting, leaking()) is Ruling.ACT
    assert started_at(container) != before
    [bundle] = kept(tmp_path)
    assert bundle.manifest is not None
    assert act_on(acting, healthy()) is Ruling.NOTHING
    whats = [happening.what.value for happening in acting.happenings() if happening.what is not What.DECIDED]
    assert whats == ["begun", "evidence", "done", "helped"]
    acting.close()


def test_a_dry_run_touches_nothing(docker_engine: Any, container: Any, tmp_path: Path) -> None:
    """The engine's events know of no stop, kill or restart; it says what would have been done."""
    before, since = started_at(container), int(time.time())
    acting = agent(tmp_path, restarter(docker_engine, container), ActSettings(min_uptime_seconds=0.0))
    for _ in range(3):
        assert act_on(acting, leaking()) is Ruling.WOULD_ACT
    outcome = restarter(docker_engine, container).carry_out(replace(RESTART, dry_run=True), yes)
    assert "would be restarted" in outcome.detail
    acting.close()
    assert started_at(container) == before
    client = docker_engine.client()
    events = client.api.events(
        since=since, until=int(time.time()) + 1, decode=True, filters={"container": container.id}
    )
    assert [event["Action"] for event in events if event["Action"] in ("kill", "stop", "die", "restart")] == []
    client.close()


def test_a_container_that_is_deaf_to_sigterm_is_killed_after_its_time(docker_engine: Any, tmp_path: Path) -> None:
    """As TF Serving as the first process of a container is; the grace is what the action says."""
    client = docker_engine.client()
    made = client.containers.run(docker_engine.image, ["sleep", "100000"], detach=True, network_mode="none")
    try:
        one = restarter(docker_engine, made)
        life = one.standing(time.time()).life
        outcome = one.carry_out(RESTART, yes)
        assert outcome.done
        assert outcome.took_seconds >= 1.0
        assert one.standing(time.time()).life != life
    finally:
        made.remove(force=True)
        client.close()


def test_a_leak_that_is_faster_after_each_restart_uses_up_the_budget(
    docker_engine: Any, container: Any, tmp_path: Path
) -> None:
    """Three restarts, each of which helped for a while; then a person is called, and the container is left alone."""
    acting = agent(tmp_path, restarter(docker_engine, container))
    lives, low = [started_at(container)], 1600.0
    rulings = []
    for round_ in range(6):
        time.sleep(0.15)  # the cooldown of this test
        rulings.append(act_on(acting, leaking(low, memory_bytes=(900.0 - 50.0 * round_) * MIB)))
        if started_at(container) != lives[-1]:
            lives.append(started_at(container))
        act_on(acting, healthy())
        low /= 2
    assert rulings == [Ruling.ACT] * 3 + [Ruling.ESCALATE] * 3
    assert len(lives) == 4
    pages = [happening for happening in acting.happenings() if happening.page]
    assert pages
    assert {happening.what for happening in pages} == {What.DECIDED}
    acting.close()


def claims(engine: Any) -> list[str]:
    client = engine.client()
    found = client.containers.list(all=True, filters={"label": HOLDER})
    client.close()
    return [one.name for one in found]


def test_of_two_agents_that_act_at_once_one_restarts_the_container(
    docker_engine: Any, container: Any, tmp_path: Path
) -> None:
    """Two agents with folders of their own, one engine: while one takes its evidence the other is told to hold."""
    go_on = threading.Event()
    probe = FakeProbe(do=lambda: go_on.wait(DEADLINE_SECONDS))
    patient, probes = replace(ACTIVE, evidence=EvidenceSettings(60.0)), {"serving": [probe]}
    first = Acting(patient, tmp_path / "a", {"serving": [restarter(docker_engine, container)]}, probes, CLOCK)
    second = agent(tmp_path / "b", restarter(docker_engine, container))
    before = started_at(container)
    decisions = [first.consider(leaking()), second.consider(leaking())]
    assert [one.ruling for one in decisions] == [Ruling.ACT, Ruling.ACT]
    assert first.begin(decisions[0])
    wait(lambda: claims(docker_engine))
    assert second.begin(decisions[1])
    wait(lambda: not second.busy())
    assert [one.sentence for one in second.happenings() if one.what is What.HELD] == [
        "another agent acts on this workload"
    ]
    assert started_at(container) == before
    go_on.set()
    wait(lambda: not first.busy())
    assert started_at(container) != before
    restarted = started_at(container)
    assert second.begin(decisions[1])  # it still means the instance of before
    wait(lambda: not second.busy())
    assert started_at(container) == restarted
    assert claims(docker_engine) == []
    first.close()
    second.close()


def test_a_claim_of_a_killed_agent_grows_old_and_only_one_takes_it_over(docker_engine: Any, container: Any) -> None:
    """Seen for as long as its holder may need it, by our own clock; the second heir finds the first."""
    name = container.name
    dead = DockerRestarter(name, SystemClock(), docker_engine.url, claim_seconds=100.0).lease()
    assert dead.acquire(0.0)
    clock = HandClock()
    heirs = [DockerRestarter(name, clock, docker_engine.url, claim_seconds=50.0).lease() for _ in range(2)]
    assert [one.acquire(0.0) for one in heirs] == [False, False]
    clock.pass_(99.0)
    assert [one.acquire(0.0) for one in heirs] == [False, False]
    clock.pass_(2.0)
    assert [one.acquire(0.0) for one in heirs] == [True, False]
    assert heirs[0].held(0.0)
    dead._looked = -100.0
    assert not dead.held(0.0)  # what was taken from it is gone, should it wake up
    dead.release()
    assert len(claims(docker_engine)) == 1
    heirs[0].release()
    assert claims(docker_engine) == []


def test_an_agent_that_was_killed_knows_its_claim_at_the_next_start(
    docker_engine: Any, container: Any, tmp_path: Path
) -> None:
    """Its state folder has the name for it: nothing is waited for, and another agent's stays another's."""

    def lease_of(folder: Path) -> Any:
        return DockerRestarter(container.id, CLOCK, docker_engine.url, holder=holder_of(folder)).lease()

    assert lease_of(tmp_path / "a").acquire(0.0)
    assert not lease_of(tmp_path / "b").acquire(0.0)
    again = lease_of(tmp_path / "a")
    assert again.acquire(0.0) and again.held(0.0)
    again.release()
    assert claims(docker_engine) == []


def test_the_name_of_a_claim_that_belongs_to_something_else_is_told(docker_engine: Any, container: Any) -> None:
    """It is neither removed nor taken for a claim."""
    client = docker_engine.client()
    made = client.containers.create(docker_engine.image, ["true"], name=f"leakwatch-acting-on-{container.name}")
    try:
        with pytest.raises(ActError, match="belongs to something else"):
            restarter(docker_engine, container).lease().acquire(0.0)
    finally:
        made.remove()
        client.close()


def test_an_unhealthy_container_is_not_ready(docker_engine: Any) -> None:
    """Its health check decides, where it has one."""
    client = docker_engine.client()
    check = {"test": ["CMD", "false"], "interval": 10**9, "retries": 1}
    made = client.containers.run(
        docker_engine.image, ["sleep", "100000"], detach=True, network_mode="none", healthcheck=check
    )
    try:
        one = restarter(docker_engine, made)
        wait(lambda: made.reload() or made.attrs["State"]["Health"]["Status"] == "unhealthy")
        assert one.standing(time.time()).ready is False
    finally:
        made.remove(force=True)
        client.close()


def test_a_container_that_does_not_run_is_said_not_to(docker_engine: Any, container: Any) -> None:
    """And not to have been up for 0 s: somebody has to know why it ended."""
    container.kill()
    wait(lambda: container.reload() or container.status == "exited")
    with pytest.raises(ActError, match=r"does not run \(exited, exit status 137\)"):
        restarter(docker_engine, container).standing(time.time())


def test_what_cannot_be_asked_is_an_error_in_one_line(docker_engine: Any, tmp_path: Path) -> None:
    """No such container; no engine."""
    with pytest.raises(ActError, match="there is no container"):
        DockerRestarter("no-such-container", SystemClock(), docker_engine.url).standing(time.time())
    with pytest.raises(ActError, match="no answer from the engine"):
        DockerRestarter("x", SystemClock(), f"unix://{tmp_path}/none.sock").standing(time.time())
