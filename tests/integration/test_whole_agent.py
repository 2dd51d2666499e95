"""The whole agent beside what really leaks: a Docker engine, a cgroup, the kernel's limit, and Slack's API.

One agent that may act watches four targets at once, one that may not watches a fifth; they are started once for all
tests of this file, which hold what was told, kept and counted against what happened.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import zstandard
from prometheus_client.parser import text_string_to_metric_families

from leakwatch.act.bundles import find, kept
from tests.fakes.http_receiver import Receiver
from tests.fakes.slack_api import Message, SlackApi

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 600.0
LIMIT_BYTES = 200_000_000
SECRET = "hunter2-was-planted-here"
LEAKER = """
import os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lives_file, port, lives = sys.argv[1], int(sys.argv[2]), [life.split("x") for life in sys.argv[3:]]

def ended(*_):
    with open(lives_file + ".sigterm", "a") as told:
        told.write(f"{time.time()}\\n")
    os._exit(0)

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"requests_total {int(50 * (time.monotonic() - began))}\\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

with open(lives_file, "a+") as file:
    file.write("x")
    file.seek(0)
    life = len(file.read())
quiet, rate = map(float, lives[min(life, len(lives)) - 1])
kept, began = [bytearray(1 << 20) for _ in range(20)], time.monotonic()
if port:
    signal.signal(signal.SIGTERM, ended)
    threading.Thread(target=ThreadingHTTPServer(("127.0.0.1", port), Page).serve_forever, daemon=True).start()
while True:
    while len(kept) - 20 < rate * (time.monotonic() - began - quiet):
        kept.append(bytearray(1 << 20))
    time.sleep(0.02)
"""
"""Each life has so many seconds of quiet, and then so many MiB a second: ``10x3``; the last one is for ever.

