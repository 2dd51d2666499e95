"""Which backends a target has follows from its place and the settings."""

import subprocess
import sys
from pathlib import Path

import pytest

from leakwatch.act.backends import restarters
from leakwatch.clock import SystemClock
from leakwatch.settings import (
    ActSettings,
    Backend,
    CgroupPlace,
    DockerPlace,
    KubernetesPlace,
    PidPlace,
    Place,
    ProcessPlace,
    PrometheusPlace,
    ServingKind,
    ServingSettings,
    TargetSettings,
)

POLLED = ServingSettings(ServingKind.TF_SERVING, "http://127.0.0.1:8501/metrics", None, "/models/models.config")
PAGE_ONLY = ServingSettings(ServingKind.TF_SERVING, "http://127.0.0.1:8501/metrics")
TRITON = ServingSettings(ServingKind.TRITON, "http://127.0.0.1:8002/metrics", None, "/models/models.config")


@pytest.mark.parametrize(
    ("place", "backend", "serving", "expected"),
    [
        (ProcessPlace("tensorflow_mode"), Backend.AUTO, None, ["process"]),
        (PidPlace(4711), Backend.AUTO, PAGE_ONLY, ["process"]),
        (CgroupPlace("/sys/fs/cgroup/x"), Backend.PROCESS, TRITON, ["process"]),
        (DockerPlace("serving"), Backend.AUTO, POLLED, ["tf_serving", "docker"]),
        (DockerPlace("serving"), Backend.PROCESS, None, []),
        (DockerPlace("serving"), Backend.TF_SERVING, POLLED, ["tf_serving"]),
        (DockerPlace("serving"), Backend.TF_SERVING, PAGE_ONLY, []),
        (KubernetesPlace("ml", "serving", selector="app=x"), Backend.AUTO, None, ["kubernetes"]),
        (KubernetesPlace("ml", "serving", pod="x"), Backend.DOCKER, None, []),
        (PrometheusPlace("http://p", "serving", "pod-a", "ml"), Backend.AUTO, None, ["kubernetes"]),
        (PrometheusPlace("http://p", "serving"), Backend.AUTO, None, []),
    ],
)
def test_backends_of_a_target(
    place: Place, backend: Backend, serving: ServingSettings | None, expected: list[str], tmp_path: Path
) -> None:
    """The cheapest first; none where the place cannot be acted on by the backend that is asked for."""
    target = TargetSettings("serving", place, serving)
    made = restarters(target, ActSettings(backend=backend), SystemClock(), tmp_path)
    assert [one.name for one in made] == expected


@pytest.mark.parametrize("place", ["DockerPlace('x')", "KubernetesPlace('ml', 'x', pod='x')", "PidPlace(1)"])
def test_a_backend_costs_nothing_until_it_is_used(place: str) -> None:
    """Making one imports no client: an agent that never acts does not pay for them."""
    script = (
        "import sys; from pathlib import Path;"
        "from leakwatch.act.backends import restarters; from leakwatch.act.acting import Acting;"
        "from leakwatch.settings import *; from leakwatch.clock import SystemClock;"
        f"assert restarters(TargetSettings('x', {place}), ActSettings(), SystemClock(), Path('.'));"
        "late = {'docker', 'grpc', 'kubernetes', 'psutil', 'zstandard', 'numpy.testing'} & set(sys.modules);"
        "assert not late, late"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[3], timeout=60)
