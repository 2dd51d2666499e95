"""The whole story with real parts: a leaking container, an engine, an agent in a process of its own, and Slack's API.

What the person on call reads is held against what happened to the container.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from leakwatch.act.bundles import kept
from tests.fakes.http_receiver import Receiver
from tests.fakes.slack_api import Message, SlackApi

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 240.0
LIMIT_BYTES = 200_000_000
LEAKER = """
import sys, time
rates = [float(rate) for rate in sys.argv[1].split(",")]  # MiB a second in each life, the last one for ever
with open("/lives", "a+") as lives:
    lives.write("x")
    lives.seek(0)
    life = len(lives.read())
rate = rates[min(life, len(rates)) - 1]
kept, began = [bytearray(1 << 20) for _ in range(20)], time.monotonic()
while True:
    while len(kept) - 20 < rate * (time.monotonic() - began):
        kept.append(bytearray(1 << 20))
    time.sleep(0.02)
"""
"""Each life of the container can leak at another rate; the kernel kills it at the limit like any other."""


class Scene:
    """One leaking container, and the agent beside it."""

    def __init__(self, engine: Any, folder: Path, slack: SlackApi, receiver: Receiver) -> None:
        self.engine, self.folder, self.slack, self.receiver = engine, folder, slack, receiver
        self.container: Any = None
        self.agent: subprocess.Popen[str] | None = None

    def begin(self, rates: str, act: str) -> None:
        """The container leaks at these rates, life by life; the agent acts by these settings."""
        self.container = self.engine.run(["-c", LEAKER, rates], python=True, mem_limit=LIMIT_BYTES)
        (self.folder / "token").write_text(self.slack.TOKEN)
        (self.folder / "token").chmod(0o600)
        config = self.folder / "agent.yaml"
        config.write_text(
            f"sample_every: 100ms\njudge_every: 300ms\nlisten: off\nstate_dir: {self.folder}/state\n"
            f"targets: [{{name: serving, docker: {self.container.id}}}]\n"
            f"act: {{min_uptime: 3s, act_before_limit: 10m, drain: 0s, stop_timeout: 1s, verify: 60s, {act}}}\n"
            f"tell:\n  slack: {{bot_token_file: {self.folder}/token, channel: C0ONCALL, api_url: '{self.slack.url}'}}\n"
            f"  webhook: [{{url: '{self.receiver.url}'}}]\n"
        )
        command = [sys.executable, "-m", "leakwatch", "agent", "--config", str(config)]
        with (self.folder / "agent.log").open("w") as log:
            self.agent = subprocess.Popen(
                command, env={**os.environ, "DOCKER_HOST": self.engine.url}, stderr=log, text=True
            )

    def until_told(self, pattern: str) -> None:
        """Waits until a message in the channel or its thread begins so."""
        end = time.monotonic() + DEADLINE_SECONDS
        while not any(re.search(pattern, message.text) for message in self.slack.messages):
            assert self.agent is not None and self.agent.poll() is None, self.log
            assert time.monotonic() < end, f"nobody said {pattern}: {[m.text for m in self.slack.messages]}\n{self.log}"
            time.sleep(0.1)

    def end(self) -> None:
        if self.agent is not None:
            self.agent.terminate()
            self.agent.wait(60)
        if self.container is not None:
            self.container.remove(force=True)

    @property
    def log(self) -> str:
        return (self.folder / "agent.log").read_text()

    @property
    def head(self) -> Message:
        (head,) = self.slack.heads
        return head

    def starts(self) -> int:
        """How often the engine started the container."""
        client = self.engine.client()
        found = client.api.events(
            since=0, until=int(time.time()) + 1, decode=True, filters={"container": self.container.id, "event": "start"}
        )
        count = sum(1 for _ in found)
        client.close()
        return count

    def was_killed_for_memory(self) -> bool:
        self.container.reload()
        return bool(self.container.attrs["State"]["OOMKilled"])


@pytest.fixture
def scene(
    docker_engine: Any, tmp_path: Path, slack_api: SlackApi, receiver: Receiver
) -> Iterator[Callable[..., Scene]]:
    """Begins a scene; its agent and its container are ended."""
    one = Scene(docker_engine, tmp_path, slack_api, receiver)

    def begin(rates: str, act: str) -> Scene:
        one.begin(rates, act)
        return one

    yield begin
    one.end()


def test_a_leaking_container_is_restarted_before_the_kernel_kills_it_and_told_in_one_incident(
    scene: Callable[..., Scene],
) -> None:
    """Evidence, restart, verification: opened, acted on and resolved, in one thread and by webhook."""
    story = scene("1.5,0", "dry_run: false")
    story.until_told("RESOLVED serving")
    assert story.starts() == 2
    assert not story.was_killed_for_memory()
    thread = [message.text for message in story.slack.replies(story.head)]
    assert re.search(r"LEAK serving: anon grows .*/h \(.*\), .* left to 191 MiB; restarted in ", thread[0])
    assert "RESOLVED serving" in story.head.text and "restarted in " in story.head.text
    assert story.head.edits >= 2
    assert [got.body.split(b'"stage": "')[1].split(b'"')[0] for got in story.receiver.got] == [
        b"opened", b"acted", b"resolved",
    ]  # fmt: skip
    [bundle] = kept(story.folder / "state")
    assert bundle.manifest is not None
    assert not story.slack.broken
    assert story.slack.TOKEN not in story.log
    assert "image" in {block["type"] for block in story.head.blocks}


def test_a_dry_run_touches_nothing_and_says_what_it_would_have_done(scene: Callable[..., Scene]) -> None:
    """The container is left to the kernel; the first line says that nothing was done, and what would have been."""
    story = scene("1.5", "dry_run: true")
    story.until_told(r"LEAK serving: .*; nothing done \(dry run\): would restart$")
    assert story.starts() == 1
    assert all("restarted" not in message.text for message in story.slack.messages)
