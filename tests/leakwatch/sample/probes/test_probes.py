"""Evidence of a real process: readable, without secrets, within its time and its size."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leakwatch.ports import EvidencePart
from leakwatch.sample.probes.container import cgroup_files, last_lines
from leakwatch.sample.probes.heap import catches, heap_profile, stacks
from leakwatch.sample.probes.probe import BoundedProbe
from leakwatch.sample.probes.target import probes_of
from leakwatch.sample.processes.state import process_state_of
from leakwatch.settings import CgroupPlace, PidPlace, PrometheusPlace, ServingKind, ServingSettings, TargetSettings
from tests.fakes.tf_serving import PAGE, TfServing

MIB = 2**20
Start = Callable[..., "subprocess.Popen[str]"]

SERVER = """
import mmap, threading, sys
wait = threading.Event()
for number in range(5):
    threading.Thread(target=wait.wait, daemon=True).start()
kept = mmap.mmap(-1, 48 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
kept.write(b"x" * (48 << 20))
print("ready", flush=True)
sys.stdin.read()
"""

PROFILED = """
import os, signal, sys
def write(*_):
    with open(os.environ["HEAPPROFILE"] + ".0002.heap", "w") as file:
        file.write("heap profile: 1: 48 [1: 48] @ heapprofile")
signal.signal(signal.SIGUSR2, write)
print("ready", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a Python program with variables and arguments of its own; it is ended afterwards."""
    running: list[subprocess.Popen[str]] = []

    def one(program: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", program, *arguments]
        whole = {**os.environ, **environment}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=whole)
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield one
    for process in running:
        process.kill()
        process.communicate()


def parts_of(pid: int) -> dict[str, EvidencePart]:
    target = TargetSettings("serving", PidPlace(pid))
    return {part.name: part for part in (probe.collect(30.0) for probe in probes_of(target))}


def text_of(part: EvidencePart) -> str:
    assert part.error is None, part.error
    return part.content.decode()


def test_a_process_tells_of_itself(start: Start) -> None:
    """Memory, mappings, threads, files, limits, command line and cgroup: each part says what a person looks for."""
    process = start(SERVER, "--rest_api_port=8501", MALLOC_ARENA_MAX="2")
    parts = parts_of(process.pid)
    assert "Pss_Anon:" in text_of(parts["smaps_rollup.txt"])
    assert "RssAnon:" in text_of(parts["status.txt"])
    assert text_of(parts["threads.txt"]).startswith("6 threads; by state: ")
    assert "Max open files" in text_of(parts["limits.txt"])
    assert "--rest_api_port=8501" in text_of(parts["command_line.txt"])
    assert "MALLOC_ARENA_MAX=2" in text_of(parts["environment.txt"])
    assert "memory." in text_of(parts["cgroup.txt"])
    assert "MemAvailable" in text_of(parts["host_memory.txt"])
    assert "pipe" in text_of(parts["open_files.txt"])
    largest = text_of(parts["largest_mappings.txt"])
    assert "heaps of glibc's arenas" in largest
    single = largest.partition("the largest single mappings:\n")[2].splitlines()[0]
    assert float(single.split()[0]) >= 48


def test_secrets_of_a_process_stay_with_it(start: Start) -> None:
    """Neither its variables nor its arguments show one, in any part."""
    process = start(SERVER, "--api_token=hunter2", DB_PASSWORD="hunter2", DATABASE="postgres://app:hunter2@db/x")
    for part in parts_of(process.pid).values():
        assert b"hunter2" not in part.content, part.name
        assert "hunter2" not in (part.error or "")


def test_what_is_not_switched_on_is_said() -> None:
    """No heap profiler: the part is empty and tells what would switch one on."""
    part = {part.name: part for part in (probe.collect(5.0) for probe in probes_of(own_target()))}["heap_profile"]
    assert part.content == b"" and "MALLOC_CONF" in (part.error or "")


def own_target() -> TargetSettings:
    return TargetSettings("serving", PidPlace(os.getpid()))


def test_a_process_that_has_ended_is_an_error_in_each_part(start: Start) -> None:
    """Nothing is raised; what does not need the process is taken all the same."""
    process = start(SERVER)
    process.kill()
    process.communicate()
    parts = parts_of(process.pid)
    assert parts["smaps_rollup.txt"].error and parts["threads.txt"].error
    assert parts["host_memory.txt"].error is None


def test_a_probe_that_hangs_ends_in_time() -> None:
    """Its part says so, and nobody waits for it any longer."""
    hang = threading.Event()
    began = time.monotonic()
    part = BoundedProbe("slow.txt", lambda seconds: bytes(hang.wait())).collect(0.2)
    assert time.monotonic() - began < 10 * 0.2
    assert part == EvidencePart("slow.txt", b"", "not finished within 0.2 s")
    hang.set()


def test_a_probe_keeps_to_its_size() -> None:
    """What is beyond is cut, and the part says so."""
    part = BoundedProbe("large.txt", lambda seconds: b"x" * 1000, at_most_bytes=10).collect(5.0)
    assert part.content == b"x" * 10
    assert part.error == "cut from 1000 to 10 bytes"


def test_a_probe_never_raises() -> None:
    """Whatever happens inside."""

    def broken(seconds: float) -> bytes:
        raise RuntimeError("no\nluck")

    part = BoundedProbe("broken.txt", broken).collect(5.0)
    assert part.content == b"" and part.error is not None and "\n" not in part.error


def test_the_last_lines_begin_with_a_whole_one(tmp_path: Path) -> None:
    """And without secrets; a pipe in the place of a log does not hold us."""
    log = tmp_path / "serving.log"
    log.write_text("".join(f"line {number} password=hunter2\n" for number in range(20_000)))
    lines = last_lines(str(log)).decode().splitlines()
    assert lines[-1] == "line 19999 password=***"
    assert all(line.startswith("line ") for line in lines)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError):
        last_lines(str(tmp_path / "pipe"))


def test_logs_that_are_named_are_taken(tmp_path: Path) -> None:
    """Also of a target whose processes are elsewhere; two of one name do not collide."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "serving.log").write_text(folder)
    logs = tuple(str(tmp_path / folder / "serving.log") for folder in ("a", "b"))
    target = TargetSettings("serving", PrometheusPlace("http://127.0.0.1:9", "serving"), logs=logs)
    parts = [probe.collect(5.0) for probe in probes_of(target)]
    assert [(part.name, part.content) for part in parts] == [("log_1_serving.log", b"a"), ("log_2_serving.log", b"b")]


def test_what_the_server_says_is_taken_wherever_it_is() -> None:
    """Its page as it is, and each version's state with its error; one that is down is the parts' error."""
    with TfServing().served() as fake:
        fake.load("bert", 3)
        fake.load("bert", 4, ok=False)
        fake.request("bert", 7)
        serving = ServingSettings(ServingKind.TF_SERVING, fake.url + PAGE)
        for place in (PidPlace(os.getpid()), PrometheusPlace("http://127.0.0.1:9", "serving")):
            probes = {one.name: one for one in probes_of(TargetSettings("serving", place, serving))}
            page = probes["metrics_page.txt"].collect(30.0)
            assert b':tensorflow:serving:request_count{model_name="bert",status="OK"}' in page.content
            status = json.loads(probes["model_status.json"].collect(30.0).content)
            assert status == {
                "models": {
                    "bert": [
                        {"version": 4, "state": "END", "error": "NOT_FOUND: no SavedModel there"},
                        {"version": 3, "state": "AVAILABLE", "error": None},
                    ]
                },
                "not_asked": 0,
            }
    for name in ("metrics_page.txt", "model_status.json"):
        assert "refused the connection" in (probes[name].collect(30.0).error or "")


def test_the_files_of_a_cgroup(tmp_path: Path) -> None:
    """Those that are there, each under its name."""
    (tmp_path / "memory.current").write_text("1\n")
    (tmp_path / "memory.events").write_text("oom 1\n")
    assert cgroup_files(str(tmp_path)) == b"== memory.current\n1\n\n== memory.events\noom 1\n\n"


def test_of_a_cgroup_the_largest_process_is_meant(tmp_path: Path, start: Start) -> None:
    """A shell around the server is not what leaks."""
    process = start(SERVER)
    (tmp_path / "memory.current").write_text("1\n")
    with subprocess.Popen(["sleep", "1000"]) as shell:
        (tmp_path / "cgroup.procs").write_text(f"{shell.pid}\n{process.pid}\n")
        target = TargetSettings("serving", CgroupPlace(str(tmp_path)))
        parts = {probe.name: probe for probe in probes_of(target)}
        assert b"import mmap" in parts["command_line.txt"].collect(5.0).content
        shell.kill()


def test_a_heap_profile_is_asked_for_by_the_signal_that_it_listens_to(start: Start, tmp_path: Path) -> None:
    """gperftools' way: HEAPPROFILE and HEAPPROFILESIGNAL."""
    number = str(int(signal.SIGUSR2))
    process = start(PROFILED, HEAPPROFILE=str(tmp_path / "heap"), HEAPPROFILESIGNAL=number)
    (tmp_path / "heap.0001.heap").write_text("old")
    os.utime(tmp_path / "heap.0001.heap", (1, 1))
    assert heap_profile(process.pid, 30.0).startswith(b"heap profile: 1: 48")


def test_a_process_that_does_not_listen_gets_no_signal(start: Start, tmp_path: Path) -> None:
    """It would be its end; the profile that it wrote by itself is taken instead."""
    number = str(int(signal.SIGUSR2))
    process = start(SERVER, HEAPPROFILE=str(tmp_path / "heap"), HEAPPROFILESIGNAL=number)
    (tmp_path / "heap.0001.heap").write_text("old")
    assert not catches(process.pid, signal.SIGUSR2)
    assert heap_profile(process.pid, 5.0) == b"old"
    assert process.poll() is None


def test_the_newest_dump_of_jemalloc_is_taken(start: Start, tmp_path: Path) -> None:
    """jemalloc knows no signal; with prof_prefix it writes by itself."""
    process = start(SERVER, MALLOC_CONF=f"prof:true,lg_prof_interval:30,prof_prefix:{tmp_path}/je")
    with pytest.raises(ValueError, match="has written nothing yet"):
        heap_profile(process.pid, 5.0)
    for number, at in ((0, 50), (1, 100)):
        (tmp_path / f"je.1.{number}.i{number}.heap").write_text(f"dump {number}")
        os.utime(tmp_path / f"je.1.{number}.i{number}.heap", (at, at))
    assert heap_profile(process.pid, 5.0) == b"dump 1"


def test_a_profile_is_no_way_to_another_file(start: Start, tmp_path: Path) -> None:
    """A link in the place of a dump is not followed."""
    process = start(SERVER, MALLOC_CONF=f"prof:true,prof_prefix:{tmp_path}/je")
    (tmp_path / "je.1.0.heap").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="nothing yet"):
        heap_profile(process.pid, 5.0)


def test_stacks_need_a_python_process() -> None:
    """Nothing is tried on another."""
    with subprocess.Popen(["sleep", "1000"]) as sleeper:
        with pytest.raises(ValueError, match="no Python process"):
            stacks(sleeper.pid, 5.0)
        sleeper.kill()


def test_the_state_of_a_process_is_what_playbooks_ask_about(start: Start) -> None:
    """Threads, libraries, arguments, variables of interest, processors, machine; secrets masked."""
    process = start(SERVER, "--enable_batching", MALLOC_ARENA_MAX="2", API_KEY="hunter2")
    state = process_state_of(process.pid)
    assert state.running is True
    assert state.threads == 6
    assert state.arguments is not None and state.arguments[-1] == "--enable_batching"
    assert state.environment is not None and state.environment["MALLOC_ARENA_MAX"] == "2"
    assert "hunter2" not in str(state)
    assert state.libraries is not None and any(name.startswith("libc") for name in state.libraries)
    assert state.arenas is not None
    assert state.cpus is not None and 0 < state.cpus <= (os.cpu_count() or 1)
    assert state.machine == os.uname().machine


def test_the_state_of_a_process_that_has_ended(start: Start) -> None:
    """It does not run, and all else is unknown."""
    process = start(SERVER)
    process.kill()
    process.communicate()
    state = process_state_of(process.pid)
    assert (state.running, state.threads, state.environment) == (False, None, None)


def test_arenas_are_counted(start: Start) -> None:
    """glibc gives each thread that allocates one; with MALLOC_ARENA_MAX=1 all share the first, which has no heap."""
    busy = SERVER.replace("target=wait.wait", "target=lambda: (bytearray(2000), wait.wait())")
    assert (process_state_of(start(busy, PYTHONMALLOC="malloc").pid).arenas or 0) >= 2
    assert process_state_of(start(busy, PYTHONMALLOC="malloc", MALLOC_ARENA_MAX="1").pid).arenas == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_the_state_of_a_process_that_we_may_not_look_into() -> None:
    """What everyone may see is known, the rest is unknown, and nothing is raised."""
    with subprocess.Popen(["sleep", "1000"], user=65533) as other:
        os.seteuid(65534)
        try:
            state = process_state_of(other.pid)
        finally:
            os.seteuid(0)
            other.kill()
    assert (state.running, state.threads) == (True, 1)
    assert state.arguments == ("sleep", "1000")
    assert (state.arenas, state.libraries, state.environment) == (None, None, None)
