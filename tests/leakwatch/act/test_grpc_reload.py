"""One model is reloaded by gRPC, whose every call carries the whole config: the other models are never left."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

grpc = pytest.importorskip("grpc", reason="needs grpcio")

from leakwatch.act.acting import Acting  # noqa: E402
from leakwatch.act.decision import Ruling, What  # noqa: E402
from leakwatch.act.tf_serving import ModelReloader  # noqa: E402
from leakwatch.clock import SystemClock  # noqa: E402
from leakwatch.errors import ActError  # noqa: E402
from leakwatch.ports import Action  # noqa: E402
from leakwatch.settings import ActSettings, ServingKind, ServingSettings  # noqa: E402
from playbooks.types import Action as Remedy  # noqa: E402
from tests.fakes.acting import healthy, leaking  # noqa: E402
from tests.fakes.model_server import ModelServer  # noqa: E402
from tests.fakes.model_service import ModelService  # noqa: E402

CONFIG = """model_config_list {
  config { name: "a" base_path: "/m/a" model_version_policy { specific { versions: 7 } } }  # the big one
  config { name: "b" }
}
"""
# ReloadConfigRequest{config 1 {model_config_list 1 {config 1 {name 1: "b"}}}}, written down by hand.
ONLY_B = bytes.fromhex("0a 07 0a 05 0a 03 0a 01 62")
RELOAD = Action(Remedy.RELOAD_MODEL, "serving", "it leaks", False, 0.0, 0.0, model="a")
ALL, WITHOUT_A = frozenset("ab"), frozenset("b")


def yes() -> bool:
    return True


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "models.config"
    path.write_text(CONFIG)
    path.chmod(0o440)  # it is read, and never written
    return path


@pytest.fixture
def server(config: Path) -> Iterator[ModelServer]:
    server = ModelServer(config, change_seconds=0.05)
    server.deaf, server.asked_for = True, ["a", "b", "never-there"]
    yield server
    server.close()


@pytest.fixture
def service(server: ModelServer) -> Iterator[ModelService]:
    service = ModelService(server)
    yield service
    service.close()


def reloader(config: Path, service: ModelService, **more: Any) -> ModelReloader:
    address = more.pop("grpc_address", service.address)
    page = f"{service.server.url}/monitoring/prometheus/metrics"
    serving = ServingSettings(ServingKind.TF_SERVING, page, None, str(config), address)
    return ModelReloader(serving, SystemClock(), config.with_name("mark.json"), **more)


def marked(config: Path) -> bool:
    return config.with_name("mark.json").exists()


def test_a_model_is_reloaded_by_two_whole_configs(config: Path, service: ModelService) -> None:
    """First all the others, then all of them as the file has them; the bytes on the wire are TF Serving's own."""
    outcome = reloader(config, service).carry_out(RELOAD, yes)
    assert outcome.done, outcome.detail
    assert service.server.seen == [ALL, WITHOUT_A, ALL]
    assert service.server.states == {"a": "AVAILABLE", "b": "AVAILABLE"}
    first, second = service.requests
    assert first == ONLY_B
    assert second.endswith(ONLY_B[4:])
    assert b"/m/a" in second and b"\x3a\x06\xb2\x06\x03\x0a\x01\x07" in second  # 7: {102: {1: [7]}}
    assert config.read_text() == CONFIG
    assert not marked(config)


