"""The whole agent on a cluster: one of two replicas leaks, is evicted within its budget, and its Events tell the story.

The API server is the fake one, over HTTP, which allows what the shipped Roles allow; agent and client are real.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.kubernetes_api import KubernetesApi
from tests.fakes.kubernetes_store import EVENTS
from tests.fakes.shipped_roles import rules_of

pytestmark = pytest.mark.slow

MIB = 2**20
DEADLINE_SECONDS = 300.0
RIGHTS = ("observe", "evict", "rollout", "lease", "events", "evidence")
PROXY = "/api/v1/nodes/n1/proxy/stats/summary"


class Scene:
    """A deployment, the memory of whose pods is told by the kubelet's summary; and an agent that watches it."""

    def __init__(self, api: KubernetesApi, folder: Path, replicas: int) -> None:
        self.api, self.folder, self.cluster = api, folder, api.cluster
        self.process: subprocess.Popen[str] | None = None
        self.cluster.add_node("n1")
        resources = {"limits": {"memory": "512Mi"}, "requests": {"memory": "512Mi"}}
        self.cluster.add_deployment("ml", "serving", replicas, resources=resources)
        self.cluster.add_budget("ml", "serving", "serving", maxUnavailable=1)
        pods = self.cluster.wait_for(lambda: found if len(found := self.ready()) == replicas else None)
        self.before = {pod["metadata"]["uid"] for pod in pods}
        self.leaker = pods[0]["metadata"]
        self._over = threading.Event()
        self._teller = threading.Thread(target=self._tell, daemon=True)
        self._teller.start()

    def ready(self) -> list[dict[str, Any]]:
        return list(self.cluster.ready_pods("ml", "app=serving"))

    def _tell(self) -> None:
        began = time.monotonic()
        while not self._over.wait(0.1):
            grown = max(time.monotonic() - began - 8.0, 0.0) * 4.0
            entries = []
            for pod in self.ready():
                uid = pod["metadata"]["uid"]
                used = int((100.0 + (grown if uid == self.leaker["uid"] else 0.0)) * MIB)
                memory = {"workingSetBytes": used, "usageBytes": used, "rssBytes": used}
                entries.append({"podRef": {"uid": uid}, "containers": [{"name": "serving", "memory": memory}]})
            self.cluster.pages[PROXY] = ("application/json", json.dumps({"pods": entries}).encode())

    def begin(self, act: str, *rights: str) -> None:
        """The agent in a process of its own, with so many rights more."""
        self.cluster.accounts["leakwatch"] = ("system:serviceaccount:ml:leakwatch", tuple(rules_of(*RIGHTS, *rights)))
        config = self.folder / "agent.yaml"
        config.write_text(
            f"sample_every: 250ms\njudge_every: 500ms\nlisten: off\nstate_dir: {self.folder / 'state'}\n"
            "targets: [{name: serving, kubernetes: {namespace: ml, selector: app=serving, container: serving}}]\n"
            f"act: {{min_uptime: 1s, act_before_limit: 10m, cooldown: 1s, {act}}}\n"
            "tell: {kubernetes_events: true}\n"
        )
        environment = {**os.environ, "KUBECONFIG": str(self.api.kubeconfig(self.folder / "kubeconfig", "leakwatch"))}
        command = [sys.executable, "-m", "leakwatch", "agent", "--config", str(config)]
        with (self.folder / "agent.log").open("w") as log:
            self.process = subprocess.Popen(command, env=environment, stderr=log, text=True)

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + DEADLINE_SECONDS
        while not (found := holds()):
            log = (self.folder / "agent.log").read_text()
            assert self.process is not None and self.process.poll() is None, log
            assert time.monotonic() < end, f"{what}: {self.events()}\n{log}"
            time.sleep(0.1)
        return found

    def events(self) -> dict[str, dict[str, Any]]:
        """By reason."""
        return {one["reason"]: one for one in self.cluster.store.find(EVENTS, "ml") if "leakwatch" in str(one)}

    def audit(self) -> list[dict[str, Any]]:
        lines = (self.folder / "state" / "audit.jsonl").read_bytes().split(b"\n")
        return [json.loads(line) for line in lines[:-1]]

    def evictions(self) -> int:
        return sum(1 for one in self.api.requests if one.path.endswith("/eviction"))

    def end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
        self._over.set()
        self._teller.join()


