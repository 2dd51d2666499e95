"""Real memory cgroups of this host, and a container's seen from its neighbour in a shared process namespace."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.cgroups.find import folder_of_name, folder_of_pid
from leakwatch.sample.cgroups.source import CgroupSource
from leakwatch.sample.processes.source import ProcessSource
from leakwatch.sample.sources import source_of
from leakwatch.settings import CgroupPlace, TargetSettings

MIB = 2**20
DEADLINE_SECONDS = 60.0
PROJECT = Path(__file__).parents[2]

GROWS = """
import sys
kept = []
for line in sys.stdin:
    kept.append(bytearray(int(line) << 20))
    kept[-1][::4096] = b"x" * len(kept[-1][::4096])
    print(len(kept), flush=True)
"""

Start = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process in a cgroup; it takes as many MiB as it is told, line by line."""
    running: list[subprocess.Popen[str]] = []

    def one(cgroup: Path) -> "subprocess.Popen[str]":
        joined = f"open({str(cgroup / 'cgroup.procs')!r}, 'w').write('0'){GROWS}"
        command = [sys.executable, "-c", joined]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        grow(process, 1)
        return process

    yield one
    for process in running:
        process.kill()
        process.communicate()


def grow(process: "subprocess.Popen[str]", mib: int) -> bool:
    """Whether it took them; False where it was killed for it."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{mib}\n")
    process.stdin.flush()
    return process.stdout.readline() != ""


def test_growth_and_kill_in_a_cgroup(memory_cgroup: Callable[..., Path], start: Start) -> None:
    """Every MiB that a process takes is anonymous memory; its kill by the kernel is counted; the limit is the limit."""
    box = memory_cgroup(limit_bytes=128 * MIB)
    process = start(box)
    source = CgroupSource(lambda: str(box))
    before = source.read(1.0).values
    assert before["limit_bytes"] == 128 * MIB
    assert grow(process, 40)
    assert source.pid == process.pid
    after = source.read(2.0).values
    assert after["anon_bytes"] - before["anon_bytes"] == pytest.approx(40 * MIB, abs=2 * MIB)
    assert after["usage_bytes"] >= after["working_set_bytes"] >= after["anon_bytes"]
    assert after["oom_kills_total"] == 0
    assert not grow(process, 200)
    assert process.wait(DEADLINE_SECONDS) == -signal.SIGKILL
    dead = source.read(3.0).values
    assert dead["oom_kills_total"] == 1
    assert dead["limit_hits_total"] > after["limit_hits_total"]
    assert dead["peak_bytes"] >= 120 * MIB
    source.close()


def test_a_process_has_the_numbers_of_its_own_cgroup(memory_cgroup: Callable[..., Path], start: Start) -> None:
    """Limit, page cache and kills come along; kernel memory too. Its cgroup is found by pid and by name."""
    box = memory_cgroup(limit_bytes=512 * MIB, name="lw-own-box")
    process = start(box)
    assert folder_of_pid(process.pid) == str(box)
    assert folder_of_name("lw-own-box") == str(box)
    source = ProcessSource(lambda: process.pid)
    sample = source.read(1.0)
    assert sample.values["limit_bytes"] == 512 * MIB
    assert sample.values["oom_kills_total"] == 0
    assert {"file_bytes", "kernel_bytes", "threads", "open_fds"} <= sample.values.keys()
    source.close()


def test_a_cgroup_that_others_share_gives_only_its_limit(memory_cgroup: Callable[..., Path], start: Start) -> None:
    """Memory is the process's own then, and `blind_to` says what is missing."""
    box = memory_cgroup(limit_bytes=512 * MIB)
    process, other = start(box), start(box)
    assert grow(other, 100)
    source = ProcessSource(lambda: process.pid)
    values = source.read(1.0).values
    assert values["anon_bytes"] < 50 * MIB
    assert values["limit_bytes"] == 512 * MIB
    assert "usage_bytes" not in values and "oom_kills_total" not in values
    assert any("other processes share its cgroup" in sentence for sentence in source.blind_to)
    source.close()