def test_an_agent_reloads_the_leaking_model_and_sees_that_it_helped(
    config: Path, service: ModelService, tmp_path: Path
) -> None:
    """From the case to the verification: gates, evidence first, two configs, memory lower than before."""
    acting = Acting(
        ActSettings(dry_run=False), tmp_path / "state", {"serving": [reloader(config, service)]}, {}, SystemClock()
    )
    decision = acting.consider(leaking(remedy=Remedy.RELOAD_MODEL, model="a"))
    assert (decision.ruling, decision.backend) == (Ruling.ACT, "tf_serving")
    assert acting.begin(decision)
    end = time.monotonic() + 60
    while acting.busy():
        assert time.monotonic() < end
        time.sleep(0.01)
    acting.consider(healthy())
    whats = [one.what.value for one in acting.happenings() if one.what is not What.DECIDED]
    assert whats == ["begun", "evidence", "done", "helped"]
    assert len(service.requests) == 2
    acting.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((grpc.StatusCode.INVALID_ARGUMENT, "two platforms"), "INVALID_ARGUMENT: 'two platforms'"),
        ((grpc.StatusCode.PERMISSION_DENIED, ""), "PERMISSION_DENIED"),
        ((3, "told inside\nthe reply"), r"INVALID_ARGUMENT: 'told inside\nthe reply'"),
    ],
)
def test_a_refusal_is_told_and_nothing_more_is_asked(
    config: Path, service: ModelService, answer: tuple[Any, str], said: str
) -> None:
    """As a status of gRPC or inside the reply: nothing was unloaded, so nothing has to be loaded."""
    service.answers = [answer]
    outcome = reloader(config, service).carry_out(RELOAD, yes)
    assert not outcome.done
    assert said in outcome.detail and "\n" not in outcome.detail
    assert len(service.requests) == 1
    assert service.server.states["a"] == "AVAILABLE"
    assert not marked(config)


@pytest.mark.parametrize("answer", ["hang", (grpc.StatusCode.UNAVAILABLE, "going away"), (13, "it broke")])
def test_where_nobody_knows_the_whole_config_is_sent_again(config: Path, service: ModelService, answer: Any) -> None:
    """A deadline that passed, a server that went away: it may have unloaded the model."""
    service.answers = [answer]
    outcome = reloader(config, service, unload_seconds=0.5).carry_out(RELOAD, yes)
    assert not outcome.done
    assert "not reloaded, and its config is whole again" in outcome.detail
    assert len(service.requests) == 2
    assert not marked(config)
    assert service.server.states == {"a": "AVAILABLE", "b": "AVAILABLE"}


def test_the_load_is_tried_again_while_the_server_does_not_answer(config: Path, service: ModelService) -> None:
    """A model that we unloaded is not left so because one call was lost."""
    reload = reloader(config, service)
    service.answers = [None, (grpc.StatusCode.UNAVAILABLE, "busy"), (grpc.StatusCode.UNAVAILABLE, "busy")]
    outcome = reload.carry_out(RELOAD, yes)
    assert outcome.done, outcome.detail
    assert len(service.requests) == 4


def test_a_load_that_is_refused_is_an_error_and_a_later_agent_makes_it_good(
    config: Path, service: ModelService
) -> None:
    """It is told as what nobody can rely on; the mark stays, and the next agent loads the model at its start."""
    service.answers = [None, (grpc.StatusCode.INVALID_ARGUMENT, "no such platform")]
    with pytest.raises(ActError, match="no such platform"):
        reloader(config, service).carry_out(RELOAD, yes)
    assert service.server.states["a"] == "END"
    assert marked(config)
    reloader(config, service)
    assert service.server.states["a"] == "AVAILABLE"
    assert not marked(config)


def test_an_agent_killed_in_between_leaves_a_mark_that_the_next_one_heeds(
    config: Path, service: ModelService, tmp_path: Path
) -> None:
    """kill -9 while the model is unloaded."""
    serving = f"ServingSettings(ServingKind.TF_SERVING, '{service.server.url}/metrics', None, '{config}'"
    script = (
        "import os; from pathlib import Path; from leakwatch.act.tf_serving import *; from leakwatch.settings import *;"
        "from leakwatch.clock import SystemClock; import leakwatch.act.model_status as status;"
        "status.ModelStatus.wait = lambda *_: os.kill(os.getpid(), 9);"
        f"r = ModelReloader({serving}, '{service.address}'), SystemClock(), Path('{tmp_path / 'mark.json'}'));"
        "r.carry_out(Action(Remedy.RELOAD_MODEL, 'serving', 'x', False, 0.0, 0.0, model='a'), lambda: True)"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[3], timeout=60)
    assert ended.returncode == -9
    assert len(service.requests) == 1
    assert json.loads((tmp_path / "mark.json").read_text()) == {"model": "a"}
    reloader(config, service)
    assert service.server.states["a"] == "AVAILABLE"
    assert not marked(config)


