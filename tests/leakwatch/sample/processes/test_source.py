"""Real processes of our own are measured: their kinds of memory, their children, their end and their successors."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.processes.find import family, pid_of_name, this_process
from leakwatch.sample.processes.source import ProcessSource

MIB = 2**20
DEADLINE_SECONDS = 60.0

HOLD = """
import sys
kept = bytearray({mib} << 20)
kept[::4096] = b"x" * len(kept[::4096])
print("ready", flush=True)
sys.stdin.read()
"""

PRELOADED = """
import os, sys
kept = bytearray({mib} << 20)
kept[::4096] = b"x" * len(kept[::4096])
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        sys.stdin.read()
        os._exit(0)
    children.append(child)
print("ready", flush=True)
sys.stdin.read()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a Python program and waits for its first line; all are ended afterwards."""
    running: list[subprocess.Popen[str]] = []

    def one(program: str, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", program, *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield one
    for process in running:
        process.communicate()


def test_a_process_is_measured_by_kind(start: Start) -> None:
    """Memory that it wrote to is anonymous; threads, processor time and the host's free memory come along."""
    process = start(HOLD.format(mib=64))
    sample = ProcessSource(lambda: process.pid).read(time.time())
    assert 64 * MIB <= sample.values["anon_bytes"] < 112 * MIB
    assert sample.values["file_bytes"] > 0
    assert sample.values["threads"] >= 1
    assert sample.values["open_fds"] >= 3
    assert sample.values["cpu_seconds_total"] > 0
    assert sample.values["host_available_bytes"] > 0


def test_pages_that_workers_share_are_counted_once(start: Start) -> None:
    """A server that loads 64 MiB and forks three workers holds 64 MiB, not 256."""
    process = start(PRELOADED.format(mib=64))
    assert len(family(process.pid)) == 4
    source = ProcessSource(lambda: process.pid)
    sample = source.read(time.time())
    if any("counted for each" in sentence for sentence in source.blind_to):
        pytest.skip("needs the right to read smaps_rollup")
    assert 64 * MIB <= sample.values["anon_bytes"] < 160 * MIB
    assert sample.values["threads"] == 4


def test_a_process_that_has_ended_is_gone_and_its_successor_another_life(start: Start) -> None:
    """The look after the end says `gone`; the next process found is a restart."""
    first, second = start(HOLD.format(mib=1)), start(HOLD.format(mib=1))
    pid = first.pid
    source = ProcessSource(lambda: pid)
    life = source.read(1.0).life
    assert source.read(2.0).life == life
    first.communicate()
    with pytest.raises(SourceError, match=f"no process {first.pid}") as raised:
        source.read(3.0)
    assert raised.value.gone
    pid = second.pid
    assert source.read(4.0).life not in (None, life)


def test_a_zombie_is_gone(start: Start) -> None:
    """A process that nobody has waited for holds no memory any more."""
    process = start(HOLD.format(mib=1))
    source = ProcessSource(lambda: process.pid)
    source.read(1.0)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(SourceError) as raised:
        source.read(2.0)
    assert raised.value.gone


def test_a_worker_that_ends_takes_nothing_along(start: Start) -> None:
    """The rest of the family is still measured in the same look."""
    process = start(PRELOADED.format(mib=16))
    source = ProcessSource(lambda: process.pid)
    life = source.read(1.0).life
    worker = family(process.pid)[1]
    os.kill(worker, 9)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while source.read(2.0).values["threads"] != 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert source.read(3.0).life == life


def test_a_server_is_found_by_its_kernel_name(start: Start) -> None:
    """The kernel keeps 15 characters: the whole name finds the process too, and of a family the eldest is meant."""
    renamed = "open('/proc/self/comm', 'w').write('lw_model_server')\n" + PRELOADED.format(mib=1)
    process = start(renamed)
    assert pid_of_name("lw_model_server") == process.pid
    assert pid_of_name("lw_model_server_of_tests") == process.pid


def test_a_script_is_found_on_the_command_line(start: Start) -> None:
    """`python serve.py` is called serve.py by those who run it."""
    process = start(HOLD.format(mib=1), "/srv/lw_serve_of_tests.py")
    assert pid_of_name("lw_serve_of_tests.py") == process.pid


def test_two_servers_of_one_name_are_refused(start: Start) -> None:
    """Guessing would watch the wrong one; the error names the pids."""
    pids = sorted(start(HOLD.format(mib=1), "lw_twin_of_tests").pid for _ in range(2))
    with pytest.raises(SourceError, match=f"name one by its pid: {pids[0]}, {pids[1]}"):
        pid_of_name("lw_twin_of_tests")


def test_another_process_with_the_same_number_is_not_taken_for_it(start: Start) -> None:
    """Numbers are given again; who named a pid meant the process that had it."""
    first = start(HOLD.format(mib=1))
    source = ProcessSource(this_process(first.pid))
    source.read(1.0)
    first.communicate()
    last_pid = Path("/proc/sys/kernel/ns_last_pid")
    if not os.access(last_pid, os.W_OK):
        pytest.skip("needs root to choose the next pid")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        last_pid.write_text(str(first.pid - 1))
        second = start(HOLD.format(mib=1))
        if second.pid == first.pid:
            break
        assert time.monotonic() < deadline
    for _ in range(2):
        with pytest.raises(SourceError, match="another has its number now") as raised:
            source.read(2.0)
        assert raised.value.gone


def test_a_name_that_nobody_has_is_gone() -> None:
    """One line, safe to print whatever the name holds."""
    with pytest.raises(SourceError) as raised:
        pid_of_name("no\nsuch\x1b[31m")
    assert raised.value.gone
    assert "\n" not in str(raised.value) and "\x1b" not in str(raised.value)


FORKS_WHEN_TOLD = """
import os, sys
print("ready", flush=True)
for line in sys.stdin:
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    print("forked", flush=True)
"""


@pytest.mark.parametrize("later_seconds", [1020.0, 10.0], ids=["later", "after the clock was set back"])
def test_new_workers_are_found(start: Start, later_seconds: float) -> None:
    """Within seconds, and a clock that jumps back does not put it off for as long as it jumped."""
    process = start(FORKS_WHEN_TOLD)
    source = ProcessSource(lambda: process.pid)
    assert source.read(1000.0).values["threads"] == 1
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "forked\n"
    assert source.read(later_seconds).values["threads"] == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_without_the_right_to_see_shares_it_is_said(start: Start) -> None:
    """Memory, threads and the limit are still there; `blind_to` names what is not, and the capability."""
    process = start(PRELOADED.format(mib=8))
    os.seteuid(65534)
    try:
        source = ProcessSource(lambda: process.pid)
        sample = source.read(time.time())
        told = " ".join(source.blind_to)
        source.close()
    finally:
        os.seteuid(0)
    assert sample.values["threads"] == 4
    assert sample.values["anon_bytes"] > 4 * 8 * MIB  # the eight that the four share, once for each
    assert "counted for each: run as its user or with the capability SYS_PTRACE" in told
