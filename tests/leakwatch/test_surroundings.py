"""What the agent asks around a target is what a person is told by hand: over the real protocols, nothing made up."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from leakwatch.errors import SourceError
from leakwatch.settings import (
    KubernetesPlace,
    PidPlace,
    PrometheusPlace,
    ServingKind,
    ServingSettings,
    TargetSettings,
)
from leakwatch.surroundings import facts_of_states, questions_about
from leakwatch.trace import Target, Trace
from playbooks.types import Deployment, Value
from tests.fakes.kubernetes_api import KubernetesApi
from tests.fakes.sick_server import SickServer, silent
from tests.fakes.tf_serving import PAGE, TfServing

NOW = 1_790_000_000.0
FLAGS = ("--enable_batching", "--grpc_max_threads=16", "--model_config_file=/m.config")
USUAL_KUBECONFIG = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
SECRET = "hunter2-was-planted-here"


def told(target: TargetSettings, pid: int | None = None, models: tuple[str, ...] = ()) -> dict[str, Value | None]:
    """Every fact that can be had from here."""
    states = [state for ask in questions_about(target, pid, models, NOW).values() for state in ask()]
    return {fact.name: fact.value for fact in facts_of_states(states)}


@pytest.fixture
def server_process() -> Iterator[int]:
    """A process with a model server's command line, threads and environment."""
    program = "import threading, time; [threading.Thread(target=time.sleep, args=(600,)).start() for _ in range(40)]"
    command = ["tensorflow_model_server", "-c", f"{program}; print(flush=True); time.sleep(600)", *FLAGS]
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2", "TF_ENABLE_ONEDNN_OPTS": "0", "API_TOKEN": SECRET}
    process = subprocess.Popen(command, executable=sys.executable, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.kill()
    process.wait()


def test_a_process_shows_its_flags_environment_and_threads(server_process: int) -> None:
    """Flags of the running command line, its environment, threads, allocator; no secret of it in any sentence."""
    target = TargetSettings("serving", PidPlace(server_process))
    states = [state for ask in questions_about(target, server_process, (), NOW).values() for state in ask()]
    facts = facts_of_states(states)
    known = {fact.name: fact.value for fact in facts}
    expected = {"server_kind": "tf_serving", "batching_enabled": True, "grpc_threads_capped": True}
    expected |= {"config_polled": False, "arenas_capped": True, "onednn_enabled": False, "process_running": True}
    assert known.items() >= expected.items()
    assert {"allocator", "arenas"} < known.keys() and float(known["threads_per_cpu"] or 0) > 1
    assert SECRET not in repr(facts)


def test_a_server_is_asked_for_its_models(tmp_path: Path) -> None:
    """Those of its page, those that the caller knows and those of the model config, of which one never loaded."""
    config = tmp_path / "models.config"
    config.write_text('model_config_list { config { name: "never" base_path: "/models/never" } }')
    server = TfServing()
    server.load("resnet", 1)
    server.load("bert", 3, ok=False)
    with server.served():
        serving = ServingSettings(ServingKind.TF_SERVING, server.url + PAGE, model_config_file=str(config))
        known = told(TargetSettings("serving", PidPlace(7), serving), models=("resnet", "bert"))
    expected = {"server_kind": "tf_serving", "server_answers": True, "models_missing": 1, "versions_failed": 1}
    assert known.items() >= {**expected, "load_error": "not_found", "load_failures": 1}.items()
    serving = ServingSettings(ServingKind.TF_SERVING, server.url + PAGE)
    refused = told(TargetSettings("serving", PidPlace(7), serving))
    assert refused == {"server_kind": "tf_serving", "server_answers": False}


def test_a_server_that_hangs_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is not waited for longer than for a page, and nothing is told of it."""
    monkeypatch.setattr("leakwatch.sample.serving.page.PAGE_SECONDS", 0.2)
    with SickServer(silent) as sick:
        serving = ServingSettings(ServingKind.TF_SERVING, f"http://127.0.0.1:{sick.port}/")
        (ask,) = questions_about(TargetSettings("serving", PidPlace(7), serving), None, (), NOW).values()
        with pytest.raises(SourceError, match="no whole answer"):
            ask()


def test_a_pod_tells_how_it_is_deployed(
    kubernetes_api: KubernetesApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flags, limit, request, probes and how many others serve; with fewer rights what they let one see."""
    cluster = kubernetes_api.cluster
    cluster.add_deployment(
        "ml",
        "serving",
        replicas=3,
        args=list(FLAGS),
        resources={"limits": {"memory": "512Mi"}, "requests": {"memory": "128Mi"}},
        livenessProbe={"tcpSocket": {"port": 8501}},
    )
    cluster.wait_for(lambda: len(cluster.ready_pods("ml")) == 3)
    pod = cluster.ready_pods("ml")[0]["metadata"]["name"]
    monkeypatch.setattr(USUAL_KUBECONFIG, str(kubernetes_api.kubeconfig(tmp_path / "kubeconfig")))
    expected = {"limit_known": True, "request_limit_ratio": 0.25, "startup_probe": False, "liveness_probe": True}
    expected |= {"batching_enabled": True, "server_kind": "tf_serving"}
    place = KubernetesPlace("ml", "serving", selector="app=serving")
    assert told(TargetSettings("serving", place)).items() >= {**expected, "replicas": 3}.items()

    cluster.accounts["one"] = ("one", (("", "pods", "get"),))
    monkeypatch.setattr(USUAL_KUBECONFIG, str(kubernetes_api.kubeconfig(tmp_path / "one", token="one")))
    by_name = told(TargetSettings("serving", KubernetesPlace("ml", "serving", pod=pod)))
    assert by_name.items() >= expected.items() and "replicas" not in by_name


@pytest.mark.parametrize("name", ["web", "whatever it is called"])
def test_a_manifest_tells_how_it_is_deployed(tmp_path: Path, name: str) -> None:
    """Beside a sidecar no cluster is asked: the container of the target's name counts, else the model server."""
    path = tmp_path / "compose.yaml"
    path.write_text(
        "services:\n  web: {image: tensorflow/serving, mem_limit: 4g}\n  proxy: {image: envoyproxy/envoy}\n"
    )
    known = told(TargetSettings(name, PidPlace(7), manifest=str(path)))
    assert known["limit_known"] is True and known["server_kind"] == "tf_serving"


def test_nothing_is_asked_where_nobody_can_answer() -> None:
    """Series of a Prometheus have neither process nor manifest here."""
    assert not questions_about(TargetSettings("x", PrometheusPlace("http://p", "x")), None, (), NOW)


def test_a_measured_limit_goes_before_a_planned_one() -> None:
    """A manifest without a limit does not undo one that the kernel enforces, as that of a pod's slice."""
    trace = Trace(Target("x"), np.array([1.0, 2.0]), {"anon_bytes": np.array([1.0, 2.0])}, 2.0**30)
    known = {fact.name: fact.value for fact in facts_of_states((Deployment(limit_bytes=float("inf")),), trace)}
    assert known["limit_known"] is True
