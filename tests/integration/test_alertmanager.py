"""A real Alertmanager takes the alert, keeps it while it is open, and lets it go."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leakwatch.ports import Notification, Severity, Stage
from leakwatch.tell.alertmanager import ENDS_AFTER_SECONDS, Alertmanager
from leakwatch.tell.links import Links
from leakwatch.tell.trial import trial
from tests.fakes.http_receiver import Receiver

pytestmark = pytest.mark.skipif(shutil.which("prometheus-alertmanager") is None, reason="needs prometheus-alertmanager")

LINKS = Links("http://grafana.example/d/x?var={target}", "http://wiki.example/{target}")


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


@pytest.fixture
def alertmanager(tmp_path: Path, receiver: Receiver) -> Iterator[str]:
    """The address of an Alertmanager that tells ``receiver`` at once."""
    config = tmp_path / "alertmanager.yml"
    config.write_text(
        f"""
route: {{receiver: hook, group_by: [incident], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{receiver.url}/", send_resolved: true}}]}}]
"""
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = ["prometheus-alertmanager", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
    command += ["--cluster.listen-address=", f"--storage.path={tmp_path}/data", "--log.level=error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: ready(url))
        yield url
    finally:
        process.terminate()
        process.wait(30)


def ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def told(now: float, number: int, stage: Stage, severity: Severity = Severity.WARNING) -> Notification:
    """A message of one incident."""
    return replace(trial("serving", now), key="serving@1", number=number, stage=stage, severity=severity)


def test_an_incident_is_one_alert_from_its_opening_to_its_end(alertmanager: str, receiver: Receiver) -> None:
    """It fires once, an update changes its words and no more, and its end is passed on as resolved."""
    now = time.time()
    channel, thread = Alertmanager(alertmanager, LINKS, time.time), {}
    for number, stage in ((1, Stage.OPENED), (2, Stage.UPDATED)):
        delivery = channel.notify(told(now, number, stage), thread)
        assert delivery.delivered, delivery.detail
        thread = dict(delivery.thread or {})
    until(lambda: asked(f"{alertmanager}/api/v2/alerts"))
    (alert,) = asked(f"{alertmanager}/api/v2/alerts")
    assert alert["labels"] == {
        "alertname": "LeakwatchIncident", "container": "serving", "incident": "serving@1", "severity": "warning",
    }  # fmt: skip
    assert alert["annotations"]["stage"] == "updated"
    assert alert["annotations"]["runbook_url"] == "http://wiki.example/serving"
    assert alert["generatorURL"] == "http://grafana.example/d/x?var=serving"
    until(lambda: receiver.got)
    assert channel.notify(told(now, 3, Stage.RESOLVED, Severity.INFO), thread).delivered
    until(lambda: json.loads(receiver.got[-1].body)["status"] == "resolved")
    assert asked(f"{alertmanager}/api/v2/alerts") == []


def test_an_alert_that_gets_louder_takes_the_place_of_the_one_before(alertmanager: str) -> None:
    """Routes go by the severity: the louder alert is there and the quieter one is over."""
    now = time.time()
    channel = Alertmanager(alertmanager, LINKS, time.time)
    thread = dict(channel.notify(told(now, 1, Stage.OPENED), {}).thread or {})
    assert channel.notify(told(now, 2, Stage.ESCALATED, Severity.CRITICAL), thread).delivered
    until(lambda: [a["labels"]["severity"] for a in asked(f"{alertmanager}/api/v2/alerts")] == ["critical"])


def test_an_alert_lives_as_long_as_it_is_repeated(alertmanager: str) -> None:
    """A repetition puts off its end; without one it ends by itself, since an agent that is gone knows nothing."""
    now = time.time()
    early = Alertmanager(alertmanager, LINKS, lambda: now - ENDS_AFTER_SECONDS + 3)  # as told almost five minutes ago
    thread = dict(early.notify(told(now, 1, Stage.OPENED), {}).thread or {})
    until(lambda: asked(f"{alertmanager}/api/v2/alerts") == [])
    assert Alertmanager(alertmanager, LINKS, time.time).notify(told(now, 1, Stage.OPENED), thread).delivered
    until(lambda: len(asked(f"{alertmanager}/api/v2/alerts")) == 1)
    (alert,) = asked(f"{alertmanager}/api/v2/alerts")
    assert alert["endsAt"] > alert["updatedAt"]