Nothing is a leak within 20 samples of a birth, and an engine has a new one each second: no life is over sooner.
"""


def run_command(*words: str, given: str = "", statuses: tuple[int, ...] = (0,)) -> str:
    """What a command of leakwatch prints."""
    command = [sys.executable, "-m", "leakwatch", *words]
    ended = subprocess.run(command, input=given, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert ended.returncode in statuses, ended.stderr
    return ended.stdout


@dataclass
class Watcher:
    """An agent in a process of its own, with a folder, a channel and a webhook's receiver of its own."""

    engine: Any
    folder: Path
    slack: SlackApi = field(default_factory=lambda: SlackApi().start())
    receiver: Receiver = field(default_factory=lambda: Receiver().start())
    process: "subprocess.Popen[str] | None" = None

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> str:
        return (self.folder / "agent.log").read_text()

    def begin(self, targets: list[str], act: str) -> None:
        """Starts it; what it says goes to ``agent.log``."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "token").write_text(self.slack.TOKEN)
        (self.folder / "token").chmod(0o600)
        config = self.folder / "agent.yaml"
        config.write_text(
            f"sample_every: 250ms\njudge_every: 500ms\nlisten: 127.0.0.1:0\nstate_dir: {self.state}\n"
            f"targets: [{', '.join(targets)}]\n"
            f"act: {{min_uptime: 3s, act_before_limit: 10m, drain: 2s, stop_timeout: 1s, cooldown: 1s, {act}}}\n"
            f"tell:\n  slack: {{bot_token_file: {self.folder}/token, channel: C0ONCALL, api_url: '{self.slack.url}'}}\n"
            f"  webhook: [{{url: '{self.receiver.url}'}}]\n"
        )
        command = [sys.executable, "-m", "leakwatch", "agent", "--config", str(config)]
        with (self.folder / "agent.log").open("w") as log:
            environment = {**os.environ, "DOCKER_HOST": self.engine.url}
            self.process = subprocess.Popen(command, env=environment, stderr=log, text=True)

    def until(self, holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not holds():
            assert self.process is not None and self.process.poll() is None, self.log
            assert time.monotonic() < deadline, f"{what}: {[m.text for m in self.slack.messages]}\n{self.log}"
            time.sleep(0.1)

    def said(self, pattern: str) -> bool:
        return any(re.search(pattern, message.text) for message in self.slack.messages)

    def page(self, path: str = "/metrics") -> tuple[int, str]:
        """Status and text of one of its pages."""
        base = re.search(r"http://127\.0\.0\.1:\d+", self.log)
        assert base is not None, self.log
        try:
            with urllib.request.urlopen(base[0] + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    def head(self, target: str) -> Message:
        (head,) = [one for one in self.slack.heads if f" {target}: " in one.text]
        return head

    def stages(self, target: str) -> list[str]:
        """What the webhook was told of a target."""
        told = [json.loads(got.body) for got in self.receiver.got]
        return [one["stage"] for one in told if one["target"] == target]

    def audit(self, target: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in (self.state / "audit.jsonl").read_text().splitlines()]
        return [line for line in lines if line["target"] == target]

    def end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
        self.slack.stop()
        self.receiver.stop()


@dataclass
class Story:
    """What is there to be looked at once everything has happened."""

    acting: Watcher
    dry: Watcher
    containers: dict[str, Any]
    box: Path
    readiness: list[tuple[float, int]]
    metrics: str = ""

    def starts(self, name: str) -> int:
        """How often the engine started a container."""
        client = self.acting.engine.client()
        filters = {"container": self.containers[name].id, "event": "start"}
        count = sum(1 for _ in client.api.events(since=0, until=int(time.time()) + 1, decode=True, filters=filters))
        client.close()
        return count

    def killed_for_memory(self, name: str) -> bool:
        self.containers[name].reload()
        return bool(self.containers[name].attrs["State"]["OOMKilled"])

    def counted(self, name: str, **labels: str) -> float:
        """A number of the metrics page; 0 where it has none."""
        samples = [one for family in text_string_to_metric_families(self.metrics) for one in family.samples]
        found = [one.value for one in samples if one.name == name and labels.items() <= one.labels.items()]
        return sum(found)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def story(
    docker_engine: Any, memory_cgroup_of_file: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """Everything happens once: three containers and a process leak, one does not, and two agents look on."""
    folder, box, port = tmp_path_factory.mktemp("whole"), memory_cgroup_of_file(LIMIT_BYTES), free_port()
    lives = {
        "serving": ["15x2.2", "0x0"],
        "worsening": ["5x2", "5x2.7", "5x3.5"],
        "healthy": ["0x0"],
        "doomed": ["15x2"],
    }
    options = {"python": True, "mem_limit": LIMIT_BYTES, "environment": {"DB_PASSWORD": SECRET}}
    containers = {
        name: docker_engine.run(["-c", LEAKER, "/lives", "0", *rates], **options) for name, rates in lives.items()
    }
    loop = ["sh", "-c", 'echo $$ > "$0/cgroup.procs"; while true; do "$@"; done', str(box)]
    leaker = [sys.executable, "-c", LEAKER, str(folder / "lives"), str(port), "20x2", "0x0"]
    supervisor = subprocess.Popen([*loop, *leaker], env={**os.environ, "API_TOKEN": SECRET})
    one = Story(Watcher(docker_engine, folder / "acting"), Watcher(docker_engine, folder / "dry"), containers, box, [])
    seen, over = one.readiness, threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            seen.append((time.time(), one.acting.page("/readyz/boxed")[0]))

    asking = threading.Thread(target=ask, daemon=True)
    try:
        docker = {name: f"{{name: {name}, docker: {container.id}}}" for name, container in containers.items()}
        page = f"serving: {{kind: prometheus_client, metrics_url: 'http://127.0.0.1:{port}/metrics'}}"
        boxed = f"{{name: boxed, cgroup: {box}, {page}}}"
        dry = docker.pop("doomed")
        one.acting.begin([*docker.values(), boxed], "dry_run: false, budget: {restarts: 2, per: 24h}")
        one.dry.begin([dry], "dry_run: true")
        one.acting.until(lambda: "metrics at" in one.acting.log, "the page")
        asking.start()
        one.dry.until(lambda: one.dry.said("LEAK doomed"), "a leak under a dry run")
        for told in ("RESOLVED serving", "RESOLVED boxed", "ESCALATED worsening"):
            one.acting.until(lambda told=told: one.acting.said(told), told)
        one.acting.until(lambda: "escalated" in one.acting.stages("worsening"), "the webhook")
        over.set()
        asking.join()
        one.metrics = one.acting.page()[1]
        yield one
    finally:
        over.set()
        one.acting.end()
        one.dry.end()
        supervisor.kill()
        supervisor.wait()
        for container in containers.values():
            container.remove(force=True)


def test_a_leaking_container_is_restarted_before_the_kernel_kills_it_and_told_in_one_incident(story: Story) -> None:
    """Evidence, restart, verification; opened, acted on and resolved in one thread, with a picture, and by webhook."""
    agent, head = story.acting, story.acting.head("serving")
    assert story.starts("serving") == 2
    assert not story.killed_for_memory("serving")
    thread = [message.text for message in agent.slack.replies(head)]
    assert re.search(r"LEAK serving: anon grows .*iB/h \(.*\), .* left to 191 MiB; restarted in ", thread[0])
    assert re.search(r"RESOLVED serving: .*; restarted in ", head.text)
    assert agent.stages("serving") == ["opened", "acted", "resolved"]
    assert "image" in {block["type"] for block in head.blocks}


def test_slack_takes_every_message_and_the_token_is_nowhere(story: Story) -> None:
    """No block breaks a limit; neither the log nor a message nor a file of the state bears the token."""
    for agent in (story.acting, story.dry):
        assert agent.slack.messages
        assert not agent.slack.broken
        assert agent.slack.TOKEN not in agent.log
        assert all(agent.slack.TOKEN not in json.dumps(message.blocks) for message in agent.slack.messages)
        files = [path for path in agent.state.rglob("*") if path.is_file()]
        assert not [path for path in files if agent.slack.TOKEN.encode() in path.read_bytes()]


def test_a_healthy_container_beside_them_is_neither_touched_nor_spoken_of(story: Story) -> None:
    """One start, no message, no decision but that there is nothing to do."""
    assert story.starts("healthy") == 1
    assert not [message for message in story.acting.slack.messages if "healthy" in message.text]
    assert story.acting.stages("healthy") == []
    assert {line.get("ruling", "none") for line in story.acting.audit("healthy")} <= {"nothing", "none"}


def test_a_dry_run_touches_nothing_and_says_what_it_would_have_done(story: Story) -> None:
    """Whatever becomes of it, nobody starts it again; the first line says what would have been done, and how fast."""
    assert story.starts("doomed") == 1
    first, *later = [message.text for message in story.dry.slack.replies(story.dry.head("doomed"))]
    pattern = r"LEAK doomed: anon grows .*iB/h \(.*\), .* left to 191 MiB; nothing done \(dry run\): would restart$"
    assert re.search(pattern, first)
    assert all(text.endswith("nothing done (dry run): would restart") for text in later)
    assert not (story.dry.state / "evidence").exists()
    assert "nothing was done" in run_command("act", "status", "--state-dir", str(story.dry.state))


def test_a_leak_that_comes_back_faster_uses_up_the_budget_and_calls_a_person(story: Story) -> None:
    """Two restarts are all that this budget has; the third leak is left alone, and told as loudly as there is."""
    agent = story.acting
    assert story.starts("worsening") == 3
    said = [m for m in agent.slack.messages if "ESCALATED worsening" in m.text and m.broadcast]
    assert said
    assert agent.stages("worsening").count("escalated") == 1
    final = next(line for line in agent.audit("worsening") if line.get("ruling") == "escalate")
    assert "budget" in {reason["gate"] for reason in final["reasons"] if not reason["passes"]}


def test_a_process_in_a_cgroup_is_drained_and_then_signalled(story: Story) -> None:
    """Its readiness goes off before SIGTERM comes, and is on again for the next life; the kernel killed nobody."""
    [signalled] = [float(line) for line in (story.acting.folder.parent / "lives.sigterm").read_text().splitlines()]
    off = [at for at, status in story.readiness if status == 503]
    assert off and min(off) < signalled
    assert story.readiness[-1][1] == 200
    assert len((story.acting.folder.parent / "lives").read_text()) == 2
    assert "oom_kill 0" in (story.box / "memory.oom_control").read_text()
    assert story.acting.stages("boxed") == ["opened", "acted", "resolved"]


def test_every_bundle_opens_and_bears_no_secret(story: Story) -> None:
    """One for each action; what was in the environment of its process is masked; the trace in it can be analyzed."""
    bundles = kept(story.acting.state)
    assert len(bundles) == 4
    for bundle in bundles:
        assert bundle.manifest is not None, bundle.problem
        packed = zstandard.open(find(story.acting.state, bundle.name), "rb")
        with packed, tarfile.open(fileobj=packed, mode="r|") as archive:
            parts = {Path(one.name).name: file.read() for one in archive if (file := archive.extractfile(one))}
        assert "trace.csv" in parts
        assert b"PASSWORD" in parts["environment.txt"] or b"API_TOKEN" in parts["environment.txt"]
        assert not [name for name, content in parts.items() if SECRET.encode() in content]
    shown = run_command("evidence", "show", "--state-dir", str(story.acting.state))
    assert "trace.csv" in shown
    trace = run_command("evidence", "show", bundles[-1].name, "trace.csv", "--state-dir", str(story.acting.state))
    [analysis] = json.loads(run_command("analyze", "-", "-o", "json", given=trace, statuses=(0, 10)))["analyses"]
    assert analysis["samples"] > 20 and analysis["metric"] == "anon_bytes"


def test_ledger_audit_and_metrics_page_say_what_happened(story: Story) -> None:
    """Four actions, each with its intent, evidence, act and verification in order; each counted once."""
    document = json.loads(run_command("act", "status", "--state-dir", str(story.acting.state), "-o", "json"))
    done = sorted((one["target"], one["done"], one["helped"]) for one in document["actions"])
    assert done == [("boxed", True, True), ("serving", True, True), *[("worsening", True, True)] * 2]
    assert all(one["incident"].startswith(f"{one['target']}@") for one in document["actions"])
    assert "serving: restart by docker at " in run_command("act", "status", "--state-dir", str(story.acting.state))
    for target in ("serving", "boxed"):
        whats = [line["what"] for line in story.acting.audit(target) if line["what"] not in ("decision", "decided")]
        assert whats == ["begun", "evidence", "done", "helped"]
    for target, times in (("serving", 1), ("boxed", 1), ("worsening", 2), ("healthy", 0)):
        assert story.counted("leakwatch_actions_total", container=target, action="restart", outcome="done") == times
    assert story.counted("leakwatch_notifications_total", channel="slack", outcome="delivered") >= 8
    assert story.counted("leakwatch_oom_events_total", container="serving") == 0
