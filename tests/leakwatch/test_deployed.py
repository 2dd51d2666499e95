"""How a container is deployed is read from what deploys it, and nothing is made up."""

import math
from pathlib import Path

import pytest

from leakwatch.deployed import deployed
from leakwatch.errors import LeakwatchError
from playbooks.types import Deployment, ProcessState

POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: ranker}
spec:
  replicas: 3
  template:
    spec:
      initContainers:
        - {name: fetch, image: busybox}
      containers:
        - name: serving
          image: tensorflow/serving:2.20.0
          args: [--enable_batching, --grpc_max_threads=16]
          startupProbe: {tcpSocket: {port: 8500}}
          resources: {limits: {memory: 8Gi}, requests: {memory: 2Gi}}
        - {name: proxy, image: envoyproxy/envoy}
"""
COMPOSE = "services:\n  serving:\n    image: tensorflow/serving\n    mem_limit: 4g\n"


@pytest.fixture
def pod(tmp_path: Path) -> str:
    path = tmp_path / "pod.yaml"
    path.write_text(POD)
    return str(path)


def test_a_pod(pod: str) -> None:
    """Limit, request, replicas and probes of the model server, and its flags with those of the stock entrypoint."""
    deployment, process = deployed(pod)
    assert deployment == Deployment(8 * 2**30, 2 * 2**30, 3, startup_probe=True, liveness_probe=False)
    assert process.arguments is not None and process.arguments[0] == "tensorflow_model_server"
    assert {"--grpc_max_threads=16", "--rest_api_port=8501"} < set(process.arguments)
    assert process.threads is None and process.environment is None


def test_another_container(pod: str) -> None:
    """A container without a limit has none, and one that is no model server has no flags that we know."""
    deployment, process = deployed(pod, "proxy")
    assert deployment.limit_bytes == math.inf and deployment.request_bytes is None
    assert process == ProcessState()


def test_compose(tmp_path: Path) -> None:
    """A compose file has a limit and no probes."""
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE)
    deployment, _ = deployed(str(path))
    assert (deployment.limit_bytes, deployment.startup_probe) == (4 * 2**30, None)


def test_what_cannot_be_read(tmp_path: Path, pod: str) -> None:
    """A name that is not there, two servers, a file without a container and none at all are one line each."""
    with pytest.raises(LeakwatchError, match="holds no container 'fetch'; it holds serving, proxy"):
        deployed(pod, "fetch")
    two = tmp_path / "two.yaml"
    two.write_text(POD + "---\n" + POD.replace("name: serving", "name: other"))
    with pytest.raises(LeakwatchError, match="name one with --container"):
        deployed(str(two))
    empty = tmp_path / "empty.yaml"
    empty.write_text("kind: ConfigMap\napiVersion: v1\n")
    with pytest.raises(LeakwatchError, match="holds no container"):
        deployed(str(empty))
    empty.write_text("kind: Pod\napiVersion: v1\nspec: [")
    with pytest.raises(LeakwatchError, match=r"empty\.yaml:\d+: "):
        deployed(str(empty))
    with pytest.raises(LeakwatchError, match="cannot be read"):
        deployed(str(tmp_path / "gone.yaml"))
