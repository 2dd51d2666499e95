"""The whole agent killed with -9 between decision, evidence and act on a real engine: never a second restart.

The agent talks to the engine through a socket of the test, which holds one request or its answer: the moment at which
it is killed is then no matter of luck. A second agent goes on from what the first one left on the disk.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.slack_api import SlackApi

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 600.0
LIMIT_BYTES = 200_000_000
LEAKER = """
import time
kept, began = [bytearray(1 << 20) for _ in range(20)], time.monotonic()
while True:
    while len(kept) - 20 < min(155.0, 2.0 * (time.monotonic() - began - 5)):
        kept.append(bytearray(1 << 20))
    time.sleep(0.02)
"""
"""It stays just below its limit, so that the second agent finds it alive, and its limit near."""


@dataclass
class Between:
    """A socket before the engine's: everything passes but the first request that begins so, or its answer.

    Attributes:
        method, ending: the request that is held: its method, and what its path ends with.
        passes: whether the request itself reaches the engine, and its answer is held.
        held: set once it is.
    """

    engine_path: str
    path: str
    method: bytes
    ending: bytes
    passes: bool
    held: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self.engine_path)
                holds = threading.Event()
                threading.Thread(target=self._ask, args=(near, far, holds), daemon=True).start()
                threading.Thread(target=self._answer, args=(far, near, holds), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket, holds: threading.Event) -> None:
        with suppress(OSError):
            while asked := near.recv(65536):
                verb, _, rest = asked.partition(b" ")
                path = rest.partition(b" ")[0].partition(b"?")[0]
                if verb == self.method and path.endswith(self.ending):
                    holds.set()
                    if not self.passes:
                        self.held.set()
                        continue
                far.sendall(asked)
            far.close()

    def _answer(self, far: socket.socket, near: socket.socket, holds: threading.Event) -> None:
        with suppress(OSError):
            while said := far.recv(65536):
                if holds.is_set():
                    self.held.set()
                    continue
                near.sendall(said)
            if not holds.is_set():
                near.close()


@dataclass
class Moment:
    """One container, and its agents one after the other."""

    engine: Any
    folder: Path
    between: Between
    container: Any
    slack: SlackApi
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def begin(self, url: str) -> "subprocess.Popen[bytes]":
        """An agent that asks this engine."""
        (self.folder / "token").write_text(self.slack.TOKEN)
        (self.folder / "token").chmod(0o600)
        config = self.folder / "agent.yaml"
        config.write_text(
            f"sample_every: 250ms\njudge_every: 500ms\nlisten: off\nstate_dir: {self.state}\n"
            f"targets: [{{name: serving, docker: {self.container.id}}}]\n"
            "act: {dry_run: false, min_uptime: 3s, act_before_limit: 10m, stop_timeout: 1s, cooldown: 1s,\n"
            "  verify: 10s, budget: {restarts: 1, per: 24h}, evidence: {time: 30s}}\n"
            f"tell:\n  slack: {{bot_token_file: {self.folder}/token, channel: C0ONCALL, api_url: '{self.slack.url}'}}\n"
        )
        command = [sys.executable, "-m", "leakwatch", "agent", "--config", str(config)]
        with (self.folder / "agent.log").open("a") as log:
            process = subprocess.Popen(command, env={**os.environ, "DOCKER_HOST": url}, stderr=log)
        self.processes.append(process)
        return process

    def audit(self) -> list[dict[str, Any]]:
        file = self.state / "audit.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def whats(self) -> list[str]:
        return [line["what"] for line in self.audit() if line["what"] not in ("decision", "decided")]

    def starts(self) -> int:
        """How often the engine started the container."""
        client = self.engine.client()
        filters = {"container": self.container.id, "event": "start"}
        count = sum(1 for _ in client.api.events(since=0, until=int(time.time()) + 1, decode=True, filters=filters))
        client.close()
        return count

    def until(self, holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not holds():
            log = (self.folder / "agent.log").read_text()
            assert self.processes[-1].poll() is None, log
            assert time.monotonic() < deadline, f"{what}: {self.whats()}\n{log}"
            time.sleep(0.05)


MOMENTS = {
    "evidence": (b"GET", b"/logs", False),
    "act": (b"POST", b"/restart", False),
    "answer": (b"POST", b"/restart", True),
    "terminated": (b"POST", b"/restart", False),
}


@pytest.fixture(scope="module")
def moments(docker_engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Moment]]:
    """Four leaking containers, each with an agent that is held at another moment; all at once."""
    made: dict[str, Moment] = {}
    with tempfile.TemporaryDirectory(prefix="lw-") as short:
        for name, (method, ending, passes) in MOMENTS.items():
            between = Between(docker_engine.url.removeprefix("unix://"), f"{short}/{name}", method, ending, passes)
            container = docker_engine.run(["-c", LEAKER], python=True, mem_limit=LIMIT_BYTES)
            folder = tmp_path_factory.mktemp(name)
            made[name] = Moment(docker_engine, folder, between, container, SlackApi().start())
            made[name].begin(f"unix://{between.path}")
        try:
            yield made
        finally:
            for one in made.values():
                for process in one.processes:
                    process.kill()
                    process.wait()
                one.slack.stop()
                one.between.listener.close()
                one.container.remove(force=True)


@pytest.mark.parametrize(
    ("moment", "done", "starts"),
    [
        ("evidence", ["begun"], 1),
        ("act", ["begun", "evidence"], 1),
        ("answer", ["begun", "evidence"], 2),
    ],
)
def test_an_agent_killed_in_the_middle_of_an_action_never_lets_another_one_happen(
    moments: dict[str, Moment], moment: str, done: list[str], starts: int
) -> None:
    """Whether the engine has heard of it or not: the next agent counts it as done, says so, and restarts nothing."""
    one = moments[moment]
    one.until(one.between.held.is_set, "held")
    one.processes[-1].kill()
    one.processes[-1].wait()
    assert one.whats() == done
    one.begin(one.engine.url)
    one.until(lambda: "unfinished" in one.whats(), "the next agent has read the ledger")
    one.until(lambda: any("counts as done" in message.text for message in one.slack.messages), "told")
    if starts == 1:  # it leaks on, and would be restarted, did the ledger not know
        one.until(lambda: any(line.get("ruling") == "escalate" for line in one.audit()), "the budget is used up")
    assert one.whats() == [*done, "unfinished"]
    assert one.starts() == starts


def test_an_agent_that_is_told_to_end_in_the_middle_of_an_action_ends(moments: dict[str, Moment]) -> None:
    """The engine hangs over a restart: the agent does not wait for it, and what it began is in the ledger."""
    one = moments["terminated"]
    one.until(one.between.held.is_set, "held")
    one.processes[-1].send_signal(signal.SIGTERM)
    assert one.processes[-1].wait(20) == 0  # of 2 s; the worker itself would wait for 30
    one.begin(one.engine.url)
    one.until(lambda: "unfinished" in one.whats(), "the next agent has read the ledger")
    assert one.starts() == 1
