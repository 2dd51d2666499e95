"""One model is unloaded and loaded again by an edit of the polled config, and the config is never left without it."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leakwatch.act.model_config import without_model
from leakwatch.act.tf_serving import ModelReloader
from leakwatch.clock import SystemClock
from leakwatch.errors import ActError
from leakwatch.ports import Action
from leakwatch.settings import ServingKind, ServingSettings
from playbooks.types import Action as Remedy
from tests.fakes.model_config import CONFIG
from tests.fakes.model_server import ModelServer

RELOAD = Action(Remedy.RELOAD_MODEL, "serving", "it leaks", False, 0.0, 0.0, model="resnet")


def yes() -> bool:
    return True


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "models.config"
    path.write_text(CONFIG)
    path.chmod(0o640)
    return path


@pytest.fixture
def server(config: Path) -> Iterator[ModelServer]:
    server = ModelServer(config)
    yield server
    server.close()


def reloader(config: Path, url: str = "http://127.0.0.1:1", **more: Any) -> ModelReloader:
    serving = ServingSettings(ServingKind.TF_SERVING, f"{url}/monitoring/prometheus/metrics", None, str(config))
    return ModelReloader(serving, SystemClock(), config.with_name("mark.json"), **more)


def test_a_model_is_reloaded_and_the_others_never_left(config: Path, server: ModelServer) -> None:
    """Unloaded, loaded, and the config is what it was, with its rights."""
    outcome = reloader(config, server.url).carry_out(RELOAD, yes)
    assert outcome.done, outcome.detail
    assert server.seen == [
        frozenset({"resnet", "bert", "half"}),
        frozenset({"bert", "half"}),
        frozenset({"resnet", "bert", "half"}),
    ]
    assert server.states["resnet"] == "AVAILABLE"
    assert config.read_text() == CONFIG
    assert config.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in config.parent.iterdir()] == [config.name]


def test_a_server_that_does_not_poll_is_told_and_the_config_is_put_back(config: Path, server: ModelServer) -> None:
    """Nothing happened to the model."""
    server.deaf = True
    outcome = reloader(config, server.url, unload_seconds=0.5).carry_out(RELOAD, yes)
    assert not outcome.done
    assert "poll_wait_seconds" in outcome.detail
    assert config.read_text() == CONFIG
    assert server.states["resnet"] == "AVAILABLE"


def test_a_model_that_does_not_come_back_is_an_error(config: Path, server: ModelServer) -> None:
    """A person has to look at it; the config names it again."""
    server.refuses_to_load = True
    with pytest.raises(ActError, match="did not load again"):
        reloader(config, server.url, load_seconds=0.5).carry_out(RELOAD, yes)
    assert config.read_text() == CONFIG


def test_an_edit_that_a_killed_agent_left_is_undone(config: Path) -> None:
    """At the next start; unless somebody has written another config since."""
    kept = config.with_name(config.name + ".leakwatch-original")
    kept.write_text(CONFIG)
    config.write_bytes(without_model(CONFIG.encode(), "resnet"))
    reloader(config)
    assert config.read_text() == CONFIG
    assert not kept.exists()
    kept.write_text(CONFIG)
    config.write_text("model_config_list { }\n# a new one")
    reloader(config)
    assert config.read_text() == "model_config_list { }\n# a new one"
    assert not kept.exists()


def test_a_dry_run_writes_nothing(config: Path, server: ModelServer) -> None:
    """It says what would be done."""
    outcome = reloader(config, server.url).carry_out(replace(RELOAD, dry_run=True), yes)
    assert (outcome.done, server.seen) == (False, [frozenset({"resnet", "bert", "half"})])


def test_a_mounted_config_map_is_refused(config: Path, server: ModelServer) -> None:
    """A symbolic link as the kubelet makes them is not replaced by a file."""
    link = config.with_name("mounted.config")
    os.symlink(config, link)
    outcome = reloader(link, server.url).carry_out(RELOAD, yes)
    assert not outcome.done
    assert "ConfigMap" in outcome.detail and "nothing was touched" in outcome.detail
    assert link.is_symlink()
    assert config.read_text() == CONFIG
