"""Real processes in a real cgroup: found behind their shells, drained, signalled, and never mistaken for others."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leakwatch.act.acting import Acting
from leakwatch.act.decision import Ruling, What
from leakwatch.act.process import ProcessRestarter
from leakwatch.act.process_handle import Handle, Identity, identify, ignores_sigterm
from leakwatch.act.process_search import server_of
from leakwatch.clock import SystemClock
from leakwatch.errors import ActError
from leakwatch.ports import Action
from leakwatch.settings import ActSettings, CgroupPlace, EvidenceSettings, PidPlace, ProcessPlace
from playbooks.types import Action as Remedy
from tests.fakes.acting import FakeProbe, healthy, leaking

HIERARCHY = Path("/sys/fs/cgroup/memory")
DEADLINE_SECONDS = 60.0
RESTART = Action(Remedy.RESTART, "serving", "it leaks", False, 0.0, 5.0)

SERVER = """
import os, signal, socket, sys
name, port, deaf, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "deaf", sys.argv[4]
if deaf:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    def end(*_):
        open(os.path.join(folder, f"sigterm-{os.getpid()}"), "w").close()
        os._exit(0)
    signal.signal(signal.SIGTERM, end)
open("/proc/self/comm", "w").write(name)
listener = socket.create_server(("127.0.0.1", port))
kept = b"x" * 20_000_000
open(os.path.join(folder, f"life-{os.getpid()}"), "w").close()
while True:
    listener.accept()[0].close()