def test_who_is_passing_through_does_not_count(
    memory_cgroup: Callable[..., Path], start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A health probe runs in the container for a moment; for its sake the cgroup is not given up for a whole life."""
    monkeypatch.setattr("leakwatch.sample.processes.life.PASSING_SECONDS", 2.0)
    box = memory_cgroup(limit_bytes=512 * MIB)
    process = start(box)
    joined = f"import time; open({str(box / 'cgroup.procs')!r}, 'w').write('0'); print(flush=True); time.sleep(0.2)"
    with subprocess.Popen([sys.executable, "-c", joined], stdout=subprocess.PIPE) as probe:
        assert probe.stdout is not None
        probe.stdout.readline()
        source = ProcessSource(lambda: process.pid)
        assert "usage_bytes" in source.read(1.0).values
        source.close()


PARENT = """
import subprocess, sys
kept = bytearray({mib} << 20)
kept[::4096] = b"x" * len(kept[::4096])
child = subprocess.Popen(["sleep", "1000"])
print(child.pid, flush=True)
sys.stdin.read()
child.kill()
"""


@pytest.mark.parametrize(("mib", "own"), [(1, True), (64, False)], ids=["a shell", "a server of its own"])
def test_who_started_it_counts_only_where_it_is_small(memory_cgroup: Callable[..., Path], mib: int, own: bool) -> None:
    """A wrapper in the same container does no harm; a large parent's memory must not be taken for the process's."""
    box = memory_cgroup(limit_bytes=512 * MIB)
    joined = f"open({str(box / 'cgroup.procs')!r}, 'w').write('0'){PARENT.format(mib=mib)}"
    command = [sys.executable, "-c", joined]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        source = ProcessSource(lambda: pid)
        values = source.read(1.0).values
        source.close()
        parent.communicate()
    assert ("usage_bytes" in values) is own
    assert values["anon_bytes"] < 32 * MIB


def test_a_limit_above_counts(memory_cgroup: Callable[..., Path]) -> None:
    """The pod's limit is tighter than the container's."""
    memory_cgroup(limit_bytes=64 * MIB, name="pod")
    box = memory_cgroup(limit_bytes=128 * MIB, name="pod/box")
    assert CgroupSource(lambda: str(box)).read(1.0).values["limit_bytes"] == 64 * MIB


def test_a_cgroup_removed_and_made_anew_is_another_life(memory_cgroup: Callable[..., Path]) -> None:
    """The kernel gives the new one another inode, although the path is the same."""
    box = memory_cgroup()
    source = source_of(TargetSettings("box", CgroupPlace(str(box)), limit_bytes=77))
    first = source.read(1.0)
    assert first.values["limit_bytes"] == 77
    assert source.read(2.0).life == first.life
    box.rmdir()
    with pytest.raises(SourceError) as raised:
        source.read(3.0)
    assert raised.value.gone
    box.mkdir()
    assert source.read(4.0).life not in (None, first.life)
    source.close()


SIDECAR = """
import json, sys, time
from leakwatch.sample.sources import source_of
from leakwatch.settings import ProcessPlace, TargetSettings
source = source_of(TargetSettings("serving", ProcessPlace("tail")))
sample = source.read(time.time())
with open("/sys/fs/cgroup/memory/memory.limit_in_bytes") as file:
    own = int(file.read())
print(json.dumps([dict(sample.values), source.blind_to, own]))
"""


def test_a_sidecar_sees_its_neighbour(docker_engine: Any) -> None:
    """Two containers, one process namespace: the neighbour's limit and memory are read, not the sidecar's own."""
    serving = docker_engine.run(["tail", "-f", "/dev/null"], mem_limit="96m")
    options: dict[str, Any] = {"pid_mode": f"container:{serving.id}", "mem_limit": "300m"}
    options["volumes"] = {str(PROJECT): {"bind": str(PROJECT), "mode": "ro"}}
    options["environment"] = {"PYTHONPATH": str(PROJECT), "OPENBLAS_NUM_THREADS": "1"}
    sidecar = docker_engine.run(["-c", SIDECAR], python=True, **options)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while sidecar.reload() or sidecar.status != "exited":
        assert time.monotonic() < deadline, sidecar.logs()
        time.sleep(0.1)
    said = sidecar.logs().decode()
    values, blind_to, own = json.loads(said.splitlines()[-1])
    assert own == 300 * MIB
    assert values["limit_bytes"] == 96 * MIB, blind_to
    assert values["usage_bytes"] < 20 * MIB
    assert values["anon_bytes"] < values["usage_bytes"]
    assert values["threads"] == 1


def test_its_own_cgroup_can_be_watched() -> None:
    """leakwatch run on leakwatch."""
    source = CgroupSource(lambda: folder_of_pid(os.getpid()))
    try:
        sample = source.read(1.0)
    except SourceError as error:
        pytest.skip(f"needs a memory cgroup that can be seen: {error}")
    assert sample.values["usage_bytes"] > 0
