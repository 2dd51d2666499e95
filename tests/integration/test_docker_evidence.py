"""Evidence of a real container: its description, its last lines, and its process."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.docker_engine import DockerSource
from leakwatch.sample.probes.target import pid_of, probes_of
from leakwatch.settings import DockerPlace, TargetSettings
from leakwatch.surroundings import facts_of_states, questions_about

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


def test_the_server_behind_a_shell_is_asked_and_its_deployment_too(engine: Any) -> None:
    """TF Serving's image runs it as the child of a shell: its own flags count, with what the engine was told."""
    server = "import time; kept = bytearray(60_000_000); print(len(kept), flush=True); time.sleep(600)"
    shell = f"import subprocess, sys; subprocess.run(['tensorflow_model_server', '-c', {server!r}, *sys.argv[1:]], "
    command = ["-c", f"{shell}executable=sys.executable)", "--enable_batching"]
    variables = {"MALLOC_ARENA_MAX": "2", "API_TOKEN": "hunter2"}
    box = engine.run(command, python=True, name="lw-around", mem_limit="256m", environment=variables)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not box.logs():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    target = TargetSettings("serving", DockerPlace("lw-around"))
    source = DockerSource("lw-around")
    source.read(time.time())
    states = [state for ask in questions_about(target, source.pid, (), time.time()).values() for state in ask()]
    source.close()
    facts = facts_of_states(states)
    known = {fact.name: fact.value for fact in facts}
    expected = {"server_kind": "tf_serving", "batching_enabled": True, "arenas_capped": True, "limit_known": True}
    assert known.items() >= expected.items() and "hunter2" not in repr(facts)
    box.kill()
    box.wait()
    (deployment,) = questions_about(target, None, (), time.time()).values()
    ended = {fact.name: fact.value for fact in facts_of_states(deployment())}
    assert (ended["process_running"], ended["ended_by"]) == (False, "sigkill")