@pytest.mark.parametrize(
    ("served", "asked_for", "said"),
    [
        ({"a": "AVAILABLE", "b": "AVAILABLE", "c": "AVAILABLE"}, ["c"], "serves 'c', unlike"),
        ({"a": "AVAILABLE", "b": "END"}, [], "does not serve 'b', unlike"),
        ({"a": "AVAILABLE"}, [], "does not serve 'b', unlike"),
        ({"a": "AVAILABLE", "b": "AVAILABLE"}, [f"scan-{i}" for i in range(1001)], "more than 1000"),
    ],
)
def test_a_server_with_other_models_than_the_file_is_left_alone(
    config: Path, service: ModelService, served: dict[str, str], asked_for: list[str], said: str
) -> None:
    """The whole config would unload what the file does not name, and load what it names and nobody serves."""
    service.server.states, service.server.asked_for = served, asked_for
    outcome = reloader(config, service).carry_out(RELOAD, yes)
    assert not outcome.done
    assert said in outcome.detail and outcome.detail.endswith("nothing was touched")
    assert service.requests == []


def test_a_wrong_address_is_told(config: Path, service: ModelService) -> None:
    """Nobody there; a server that speaks no gRPC; a gRPC server that is no TF Serving."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        outcome = reloader(config, service, grpc_address=address).carry_out(RELOAD, yes)
    assert not outcome.done and f"nothing listens at {address}" in outcome.detail
    from concurrent.futures import ThreadPoolExecutor

    other = grpc.server(ThreadPoolExecutor(1))
    address = f"127.0.0.1:{other.add_insecure_port('127.0.0.1:0')}"
    other.start()
    try:
        outcome = reloader(config, service, grpc_address=address).carry_out(RELOAD, yes)
    finally:
        other.stop(None).wait(10)
    assert not outcome.done and "UNIMPLEMENTED" in outcome.detail and "gRPC port of a TF Serving" in outcome.detail
    assert not marked(config)
    assert service.server.states["a"] == "AVAILABLE"


def test_without_grpcio_one_line_says_what_to_install(config: Path, service: ModelService) -> None:
    """Where the extra is not installed; nothing was touched."""
    serving = f"ServingSettings(ServingKind.TF_SERVING, '{service.server.url}/metrics', None, '{config}'"
    script = (
        "import sys; sys.modules['grpc'] = None; from importlib import util; found = util.find_spec;"
        "util.find_spec = lambda name, *more: None if name == 'grpc' else found(name, *more);"
        "from pathlib import Path; from leakwatch.act.tf_serving import *; from leakwatch.settings import *;"
        "from leakwatch.clock import SystemClock;"
        f"r = ModelReloader({serving}, '{service.address}'), SystemClock(), Path('{config.with_name('mark.json')}'));"
        "print(r.carry_out(Action(Remedy.RELOAD_MODEL, 'serving', 'x', False, 0.0, 0.0, model='a'), lambda: 1).detail)"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run([sys.executable, "-c", script], cwd=root, timeout=60, capture_output=True, text=True)
    assert said.stdout == (
        "tf_serving: the package grpcio is not installed; install leakwatch-agent[grpc]; nothing was touched\n"
    ), said.stderr
    assert service.requests == []


def test_a_dry_run_asks_for_nothing(config: Path, service: ModelService) -> None:
    """It says what would be done."""
    outcome = reloader(config, service).carry_out(replace(RELOAD, dry_run=True), yes)
    assert not outcome.done and "would be unloaded" in outcome.detail
    assert service.requests == []


def test_a_proxy_of_the_environment_is_not_asked(
    config: Path, service: ModelService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is beside the agent; a proxy for the rest of the world knows nothing of it."""
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setitem(os.environ, "no_proxy", "")
    way = reloader(config, service)._way
    way._call(way._config(), 10.0)
    assert len(service.requests) == 1
