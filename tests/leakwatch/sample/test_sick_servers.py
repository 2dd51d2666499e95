"""Whatever a server does to us, a source ends with one clear line, in time, and without filling the memory."""

import json
import resource
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leakwatch.errors import SourceError
from leakwatch.ports import Source
from leakwatch.sample.docker_engine import DockerSource
from leakwatch.sample.pods.api import Api
from leakwatch.sample.pods.source import KubernetesSource
from leakwatch.sample.prometheus_server import PrometheusSource
from leakwatch.settings import KubernetesPlace, PrometheusPlace
from tests.fakes.sick_server import SICKNESSES, Sickness, SickServer

ANSWER_SECONDS = 0.5
ROOM = 10.0


def of_prometheus(port: int, folder: Path) -> Source:
    return PrometheusSource(PrometheusPlace(f"http://someone:s3cret@127.0.0.1:{port}", "serving"))


def of_docker(port: int, folder: Path) -> Source:
    return DockerSource("serving", f"tcp://127.0.0.1:{port}")


def of_kubernetes(port: int, folder: Path) -> Source:
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [cluster],
        "contexts": [context],
    }
    (folder / "config").write_text(json.dumps({**config, "users": [{"name": "u", "user": {"token": "s3cret"}}]}))
    return KubernetesSource(KubernetesPlace("ml", "serving", selector="app=serving"), Api(str(folder / "config")))


SAID = {
    "silent": "no whole answer",
    "dripping": "no whole answer",
    "half": "cut off|no whole answer",  # half a second is soon over on a busy machine
    "garbage": "sends more than|far too large",
    "failing": "500|failed|cut off",  # the server closes at once, and may be faster than its answer
}
"""What has to be in the line; of the others only that it is none of theirs."""

SOURCES = (of_prometheus, of_docker, of_kubernetes)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second instead of four; the limits of size stay as they are."""
    monkeypatch.setattr("leakwatch.sample.prometheus_server.QUERY_SECONDS", ANSWER_SECONDS)
    monkeypatch.setattr("leakwatch.sample.docker_engine.ENGINE_SECONDS", ANSWER_SECONDS)
    monkeypatch.setattr("leakwatch.sample.pods.api.ANSWER_SECONDS", ANSWER_SECONDS)


@pytest.mark.parametrize("sickness", SICKNESSES, ids=lambda sickness: sickness.__name__)
@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
def test_a_sick_server_is_one_clear_line(
    make: Callable[[int, Path], Source], sickness: Sickness, tmp_path: Path
) -> None:
    """Soon, printable, without the password, and never `gone`: the container may be well. Again the next time."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with SickServer(sickness) as server:
        source = make(server.port, tmp_path)
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(SourceError, match=SAID.get(sickness.__name__, "no|none")) as raised:
                source.read(1000.0)
            assert time.monotonic() - began < ROOM
            message = str(raised.value)
            assert message.isprintable() and "; " in message and len(message) < 600
            assert "s3cret" not in message
            assert not raised.value.gone
        source.close()
    grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown_bytes < 250 * 2**20


@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
def test_a_closed_port_is_one_clear_line(make: Callable[[int, Path], Source], tmp_path: Path) -> None:
    """Refused at once, with what to check."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceError) as raised:
        make(port, tmp_path).read(1000.0)
    assert not raised.value.gone
    assert str(raised.value).isprintable()


def test_the_past_is_bounded_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A history that never comes is one line."""
    monkeypatch.setattr("leakwatch.sample.prometheus_server.PAST_SECONDS", ANSWER_SECONDS)
    with SickServer(SICKNESSES[1]) as server:
        source: Any = of_prometheus(server.port, Path())
        with pytest.raises(SourceError, match="no whole answer"):
            source.history(0.0, 3600.0)
