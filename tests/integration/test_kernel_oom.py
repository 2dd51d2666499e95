"""A real kill by the kernel, in a memory cgroup of our own, read back from /dev/kmsg."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HIERARCHY = Path("/sys/fs/cgroup/memory")
LIMIT_BYTES = 96 * 2**20
POD_UID = "3f1c9e2a-1111-2222-3333-0123456789ab"
CONTAINER_ID = "4f5e6d7c8b9a" * 5 + "0123"
COMM = "model srv:[1/2]"
DEADLINE_SECONDS = 60.0

EATER = f"""
import sys
open("/proc/self/comm", "w").write({COMM!r})
sys.stdin.read(1)  # until it has been put into its cgroup
kept = []
while True:
    kept.append(b"x" * 2**20)
"""

Event = dict[str, Any]


def may_make_cgroups() -> bool:
    return os.access(HIERARCHY / "memory.limit_in_bytes", os.W_OK) and os.access("/dev/kmsg", os.R_OK)


pytestmark = pytest.mark.skipif(
    not may_make_cgroups(), reason="needs root, /dev/kmsg and a cgroup v1 memory hierarchy at /sys/fs/cgroup/memory"
)


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A container's cgroup as the kubelet lays it out, under a folder of our own; removed afterwards."""
    folders = [HIERARCHY / f"leakwatch-test-{os.getpid()}-{time.monotonic_ns()}"]
    for name in ("kubepods", "burstable", f"pod{POD_UID}", CONTAINER_ID):
        folders.append(folders[-1] / name)
    try:
        for folder in folders:
            folder.mkdir()
        (folders[-1] / "memory.limit_in_bytes").write_text(str(LIMIT_BYTES))
        yield folders[-1]
    finally:
        for folder in reversed(folders):
            if folder.exists():
                remove(folder)


def remove(folder: Path) -> None:
    """The kernel needs a moment to let a killed process go."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            folder.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def killed_in(cgroup: Path) -> int:
    """Let a process eat more than the limit; its pid, once the kernel has killed it."""
    with subprocess.Popen([sys.executable, "-c", EATER], stdin=subprocess.PIPE) as eater:
        (cgroup / "cgroup.procs").write_text(str(eater.pid))
        assert eater.stdin is not None
        eater.stdin.write(b"\n")
        eater.stdin.flush()
        assert eater.wait(DEADLINE_SECONDS) == -signal.SIGKILL
        return eater.pid


def leakwatch_logs(*arguments: str) -> list[Event]:
    command = [sys.executable, "-m", "leakwatch", "logs", *arguments, "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS)
    assert done.returncode in (0, 10), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def the_kill(events: list[Event], pid: int) -> Event:
    [kill] = [event for event in events if event["kind"] == "kernel_oom_kill" and event.get("pid") == pid]
    return kill


def assert_all_is_said(events: list[Event], pid: int, cgroup: Path, killed_at: float) -> None:
    """Who, where, by which limit, when; and that all its lines are one incident that proves an OOM."""
    path = "/" + str(cgroup.relative_to(HIERARCHY))
    kill = the_kill(events, pid)
    assert kill["process"] == COMM
    assert kill["proves_oom"] is True
    assert kill["anon_rss_kb"] * 1024 == pytest.approx(LIMIT_BYTES, rel=0.2)  # some pages are its parent's
    assert kill["at"] == pytest.approx(killed_at, abs=DEADLINE_SECONDS)
    of_incident = [event for event in events if event["incident"] == kill["incident"]]
    kinds = {event["kind"] for event in of_incident}
    assert kinds >= {"kernel_oom_invoked", "kernel_memcg_stats", "kernel_oom_summary", "kernel_oom_kill"}
    [summary] = [event for event in of_incident if event["kind"] == "kernel_oom_summary"]
    assert (summary["task_memcg"], summary["oom_memcg"]) == (path, path)
    assert (summary["container_id"], summary["pod_uid"]) == (CONTAINER_ID, POD_UID)
    stats = [event for event in of_incident if event["kind"] == "kernel_memcg_stats"]
    assert LIMIT_BYTES // 1024 in {event.get("limit_kb") for event in stats}


def test_a_real_kill_is_in_the_kernels_messages(cgroup: Path) -> None:
    """`leakwatch logs /dev/kmsg` tells of it afterwards: process, pid, limit, cgroup, container and pod."""
    began = time.time()
    pid = killed_in(cgroup)
    assert_all_is_said(leakwatch_logs("/dev/kmsg"), pid, cgroup, began)


def test_a_real_kill_is_one_incident_in_the_summary(cgroup: Path) -> None:
    """`--summary` says container, victim, limit, usage, the processes, and that it is proven; `--fail-on-oom` fails."""
    pid = killed_in(cgroup)
    command = [sys.executable, "-m", "leakwatch", "logs", "/dev/kmsg", "--summary", "--since", "1h", "--fail-on-oom"]
    done = subprocess.run([*command, "-o", "json"], capture_output=True, text=True, check=False)
    assert done.returncode == 10, done.stderr
    [incident] = [one for one in map(json.loads, done.stdout.splitlines()) if one["pid"] == pid]
    assert incident["scope"] == "container"
    assert incident["victim"] == COMM
    assert incident["limit_bytes"] == LIMIT_BYTES
    assert incident["usage_bytes"] == pytest.approx(LIMIT_BYTES, rel=0.05)
    assert (incident["container_id"], incident["pod_uid"]) == (CONTAINER_ID, POD_UID)
    assert incident["proves_oom"] is True
    assert pid in {process["pid"] for process in incident["processes"]}


def test_a_real_kill_is_told_while_it_happens(cgroup: Path) -> None:
    """`leakwatch logs -f /dev/kmsg` prints it without being asked again, and Ctrl-C ends it quietly."""
    began = time.time()
    command = [sys.executable, "-m", "leakwatch", "logs", "-f", "/dev/kmsg", "-o", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watcher:
        try:
            pid = killed_in(cgroup)
            events = []
            assert watcher.stdout is not None
            for line in watcher.stdout:  # pytest's own limit ends this where the line never comes
                events.append(json.loads(line))
                if events[-1]["kind"] == "kernel_oom_kill" and events[-1].get("pid") == pid:
                    break
            assert_all_is_said(events, pid, cgroup, began)
        finally:
            watcher.send_signal(signal.SIGINT)
        _, complaints = watcher.communicate(timeout=DEADLINE_SECONDS)
    assert (watcher.returncode, complaints) == (130, "")


def test_a_kill_signal_is_no_oom(cgroup: Path) -> None:
    """A process that somebody else kills with SIGKILL (137) leaves no memory event behind."""
    with subprocess.Popen(["sleep", "1000"]) as sleeper:
        (cgroup / "cgroup.procs").write_text(str(sleeper.pid))
        sleeper.kill()
    assert [event for event in leakwatch_logs("/dev/kmsg") if event.get("pid") == sleeper.pid] == []
