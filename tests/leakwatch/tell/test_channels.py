"""From settings and secrets to channels."""

import io
import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kubernetes import client, config

from leakwatch.errors import SettingsError
from leakwatch.ports import Notification, Severity, Stage
from leakwatch.settings import (
    AlertmanagerSettings,
    KubernetesPlace,
    PidPlace,
    SlackSettings,
    TargetSettings,
    TellSettings,
    WebhookSettings,
)
from leakwatch.tell.channels import notifiers
from leakwatch.tell.kubernetes_events import KubernetesEvents
from leakwatch.tell.lines import Lines
from leakwatch.tell.pod_events import MOST_TEXT, PodPlace
from leakwatch.tell.secrets import Secret, SecretError
from leakwatch.tell.slack import SlackBot, SlackWebhook
from tests.fakes.kubernetes_api import Fault, KubernetesApi
from tests.fakes.kubernetes_store import RefusedError

Make = Callable[..., Notification]
NOW = 1_790_000_000.0


def names(settings: TellSettings, environment: dict[str, str]) -> list[str]:
    return [channel.name for channel in notifiers(settings, (), lambda: NOW, environment)]


def test_every_channel_of_the_settings_is_there(tmp_path: Path) -> None:
    """The terminal always, the others as they are named; each has a name of its own."""
    secret = tmp_path / "secret"
    secret.write_text("http://127.0.0.1:1/hook\n")
    hooks = (WebhookSettings("http://a/"), WebhookSettings("http://b/", str(secret)))
    settings = TellSettings(SlackSettings(str(secret)), hooks, AlertmanagerSettings("http://c"), True)
    wanted = ["terminal", "slack", "webhook-1", "webhook-2", "alertmanager", "kubernetes_events"]
    assert names(settings, {}) == wanted
    assert names(TellSettings(), {}) == ["terminal"]


@pytest.mark.parametrize(
    ("slack", "environment", "kind"),
    [
        (None, {"LEAKWATCH_SLACK_WEBHOOK_URL": "http://x/"}, SlackWebhook),
        (SlackSettings(channel="C1"), {"LEAKWATCH_SLACK_BOT_TOKEN": "xoxb"}, SlackBot),
        (SlackSettings(channel="C1"), {"LEAKWATCH_SLACK_BOT_TOKEN": "t", "LEAKWATCH_SLACK_WEBHOOK_URL": "u"}, SlackBot),
        (None, {}, type(None)),
        (None, {"LEAKWATCH_SLACK_WEBHOOK_URL": ""}, type(None)),
    ],
)
def test_slack_is_on_where_a_secret_is_in_the_environment(
    slack: SlackSettings | None, environment: dict[str, str], kind: type
) -> None:
    """A container without files needs a variable and nothing more."""
    found = notifiers(TellSettings(slack), (), lambda: NOW, environment)
    assert isinstance(next((channel for channel in found if channel.name == "slack"), None), kind)


def test_a_secret_that_is_missing_stops_nobody_and_is_told(tmp_path: Path, notification: Make) -> None:
    """The agent starts and watches; each channel says which file it wants, and the message is kept."""
    missing = str(tmp_path / "no")
    hooks = (WebhookSettings("http://127.0.0.1:1/", missing),)
    for slack in (SlackSettings(missing), SlackSettings(None, missing, "C1")):
        for channel in notifiers(TellSettings(slack, hooks), (), lambda: NOW, {})[1:]:
            delivery = channel.notify(notification(), {})
            assert (delivery.delivered, delivery.retry) == (False, True)
            assert delivery.detail == f"{missing}: No such file or directory; check the path and who may read it"


