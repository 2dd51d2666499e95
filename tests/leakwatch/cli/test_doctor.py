"""`leakwatch doctor` tells what can be seen, what cannot, and what would mend it."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leakwatch.examination import Check, Examination, SourceSight, TargetSight
from leakwatch.sample.rights import folder_can_be_written, model_can_be_reloaded, process_can_be_seen
from leakwatch.settings import ServingKind, ServingSettings
from leakwatch.tell.examination_screen import render
from tests.fakes.kubernetes_api import KubernetesApi


def doctor(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "leakwatch", "doctor", *arguments]
    whole = {**os.environ, "COLUMNS": "100", **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=whole)


def document(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = doctor(*arguments, "-o", "json")
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)


def checks_of(target: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["what"]: check for check in target["checks"]}


def test_a_process_that_can_be_watched() -> None:
    """Its numbers, what is hidden, and what a verdict would lack; status 0."""
    status, told = document("--pid", str(os.getpid()))
    assert status == 0
    [target] = told["targets"]
    assert target["can_be_watched"] is True
    assert target["sources"][0]["name"] == "process"
    assert target["sources"][0]["values"]["anon_bytes"] > 0
    checks = checks_of(target)
    assert checks["anonymous memory"]["fine"] is True
    assert checks["environment"]["fine"] is True
    assert "metrics_url" in checks["requests"]["fix"]


def test_what_is_not_there_is_said_with_its_remedy() -> None:
    """A process, a page, a log: each with one line and one fix; status 10."""
    page = ["--serving", "tf_serving", "--metrics-url", "http://127.0.0.1:9/metrics"]
    done = doctor("--process", "lw_nothing_of_tests", *page)
    assert done.returncode == 10
    assert "✗ process           no process is called 'lw_nothing_of_tests'" in done.stdout
    assert "shareProcessNamespace: true" in done.stdout
    assert "✗ tf_serving        http://127.0.0.1:9/metrics: refused the connection" in done.stdout


def test_the_targets_of_the_settings_are_looked_at(tmp_path: Path) -> None:
    """Each in turn, with its logs and its own limit."""
    log = tmp_path / "serving.log"
    log.write_text("up\n")
    settings = tmp_path / "agent.yaml"
    settings.write_text(
        f"state_dir: {tmp_path}\ntargets:\n"
        f"  - {{name: one, pid: {os.getpid()}, limit: 8GiB, logs: [{log}, {tmp_path}/none.log]}}\n"
        f"  - {{name: two, cgroup: {tmp_path}/none}}\n"
    )
    status, told = document("--config", str(settings))
    assert status == 10
    one, two = told["targets"]
    assert [target["name"] for target in told["targets"]] == ["one", "two"]
    assert checks_of(one)["limit"]["fine"] is True
    assert [check["fine"] for check in one["checks"] if check["what"] == "log"] == [True, False]
    assert two["can_be_watched"] is False
    assert "there is no folder" in two["sources"][0]["error"]


def test_without_a_target_it_tells_what_may_be_done_here() -> None:
    """User and capabilities, cgroups, kernel log, processes."""
    status, told = document()
    assert status == 0
    assert told["targets"] == []
    assert {check["what"] for check in told["here"]} >= {"user", "cgroups", "kernel log", "processes"}


def test_two_places_are_wrong_usage() -> None:
    """One line, status 2."""
    done = doctor("--pid", "1", "--cgroup", "/x")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_user_is_told_which_right_is_missing() -> None:
    """Maps, environment and signals of a process that is somebody else's, with the line for the manifest."""
    with subprocess.Popen(["sleep", "1000"], user=65533) as other:
        os.seteuid(65534)
        try:
            checks = {check.what: check for check in process_can_be_seen(other.pid)}
        finally:
            os.seteuid(0)
            other.kill()
    for what, right in (("mappings", "SYS_PTRACE"), ("environment", "SYS_PTRACE"), ("signals", "KILL")):
        assert checks[what].fine is False
        assert right in (checks[what].fix or "")


def test_an_engine_that_does_not_answer_is_said(tmp_path: Path) -> None:
    """Only where there is something of Docker to ask."""
    done = doctor(DOCKER_HOST=f"unix://{tmp_path}/no.sock")
    assert "✗ docker            no engine answers" in done.stdout


