"""A real engine's containers are read, restarted and killed."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.docker_engine import DockerSource

MIB = 2**20
DEADLINE_SECONDS = 60.0

HOLD = "kept = bytearray(48 << 20)\nkept[::4096] = b'x' * len(kept[::4096])\nprint('ready', flush=True)\ninput()"


@pytest.fixture
def source(docker_engine: Any) -> Iterator[Any]:
    """Makes sources of that engine, and closes them."""
    made: list[DockerSource] = []

    def one(container: str) -> DockerSource:
        made.append(DockerSource(container, docker_engine.url))
        return made[-1]

    yield one
    for each in made:
        each.close()


def wait_for_log(container: Any, text: bytes) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while text not in container.logs():
        assert time.monotonic() < deadline, container.logs()
        time.sleep(0.05)


def test_a_container_is_measured(docker_engine: Any, source: Any) -> None:
    """Anonymous memory, limit and threads by name; asking takes no two seconds but is not asserted, only its worth."""
    box = docker_engine.run(["-c", HOLD], python=True, name="lw-measured", mem_limit="256m", stdin_open=True)
    wait_for_log(box, b"ready")
    watched = source("lw-measured")
    sample = watched.read(time.time())
    box.reload()
    assert watched.pid == box.attrs["State"]["Pid"]
    assert 48 * MIB <= sample.values["anon_bytes"] < 80 * MIB
    assert sample.values["limit_bytes"] == 256 * MIB
    assert sample.values["working_set_bytes"] >= sample.values["anon_bytes"]
    assert sample.values["threads"] >= 1
    assert sample.values["cpu_seconds_total"] > 0
    assert sample.values["oom_kills_total"] == 0
    assert sample.life is not None and box.id[:12] in sample.life


def test_a_restart_is_another_life(docker_engine: Any, source: Any) -> None:
    """Also one by hand, which leaves the engine's own count at 0."""
    box = docker_engine.run(["sleep", "1000"], name="lw-restarted")
    watched = source("lw-restarted")
    life = watched.read(time.time()).life
    assert watched.read(time.time()).life == life
    box.restart(timeout=0)
    assert watched.read(time.time()).life != life


def test_a_container_without_a_limit_has_none(docker_engine: Any, source: Any) -> None:
    """The engine names the host's memory in its place; we do not."""
    docker_engine.run(["sleep", "1000"], name="lw-unlimited")
    assert source("lw-unlimited").read(time.time()).values["limit_bytes"] == 0


def test_a_kill_for_want_of_memory_is_counted_once(docker_engine: Any, source: Any) -> None:
    """Its end is one last sample, without memory; then it is `gone` with its reason, and the count goes on."""
    box = docker_engine.run(
        ["sh", "-c", "read go; exec tail /dev/zero"], name="lw-killed", mem_limit="64m", stdin_open=True
    )
    watched = source("lw-killed")
    before = watched.read(time.time())
    with box.attach_socket(params={"stdin": 1, "stream": 1})._sock as stdin:
        stdin.sendall(b"go\n")
        assert box.wait(timeout=DEADLINE_SECONDS)["StatusCode"] == 137
    last = watched.read(time.time())
    assert (last.values["oom_kills_total"], last.life) == (before.values["oom_kills_total"] + 1, before.life)
    assert "anon_bytes" not in last.values
    with pytest.raises(SourceError, match=r"exit status 137, killed for want of memory") as raised:
        watched.read(time.time())
    assert raised.value.gone
    box.start()
    after = watched.read(time.time())
    assert after.values["oom_kills_total"] == before.values["oom_kills_total"] + 1
    assert watched.read(time.time()).values["oom_kills_total"] == after.values["oom_kills_total"]
    assert after.life != before.life


def test_a_killed_child_is_counted_once(docker_engine: Any, source: Any) -> None:
    """The container lives on; the engine repeats its last event at every look, the count does not."""
    command = ["sh", "-c", "read go; tail /dev/zero; echo survived; sleep 1000"]
    box = docker_engine.run(command, name="lw-child", mem_limit="64m", stdin_open=True)
    watched = source("lw-child")
    before = watched.read(time.time())
    with box.attach_socket(params={"stdin": 1, "stream": 1})._sock as stdin:
        stdin.sendall(b"go\n")
        wait_for_log(box, b"survived")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (after := watched.read(time.time())).values["oom_kills_total"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert after.life == before.life
    assert [watched.read(time.time()).values["oom_kills_total"] for _ in range(3)] == [1, 1, 1]


def test_what_does_not_exist_is_gone(source: Any) -> None:
    """One line, and it may come yet."""
    with pytest.raises(SourceError, match="there is no container 'lw-nothing'") as raised:
        source("lw-nothing").read(time.time())
    assert raised.value.gone


def test_an_engine_that_is_not_there_is_said(tmp_path: Path) -> None:
    """One line that names the remedy."""
    with pytest.raises(SourceError, match="no engine answers; start it, or set DOCKER_HOST"):
        DockerSource("x", f"unix://{tmp_path}/no.sock").read(time.time())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_socket_that_we_may_not_open_is_said(docker_engine: Any) -> None:
    """The usual trouble of the first day: not in the group docker."""
    os.seteuid(65534)
    try:
        with pytest.raises(SourceError, match="may not be opened; join the group docker"):
            DockerSource("x", docker_engine.url).read(time.time())
    finally:
        os.seteuid(0)