@pytest.mark.parametrize("slack", [SlackSettings(), SlackSettings(channel="C1")])
def test_a_slack_without_a_secret_says_what_it_needs(slack: SlackSettings) -> None:
    """One line that names every way."""
    with pytest.raises(SettingsError, match="LEAKWATCH_SLACK_WEBHOOK_URL"):
        notifiers(TellSettings(slack), (), lambda: NOW, {})


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"abc\n", "abc"), (b"abc", "abc"), (b"  abc \r\n", "abc"), (b"", None), (b"\n", None), (b"\xff\xfe", None)],
)
def test_a_secret_file_is_read_with_or_without_its_final_newline(
    tmp_path: Path, content: bytes, expected: str | None
) -> None:
    """What editors and `kubectl create secret` leave around it is taken off; an unusable one is one line."""
    file = tmp_path / "secret"
    file.write_bytes(content)
    if expected is not None:
        assert Secret(str(file), "X", {}).value() == expected
        return
    with pytest.raises(SecretError, match=str(file)):
        Secret(str(file), "X", {}).value()


def test_a_rotated_secret_is_taken_up(tmp_path: Path) -> None:
    """The file is read at each use, so that nobody has to restart the agent."""
    file = tmp_path / "secret"
    secret = Secret(str(file), "X", {})
    for value in ("old", "new"):
        file.write_text(value)
        assert secret.value() == value


def test_a_secret_shows_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a settings error, nor a value's own text, nor a log holds what the secret is."""
    with caplog.at_level(logging.DEBUG):
        secret = Secret(None, "TOKEN", {"TOKEN": "xoxb-SECRET"})
        found = notifiers(TellSettings(), (), lambda: NOW, {"LEAKWATCH_SLACK_WEBHOOK_URL": "http://x/SECRET"})
    assert "SECRET" not in repr(secret) + repr(found) + caplog.text


def test_the_terminal_gets_one_harmless_line(notification: Make) -> None:
    """Whatever is in the title stays on its line and commands nothing; a terminal that is gone is no reason to fail."""
    stream = io.StringIO()
    said = notification(title="LEAK a\x1b[2J\nb: grows", approval="leakwatch act approve a")
    assert Lines(stream).notify(said, {}).delivered
    assert stream.getvalue() == (
        "2026-09-21T14:13:20Z critical LEAK a\\x1b[2J\\nb: grows; approve with: leakwatch act approve a\n"
    )
    stream.close()
    assert not Lines(stream).notify(said, {}).delivered


# ---------------------------------------------------------------------------------------------------------------------
# Kubernetes Events, with the official client
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def core(kubernetes_api: KubernetesApi, tmp_path: Path) -> client.CoreV1Api:
    """The official client before a cluster with two replicas of serving."""
    kubernetes_api.cluster.add_deployment("ml", "serving", replicas=2)
    settings = client.Configuration()
    config.load_kube_config(str(kubernetes_api.kubeconfig(tmp_path / "kubeconfig")), client_configuration=settings)
    settings.retries = 0
    core = client.CoreV1Api(client.ApiClient(settings))
    deadline = time.monotonic() + 30
    while len(pods(core)) < 2:  # the cluster's controllers make them
        assert time.monotonic() < deadline, "no pods"
        time.sleep(0.01)
    return core


def pods(core: client.CoreV1Api) -> list[client.V1Pod]:
    return list(core.list_namespaced_pod("ml").items)


def test_a_pod_gets_an_event_once(core: client.CoreV1Api, notification: Make) -> None:
    """`kubectl describe pod` tells the story; a message that is sent again is not told again."""
    pod = pods(core)[0]
    channel = KubernetesEvents({"serving": PodPlace("ml", pod.metadata.name)}, lambda: NOW, core)
    for _ in range(2):
        assert channel.notify(notification(), {}).delivered
    assert channel.notify(notification(2, Stage.RESOLVED, severity=Severity.INFO), {}).delivered
    events = core.list_namespaced_event("ml").items
    mine = [event for event in events if event.source.component == "leakwatch"]
    mine.sort(key=lambda event: event.reason)
    assert [(event.reason, event.type) for event in mine] == [
        ("MemoryIncidentOpened", "Warning"),
        ("MemoryIncidentResolved", "Normal"),
    ]
    assert mine[0].message == notification().title
    assert mine[0].involved_object.uid == pod.metadata.uid