def test_a_state_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Without it an agent would not start; a file in its place is none."""
    (tmp_path / "file").write_text("")
    assert folder_can_be_written(str(tmp_path / "file" / "state")).fine is False
    assert folder_can_be_written(str(tmp_path / "new" / "state")).fine is True
    assert not (tmp_path / "new").exists()


def test_what_a_model_reload_lacks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By gRPC: the config, the package and a port that listens; by an edit: a folder that can be written."""
    config, link = tmp_path / "models.config", tmp_path / "mounted.config"

    def said(path: Path, address: str | None = None, kind: ServingKind = ServingKind.TF_SERVING) -> tuple[Any, ...]:
        serving = ServingSettings(kind, "http://127.0.0.1:1/m", None, str(path), address)
        return tuple((check.fine, check.detail) for check in model_can_be_reloaded(serving))

    assert said(config) == ((False, f"{config} cannot be read"),)
    config.write_text("model_config_list { }")
    link.symlink_to(config)
    assert said(config) == ((True, f"{config} can be edited, where the server polls it"),)
    assert said(link) == ((False, f"{link} cannot be replaced"),)
    assert said(config, kind=ServingKind.TRITON) == ()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "grpc" else found(name))
        assert said(link, address) == ((False, "the package grpcio is not installed"),)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
        assert said(link, address) == ((True, f"by gRPC at {address}"),)
    assert said(link, address) == ((False, f"{address}: Connection refused"),)


SCREEN = """\
Here
  · user              user 1000, with none of SYS_PTRACE, KILL, SYSLOG

serving  cgroup /box
  ✓ cgroup            anon 600 MiB, limit 2 GiB  (1 ms)
  · cannot see        memory pressure: boot the kernel with psi=1
  ✗ tf_serving        refused
                    → check the port
  ✓ limit             seen
"""


def test_the_screen() -> None:
    """What was found, a mark before it, and below it what mends it."""
    here = (Check("user", None, "user 1000, with none of SYS_PTRACE, KILL, SYSLOG"),)
    memory = {"anon_bytes": 600.0 * 2**20, "limit_bytes": 2.0 * 2**30}
    cgroup = SourceSight("cgroup", 0.001, memory, ("memory pressure: boot the kernel with psi=1",))
    page = SourceSight("tf_serving", 0.1, error="refused; check the port")
    target = TargetSight("serving", "cgroup /box", (cgroup, page), (Check("limit", True, "seen"),))
    shown = render(Examination(here, (target,)), width=72, colour=False)
    assert shown == SCREEN


def test_names_cannot_write_on_the_screen() -> None:
    """What comes from outside is shown, not obeyed."""
    source = SourceSight("docker", 0.1, error="x\x1b[31m[bold]; y\n")
    target = TargetSight("[red]name\x1b[2J", "docker \x07", (source,), (Check("log", False, "a\rb", "c\td"),))
    shown = render(Examination((), (target,)), width=80, colour=False)
    assert "\x1b" not in shown and "\x07" not in shown and "\r" not in shown
    assert "[red]name" in shown and "[bold]" in shown


def test_the_page_of_a_pod_is_asked_for_at_the_pods_own_address(kubernetes_api: KubernetesApi, tmp_path: Path) -> None:
    """{pod_ip} is the address of the first pod of the selector, as an agent would ask."""
    kubernetes_api.cluster.add_deployment("ml", "serving", replicas=1)
    kubernetes_api.cluster.wait_for(lambda: kubernetes_api.cluster.ready_pods("ml", "app=serving"))
    config = tmp_path / "agent.yaml"
    config.write_text(
        f"state_dir: {tmp_path}/state\ntargets:\n- name: one\n"
        "  kubernetes: {namespace: ml, selector: app=serving, container: serving}\n"
        "  serving: {kind: tf_serving, metrics_url: 'http://{pod_ip}:1/metrics'}\n"
    )
    kubeconfig = str(kubernetes_api.kubeconfig(tmp_path / "kubeconfig"))
    done = doctor("--config", str(config), "-o", "json", KUBECONFIG=kubeconfig)
    [target] = json.loads(done.stdout)["targets"]
    assert "http://127.0.0.1:1/metrics: refused the connection" in target["sources"][1]["error"]