@pytest.fixture
def scene(kubernetes_api: KubernetesApi, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Of two replicas, unless the test says how many."""
    one = Scene(kubernetes_api, tmp_path, getattr(request, "param", 2))
    yield one
    one.end()


def test_a_leaking_replica_is_evicted_and_its_events_tell_why(scene: Scene) -> None:
    """The limit may not be raised, which is told with the missing rule; so it is evicted, once, within its budget. Its
    successor is ready: the incident ends, though no sample of the pod comes any more, and nobody is called."""
    scene.begin("dry_run: false")
    scene.until(lambda: "MemoryIncidentResolved" in scene.events(), "the end of the incident")
    told = scene.events()
    expected = {"MemoryIncidentOpened", "MemoryActionDecided", "MemoryIncidentActed", "MemoryIncidentResolved"}
    assert expected <= told.keys()
    assert {one["involvedObject"]["uid"] for one in told.values()} == {scene.leaker["uid"]}
    scene.until(lambda: len(scene.ready()) == 2, "two replicas")
    after = {pod["metadata"]["uid"] for pod in scene.ready()}
    assert (scene.evictions(), after & scene.before) == (1, scene.before - {scene.leaker["uid"]})
    log = (scene.folder / "agent.log").read_text()
    assert re.search(r"could not raise the limit .* 403: .* add to the role: .*pods/resize.*; nothing was touched", log)
    looks = len(scene.api.requests)
    scene.until(lambda: len(scene.api.requests) > looks + 60, "a while in which the agent goes on looking")
    assert "RESOLVED" in (scene.folder / "agent.log").read_text().splitlines()[-1]
    audit = scene.audit()
    whats = [line["what"] for line in audit if line["what"] not in ("decision", "decided", "evidence")]
    assert whats == ["begun", "failed", "begun", "done", "helped"]
    assert not any(line.get("ruling") == "escalate" for line in audit)


def test_a_dry_run_asks_for_no_eviction_and_counts_its_decisions(scene: Scene) -> None:
    """Made at every judgement, told as one Event; neither a pod nor a lease is touched."""
    scene.begin("dry_run: true")
    scene.until(lambda: "MemoryActionDryRun" in scene.events(), "a dry run's Event")
    scene.until(lambda: len(scene.audit()) > 8, "several judgements more")
    would = {line["target"] for line in scene.audit() if line.get("ruling") == "would_act"}
    assert would == {f"serving/{scene.leaker['name']}"}
    scene.end()
    changed = {(one.method, one.path.rsplit("/", 1)[-1].split(".")[0]) for one in scene.api.requests}
    assert {one for one in changed if one[0] != "GET"} == {("POST", "events"), ("PATCH", "leakwatch")}
    assert scene.events()["MemoryActionDryRun"]["count"] > 3
    assert scene.evictions() == 0


@pytest.mark.parametrize("scene", [1], indirect=True)
def test_a_single_replica_gets_a_higher_limit_and_is_then_rolled_out(scene: Scene) -> None:
    """The cheapest remedy first, in place; when the limit is near again, the new pod serves before the old one goes."""
    scene.begin("dry_run: false", "resize")
    scene.until(lambda: "MemoryIncidentResolved" in scene.events(), "the end of the incident")
    audit = scene.audit()
    whats = [line["what"] for line in audit if line["what"] not in ("decision", "decided", "evidence")]
    assert whats == ["begun", "done", "bought_time", "begun", "done", "helped"]
    [raised, rolled_out] = [line["sentence"] for line in audit if line["what"] == "done"]
    assert "is now 640 MiB, until it is replaced" in raised
    assert rolled_out == "ml/deployment/serving was rolled out anew, and its workload is whole again"
    assert scene.evictions() == 0
    assert scene.leaker["uid"] not in {pod["metadata"]["uid"] for pod in scene.ready()}
    near = [
        reason["sentence"]
        for line in audit
        if line.get("ruling") == "act"
        for reason in line["reasons"]
        if reason["gate"] == "limit_near"
    ]
    assert len(near) >= 2  # under the first limit, and under the higher one
    assert all(re.match(r"the limit may be reached in \d+ (s|min)\b", sentence) for sentence in near)