def test_a_pod_that_has_gone_still_gets_the_end_of_its_story(core: client.CoreV1Api, notification: Make) -> None:
    """An evicted pod: `kubectl get events` shows that its incident was resolved."""
    pod = pods(core)[0]
    channel = KubernetesEvents({"serving": PodPlace("ml", pod.metadata.name)}, lambda: NOW, core)
    assert channel.notify(notification(), {}).delivered
    core.delete_namespaced_pod(pod.metadata.name, "ml", grace_period_seconds=0)
    deadline = time.monotonic() + 30
    while pod.metadata.uid in [one.metadata.uid for one in pods(core)]:
        assert time.monotonic() < deadline, "it did not go"
        time.sleep(0.01)
    assert channel.notify(notification(2, Stage.RESOLVED, severity=Severity.INFO), {}).delivered
    events = [one for one in core.list_namespaced_event("ml").items if one.source.component == "leakwatch"]
    assert {(one.reason, one.involved_object.uid) for one in events} == {
        ("MemoryIncidentOpened", pod.metadata.uid),
        ("MemoryIncidentResolved", pod.metadata.uid),
    }


def test_a_selector_reaches_every_pod(core: client.CoreV1Api, notification: Make) -> None:
    """Each replica that the selector names has the event; a target that is no pod has none."""
    labels = pods(core)[0].metadata.labels
    selector = ",".join(f"{key}={value}" for key, value in labels.items() if key == "app")
    channel = KubernetesEvents({"serving": PodPlace("ml", selector=selector)}, lambda: NOW, core)
    assert channel.notify(notification(), {}).detail == "2 pods have the event"
    assert channel.notify(notification(target="elsewhere"), {}).delivered


@pytest.mark.parametrize(
    ("fault", "retry", "said"),
    [
        (Fault("POST", "/events", RefusedError(403, "Forbidden", "no")), True, "create on events"),
        (Fault("POST", "/events", RefusedError(429, "TooManyRequests", "later")), True, "429"),
        (Fault("POST", "/events", RefusedError(500, "InternalError", "oh")), True, "500"),
        (Fault("POST", "/events", RefusedError(422, "Invalid", "bad")), False, "422"),
        (Fault("GET", "/pods", hang_up=True), True, "cannot be reached"),
    ],
)
def test_an_api_that_refuses_is_told_with_the_missing_rule(
    kubernetes_api: KubernetesApi, core: client.CoreV1Api, notification: Make, fault: Fault, retry: bool, said: str
) -> None:
    """Forbidden names the rule, trouble is tried again, a bad event is not."""
    channel = KubernetesEvents({"serving": PodPlace("ml", pods(core)[0].metadata.name)}, lambda: NOW, core)
    kubernetes_api.faults.append(fault)
    delivery = channel.notify(notification(), {})
    assert (delivery.delivered, delivery.retry) == (False, retry)
    assert said in delivery.detail


def test_a_long_title_fits_an_event(core: client.CoreV1Api, notification: Make) -> None:
    """What the API server would refuse is cut, by bytes."""
    channel = KubernetesEvents({"serving": PodPlace("ml", pods(core)[0].metadata.name)}, lambda: NOW, core)
    assert channel.notify(notification(title="ö" * 3000), {}).delivered
    mine = [e for e in core.list_namespaced_event("ml").items if e.source.component == "leakwatch"]
    assert 900 < len(mine[0].message.encode()) <= MOST_TEXT


def test_targets_find_their_pods() -> None:
    """A Kubernetes target is its own pods; another is the pod that the agent runs in, where the variables tell it."""
    place = KubernetesPlace("ml", "serving", selector="app=serving")
    targets = (TargetSettings("a", place), TargetSettings("b", PidPlace(1)))
    settings = TellSettings(kubernetes_events=True)
    environment = {"POD_NAME": "serving-0", "POD_NAMESPACE": "ml"}
    found = notifiers(settings, targets, lambda: NOW, environment)[-1]
    assert isinstance(found, KubernetesEvents)
    assert dict(found._places) == {"a": PodPlace("ml", None, "app=serving"), "b": PodPlace("ml", "serving-0")}
