"""`leakwatch tell test`: one trial message through every channel."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leakwatch.cli import run
from tests.fakes.http_receiver import Receiver
from tests.fakes.slack_api import SlackApi, SlackFault


@pytest.fixture
def config(tmp_path: Path, slack_api: SlackApi, receiver: Receiver) -> Path:
    """Settings with a bot, a signed webhook and an Alertmanager, all of which are there."""
    (tmp_path / "token").write_text(f"{slack_api.TOKEN}\n")
    (tmp_path / "hmac").write_text("hmac-SECRET")
    file = tmp_path / "agent.yaml"
    file.write_text(
        f"""
targets: [{{name: serving, pid: 1}}]
state_dir: {tmp_path}
tell:
  slack: {{bot_token_file: {tmp_path}/token, channel: C0ONCALL, api_url: "{slack_api.url}"}}
  webhook: [{{url: "{receiver.url}/hook?key=url-SECRET", secret_file: {tmp_path}/hmac}}]
  alertmanager: {{url: "{receiver.url}"}}
"""
    )
    return file


def test_every_channel_gets_a_trial(
    config: Path, slack_api: SlackApi, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says in each channel that it is a trial, and the screen says for each how it went."""
    assert run(["tell", "test", "--config", str(config)]) == 0
    lines = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert lines == [[name, "delivered"] for name in ("terminal", "slack", "webhook", "alertmanager")]
    (head,) = slack_api.heads
    assert "TRIAL serving" in head.text and "this is a trial" in head.text
    assert "image" in {block["type"] for block in head.blocks}
    assert not slack_api.broken
    assert json.loads(receiver.got[0].body)["severity"] == "info"
    assert receiver.got[1].path == "/api/v2/alerts"


def test_a_channel_that_fails_is_named_with_what_to_mend(
    config: Path, slack_api: SlackApi, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """One failure is exit status 1, and the other channels are tried all the same."""
    slack_api.faults.append(SlackFault("chat.postMessage", error="not_in_channel"))
    receiver.answers = [(404, {}), (200, {})]
    assert run(["tell", "test", "--config", str(config)]) == 1
    out = capsys.readouterr().out
    assert "slack         failed     Slack answered not_in_channel; invite the bot to the channel" in out
    assert "answered 404; check its address and secret" in out
    assert "alertmanager  delivered" in out


def test_a_picture_that_cannot_be_shown_is_told(
    config: Path, slack_api: SlackApi, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever forgot files:write learns it here and not in the incident."""
    slack_api.scopes.discard("files:write")
    assert run(["tell", "test", "--config", str(config)]) == 0
    assert "Slack took it, without the picture (missing_scope)" in capsys.readouterr().out


def test_the_environment_does_without_a_file(
    slack_api: SlackApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable with the webhook's address is all that a container needs."""
    monkeypatch.setenv("LEAKWATCH_SLACK_WEBHOOK_URL", slack_api.webhook_url)
    assert run(["tell", "test"]) == 0
    assert "slack     delivered" in capsys.readouterr().out
    assert len(slack_api.heads) == 1


def test_settings_that_cannot_be_used_are_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every mistake, and nothing is sent."""
    file = tmp_path / "agent.yaml"
    file.write_text("targets: [{name: a, pid: 1}]\ntell: {slack: {}}\n")
    assert run(["tell", "test", "--config", str(file)]) == 2
    assert "exactly one of webhook_url_file and bot_token_file" in capsys.readouterr().err


@pytest.mark.parametrize("fault", [{}, {"status": 500}, {"error": "invalid_auth"}, {"hang_up": True}])
def test_no_secret_is_printed(config: Path, slack_api: SlackApi, receiver: Receiver, fault: dict[str, object]) -> None:
    """In a process of its own, with debugging on, well and in trouble, neither stream holds a secret."""
    slack_api.faults.append(SlackFault("chat.postMessage", **fault))  # type: ignore[arg-type]
    receiver.answers = [(500, {})]
    environment = {**os.environ, "LEAKWATCH_WEBHOOK_SECRET": "env-SECRET", "PYTHONWARNINGS": "ignore"}
    for command in (["tell", "test"], ["config", "show"], ["config", "check"]):
        done = subprocess.run(
            [sys.executable, "-m", "leakwatch", *command, "--config", str(config), "--debug"],
            env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        printed = done.stdout + done.stderr
        if command == ["config", "show"]:  # the address of a webhook is a setting, and no secret by its own place
            printed = printed.replace("url-SECRET", "")
        assert "SECRET" not in printed, printed
