"""Each place of the settings has its source, and none costs more than it must."""

import subprocess
import sys

import pytest

from leakwatch.ports import History, Source
from leakwatch.sample.sources import history_of, source_of, sources_of
from leakwatch.settings import (
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

PLACES: dict[str, Place] = {
    "cgroup": CgroupPlace("/sys/fs/cgroup/x"),
    "process": ProcessPlace("tensorflow_mode"),
    "docker": DockerPlace("serving"),
    "kubernetes": KubernetesPlace("ml", "serving", selector="app=serving"),
    "prometheus": PrometheusPlace("http://127.0.0.1:9", "serving"),
}

HEAVY = ("docker", "kubernetes", "prometheus_api_client", "requests", "urllib3", "scipy", "prometheus_client", "pandas")

READS_ITSELF = f"""
import os, sys
from leakwatch.sample.poller import Poller
from leakwatch.sample.sources import source_of
from leakwatch.settings import PidPlace, TargetSettings
source_of(TargetSettings("itself", PidPlace(os.getpid()))).read(1000.0)
print([name for name in {HEAVY!r} if name in sys.modules])
"""


@pytest.mark.parametrize("name", PLACES)
def test_each_place_has_a_source_of_its_name(name: str) -> None:
    """Nothing is opened or asked before the first look, so that a target that is not there yet can be set up."""
    source: Source = source_of(TargetSettings("serving", PLACES[name]))
    assert source.name == name
    assert isinstance(source.blind_to, tuple)
    source.close()


def test_a_pid_is_a_process() -> None:
    """Both are read by the same source."""
    assert source_of(TargetSettings("serving", PidPlace(1))).name == "process"


def test_a_model_servers_page_is_a_second_source() -> None:
    """Memory first, then the page."""
    serving = ServingSettings(ServingKind.TF_SERVING, "http://127.0.0.1:9/metrics")
    names = [source.name for source in sources_of(TargetSettings("serving", PLACES["cgroup"], serving=serving))]
    assert names == ["cgroup", "tf_serving"]


def test_prometheus_alone_knows_the_past() -> None:
    """Whoever asks another place for it gets None, not an error."""
    histories: dict[str, History | None] = {name: history_of(TargetSettings("x", PLACES[name])) for name in PLACES}
    assert [name for name, history in histories.items() if history is not None] == ["prometheus"]


def test_reading_files_imports_no_client() -> None:
    """The agent beside a model server pays for psutil, and for no library of another place."""
    done = subprocess.run([sys.executable, "-c", READS_ITSELF], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
