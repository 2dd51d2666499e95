"""A leak, a question on Slack, a press of a button, and the process is stopped: all of it for real but Slack."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.slack_api import APP_TOKEN, TOKEN, SlackApi
from tests.fakes.slack_socket import SlackSocket

DEADLINE_SECONDS = 600.0
LEAKER = """
import time
kept, began = [bytearray(1 << 20) for _ in range(20)], time.monotonic()
time.sleep(10)
while True:
    kept.append(bytearray(1 << 20))
    time.sleep(0.1)
"""
SETTINGS = """
sample_every: 50ms
judge_every: 200ms
listen: 127.0.0.1:0
state_dir: {state}
targets: [{{name: leaky, pid: {pid}, limit: 2GiB}}]
act: {{dry_run: false, approval: required, min_uptime: 1s, drain: 0s, act_before_limit: 12h, evidence: {{time: 2s}}}}
tell:
  slack: {{bot_token_file: {bot}, app_token_file: {app}, channel: C0ONCALL, api_url: {api}}}
"""


@pytest.fixture
def ended() -> Iterator[contextlib.ExitStack]:
    """What was begun is ended, whatever became of the test."""
    with contextlib.ExitStack() as stack:
        yield stack


def begun(ended: contextlib.ExitStack, *words: str, **more: Any) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, *words], text=True, **more)
    ended.callback(process.wait, 30)
    ended.callback(process.kill)
    return process


@pytest.mark.slow
def test_a_press_has_the_process_stopped_and_nothing_before(
    slack_api: SlackApi, tmp_path: Path, ended: contextlib.ExitStack
) -> None:
    """Until somebody presses nothing is touched; then it is stopped once, and who agreed stands under the message."""
    link = SlackSocket().start()
    ended.callback(link.stop)
    slack_api.socket_url = link.url
    secrets = {"bot": TOKEN, "app": APP_TOKEN}
    for name, secret in secrets.items():
        (tmp_path / name).write_text(secret)
        os.chmod(tmp_path / name, 0o600)
    leaker = begun(ended, "-c", LEAKER)
    config = tmp_path / "agent.yaml"
    paths = {name: str(tmp_path / name) for name in ("state", "bot", "app")}
    config.write_text(SETTINGS.format(pid=leaker.pid, api=slack_api.url, **paths))
    agent = begun(ended, "-m", "leakwatch", "agent", "--config", str(config), stderr=subprocess.PIPE)
    said: list[str] = []
    threading.Thread(target=lambda: said.extend(agent.stderr or ()), daemon=True).start()

    def asking() -> list[Any]:
        return [one for one in slack_api.messages if any(block["type"] == "actions" for block in one.blocks)]

    deadline = time.monotonic() + DEADLINE_SECONDS
    while not asking():
        assert time.monotonic() < deadline and agent.poll() is None, said
        time.sleep(0.1)
    assert leaker.poll() is None
    (message, *_) = asking()
    (buttons,) = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    approve = {key: buttons[0][key] for key in ("type", "action_id", "value")}
    payload = {"type": "block_actions", "user": {"id": "U7", "username": "ann"}, "actions": [approve]}
    about = {"ts": message.ts, "text": message.text, "blocks": message.blocks}
    link.send("e1", "interactive", {**payload, "channel": {"id": "C0ONCALL"}, "message": about})
    leaker.wait(max(1.0, deadline - time.monotonic()))
    assert leaker.returncode < 0, said
    assert "is approved for an hour by ann (U7)" in json.dumps(message.blocks)
    assert not any(secret in line for secret in secrets.values() for line in said)
    assert not slack_api.broken