"""
LOOP = 'while true; do "$@"; done'

Start = Callable[..., "subprocess.Popen[bytes]"]


def yes() -> bool:
    return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + DEADLINE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)
    return value


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A memory cgroup of our own; what is left in it is ended, and it is removed."""
    if not os.access(HIERARCHY / "memory.limit_in_bytes", os.W_OK):
        pytest.skip("needs root and a cgroup v1 memory hierarchy at /sys/fs/cgroup/memory")
    folder = HIERARCHY / f"leakwatch-test-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir()
    yield folder

    def empty() -> bool:
        for pid in (folder / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        with suppress(OSError):
            folder.rmdir()
        return not folder.exists()

    wait(empty)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server, by itself or in a loop of a shell; all are ended afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def run(
        *, cgroup: Path | None = None, loop: bool = False, deaf: bool = False, port: int = 0, name: str = "model_srv"
    ) -> Any:
        server = [sys.executable, "-c", SERVER, name, str(port), "deaf" if deaf else "", str(tmp_path)]
        command = ["sh", "-c", LOOP, "sh", *server] if loop else server
        enter = None if cgroup is None else lambda: (cgroup / "cgroup.procs").write_text("0")
        process = subprocess.Popen(command, preexec_fn=enter, start_new_session=True)
        started.append(process)
        wait(lambda: list(tmp_path.glob("life-*")))
        return process

    yield run
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(DEADLINE_SECONDS)


def kernel_is_at_least(*version: int) -> bool:
    """Whether each pidfd is a file of its own."""
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= version


def lives(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("life-*")}


def test_the_server_behind_its_shell_is_restarted(cgroup: Path, start: Start, tmp_path: Path) -> None:
    """Found in its cgroup, it gets SIGTERM; the shell lives on and starts the next."""
    shell = start(cgroup=cgroup, loop=True)
    restarter = ProcessRestarter(CgroupPlace(str(cgroup)), SystemClock())
    before = restarter.standing(time.time())
    outcome = restarter.carry_out(RESTART, yes)
    assert outcome.done
    assert "SIGTERM" in outcome.detail
    assert "model_srv" in outcome.detail
    wait(lambda: len(lives(tmp_path)) == 2)
    assert len(list(tmp_path.glob("sigterm-*"))) == 1
    assert shell.poll() is None
    assert restarter.standing(time.time()).life != before.life


def test_a_server_that_ignores_sigterm_is_killed_at_once(start: Start, tmp_path: Path) -> None:
    """No time is lost on a signal that does nothing; by name and by the shell's pid it is the same process."""
    shell = start(loop=True, deaf=True, name="deaf_model_srv")
    by_pid = server_of(PidPlace(shell.pid))
    assert server_of(ProcessPlace("deaf_model_srv")) == by_pid
    assert ignores_sigterm(by_pid.pid)
    began = time.monotonic()
    outcome = ProcessRestarter(PidPlace(shell.pid), SystemClock()).carry_out(replace(RESTART, stop_seconds=60.0), yes)
    assert outcome.done
    assert "ignores SIGTERM" in outcome.detail
    assert time.monotonic() - began < 60.0  # far from the grace that a deaf process would be given
    wait(lambda: len(lives(tmp_path)) == 2)


def test_a_server_that_is_slow_to_end_is_killed_after_its_time(start: Start) -> None:
    """Stopped, it cannot handle SIGTERM; SIGKILL follows, unless the claim on it was lost meanwhile."""
    server = start()
    os.kill(server.pid, signal.SIGSTOP)
    restarter = ProcessRestarter(PidPlace(server.pid), SystemClock())
    left_alone = restarter.carry_out(replace(RESTART, stop_seconds=0.2), lambda: False)
    assert not left_alone.done
    assert identify(server.pid) is not None
    outcome = restarter.carry_out(replace(RESTART, stop_seconds=0.2), yes)
    assert outcome.done
    assert "was killed" in outcome.detail
    assert server.wait(DEADLINE_SECONDS) == -signal.SIGKILL


def test_a_recycled_pid_is_never_signalled(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has the pid by now: neither through a pidfd nor without one does it get the signal."""
    bystander = start()
    now = identify(bystander.pid)
    assert now is not None
    earlier = Identity(now.pid, now.started_ticks - 1, now.command)
    with Handle(earlier) as handle:
        assert not handle.send(signal.SIGKILL)
    monkeypatch.setattr(os, "pidfd_open", lambda pid: (_ for _ in ()).throw(OSError("no pidfds here")))
    with Handle(earlier) as handle:
        assert not handle.send(signal.SIGKILL)
        assert handle.wait(0.0)
    assert bystander.poll() is None
    with Handle(now) as handle:  # the right one, without a pidfd
        assert handle.send(signal.SIGKILL)
        assert handle.wait(DEADLINE_SECONDS)


def test_who_is_meant_has_to_be_clear(start: Start, tmp_path: Path) -> None:
    """None, two of one name, or a shell whose server is not there: nothing is signalled."""
    start(name="twin_srv")
    first = len(lives(tmp_path))
    start(name="twin_srv")
    wait(lambda: len(lives(tmp_path)) > first)
    with pytest.raises(ActError, match="2 processes called 'twin_srv'"):
        server_of(ProcessPlace("twin_srv"))
    with pytest.raises(ActError, match="no process called"):
        server_of(ProcessPlace("no_such_server"))
    with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as shell:
        try:
            with pytest.raises(ActError, match="only sh"):
                server_of(PidPlace(shell.pid))
        finally:
            shell.kill()


def test_a_dry_run_signals_nothing(start: Start) -> None:
    """It says what would be ended."""
    server = start()
    outcome = ProcessRestarter(PidPlace(server.pid), SystemClock()).carry_out(replace(RESTART, dry_run=True), yes)
    assert (outcome.done, server.poll()) == (False, None)
    assert "model_srv" in outcome.detail


def test_a_process_that_nobody_starts_again_calls_a_person(start: Start, tmp_path: Path) -> None:
    """The verification finds no new life in time: told as of no use, and nothing more is done to the target."""
    server = start()
    settings = ActSettings(dry_run=False, min_uptime_seconds=0.0, drain_seconds=0.0, verify_seconds=1.0)
    restarter = ProcessRestarter(PidPlace(server.pid), SystemClock())
    acting = Acting(settings, tmp_path / "state", {"serving": [restarter]}, {}, SystemClock())
    decision = acting.consider(leaking())
    assert decision.ruling is Ruling.ACT
    assert acting.begin(decision)
    told: list[Any] = []

    def useless() -> Any:
        acting.consider(leaking())
        told.extend(acting.happenings())
        return next((one for one in told if one.what is What.NOT_HELPED), None)

    found = wait(useless)
    assert found.page and found.sentence.startswith("restart of serving did not help within")
    later = acting.consider(leaking())
    assert (later.ruling, "stopped" in {reason.gate for reason in later.against}) == (Ruling.ESCALATE, True)
    acting.close()


def test_of_two_agents_that_act_at_once_one_ends_the_process(cgroup: Path, start: Start, tmp_path: Path) -> None:
    """One finds it by its cgroup, one by its shell's pid; they share no folder, and yet one signal is sent."""
    shell = start(cgroup=cgroup, loop=True)
    settings = ActSettings(dry_run=False, min_uptime_seconds=0.0, drain_seconds=0.0, evidence=EvidenceSettings(60.0))
    go_on = threading.Event()
    probe = FakeProbe(do=lambda: go_on.wait(DEADLINE_SECONDS))
    by_cgroup = ProcessRestarter(CgroupPlace(str(cgroup)), SystemClock())
    by_pid = ProcessRestarter(PidPlace(shell.pid), SystemClock())
    first = Acting(settings, tmp_path / "a", {"serving": [by_cgroup]}, {"serving": [probe]}, SystemClock())
    second = Acting(settings, tmp_path / "b", {"serving": [by_pid]}, {}, SystemClock())
    decisions = [first.consider(leaking()), second.consider(leaking())]
    assert [one.ruling for one in decisions] == [Ruling.ACT, Ruling.ACT]
    assert first.begin(decisions[0])
    wait(lambda: probe.asked)
    assert second.begin(decisions[1])
    wait(lambda: not second.busy())
    held = [one.sentence for one in second.happenings() if one.what is What.HELD]
    assert held == ["another agent acts on this workload"]
    assert not list(tmp_path.glob("sigterm-*"))
    go_on.set()
    wait(lambda: not first.busy())
    wait(lambda: len(lives(tmp_path)) == 2)
    assert second.begin(decisions[1])  # it still means the process of before
    wait(lambda: not second.busy())
    assert len(list(tmp_path.glob("sigterm-*"))) == 1
    first.close()
    second.close()


def test_a_claim_ends_with_its_agent_and_is_of_one_process_alone(start: Start) -> None:
    """kill -9 of the agent that holds it frees it at once; another process beside it was never claimed."""
    server, other = start(), start()
    script = (
        "import sys; from leakwatch.act.process import *; from leakwatch.settings import PidPlace;"
        "from leakwatch.clock import SystemClock;"
        "print(ProcessRestarter(PidPlace(int(sys.argv[1])), SystemClock()).lease().acquire(0), flush=True);"
        "sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", script, str(server.pid)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=Path(__file__).parents[2]) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == b"True\n"
        claim = ProcessRestarter(PidPlace(server.pid), SystemClock()).lease()
        elsewhere = ProcessRestarter(PidPlace(other.pid), SystemClock()).lease()
        assert claim is not None and elsewhere is not None
        assert not claim.acquire(0.0)
        if kernel_is_at_least(6, 9):
            assert elsewhere.acquire(0.0)
            elsewhere.release()
        agent.kill()
        agent.wait(DEADLINE_SECONDS)
    assert claim.acquire(0.0) and claim.held(0.0)
    claim.release()
    assert not claim.held(0.0)


def test_where_there_are_no_pidfds_nothing_is_claimed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old kernel, or a sandbox: it is acted all the same, as the documents say."""
    server = start()
    monkeypatch.setattr(os, "pidfd_open", lambda pid: (_ for _ in ()).throw(OSError("no pidfds here")))
    assert ProcessRestarter(PidPlace(server.pid), SystemClock()).lease() is None


def test_a_leaking_process_is_drained_signalled_and_verified(cgroup: Path, start: Start, tmp_path: Path) -> None:
    """Readiness off for the whole drain, evidence first, one SIGTERM, a new life that takes connections: it helped."""
    port = free_port()
    start(cgroup=cgroup, loop=True, port=port)
    restarter = ProcessRestarter(CgroupPlace(str(cgroup)), SystemClock(), f"http://127.0.0.1:{port}/metrics")
    wait(lambda: restarter.standing(time.time()).ready)
    settings = ActSettings(dry_run=False, min_uptime_seconds=0.0, drain_seconds=1.5, stop_timeout_seconds=5.0)
    probe, state_dir = FakeProbe(), tmp_path / "state"
    acting = Acting(settings, state_dir, {"serving": [restarter]}, {"serving": [probe]}, SystemClock())
    decision = acting.consider(leaking())
    assert decision.ruling is Ruling.ACT
    began = time.monotonic()
    assert acting.begin(decision)
    wait(acting.draining)
    while acting.draining() and time.monotonic() - began < 1.4:
        assert len(lives(tmp_path)) == 1  # it serves on while it drains
        time.sleep(0.05)
    wait(lambda: not acting.busy())
    assert time.monotonic() - began >= 1.5
    assert acting.draining() == frozenset()
    acting.consider(healthy())
    whats = [happening.what.value for happening in acting.happenings() if happening.what.value != "decided"]
    assert whats == ["begun", "evidence", "done", "helped"]
    assert (probe.asked, len(lives(tmp_path)), len(list(tmp_path.glob("sigterm-*")))) == (1, 2, 1)
    acting.close()
