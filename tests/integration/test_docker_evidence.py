"""Evidence of a real container: its description, its last lines, and its process."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.probes.target import pid_of, probes_of
from leakwatch.settings import DockerPlace, TargetSettings

DEADLINE_SECONDS = 60.0


@pytest.fixture
def engine(docker_engine: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The engine as everybody finds it: by DOCKER_HOST."""
    monkeypatch.setenv("DOCKER_HOST", docker_engine.url)
    yield docker_engine


def test_a_container_tells_of_itself(engine: Any) -> None:
    """Inspected, with its secrets masked; its log with times; its process found on this host."""
    command = ["sh", "-c", "echo started with password=hunter2; sleep 1000; true"]
    variables = {"API_TOKEN": "hunter2", "MALLOC_ARENA_MAX": "2"}
    box = engine.run(command, name="lw-evidence", environment=variables)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not box.logs():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    target = TargetSettings("serving", DockerPlace("lw-evidence"))
    parts = {part.name: part for part in (probe.collect(10.0) for probe in probes_of(target))}
    assert all(b"hunter2" not in part.content for part in parts.values())
    described = json.loads(parts["container.json"].content)
    assert "MALLOC_ARENA_MAX=2" in described["Config"]["Env"]
    assert described["State"]["Running"] is True
    assert b"started with password=***" in parts["container.log"].content
    assert b"sleep" in parts["command_line.txt"].content
    assert b"memory." in parts["cgroup.txt"].content


def test_a_container_that_does_not_run_has_no_process(engine: Any) -> None:
    """Gone, in one line; what the engine knows is still taken."""
    engine.run(["true"], name="lw-ended").wait()
    with pytest.raises(SourceError, match="does not run") as raised:
        pid_of(DockerPlace("lw-ended"))
    assert raised.value.gone
    target = TargetSettings("serving", DockerPlace("lw-ended"))
    parts = {part.name: part for part in (probe.collect(10.0) for probe in probes_of(target))}
    assert json.loads(parts["container.json"].content)["State"]["ExitCode"] == 0
    assert "does not run" in (parts["status.txt"].error or "")
