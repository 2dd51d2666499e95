"""Webhooks over HTTP, and what the answers of any endpoint mean."""

import hashlib
import hmac
import json
import socket
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from leakwatch.ports import Notification, Stage
from leakwatch.tell import post as post_module
from leakwatch.tell.notice import as_document
from leakwatch.tell.post import place, post, retry_after
from leakwatch.tell.secrets import Secret
from leakwatch.tell.webhook import Webhook
from tests.fakes.http_receiver import Receiver

Make = Callable[..., Notification]
NOW = 1_790_000_000.4
SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schemas/notification.schema.json").read_text())
SECRET = Secret(None, "S", {"S": "hunter2"})


def test_the_body_is_the_published_document(receiver: Receiver, notification: Make) -> None:
    """What is posted is JSON by the schema, for a whole message and for a bare one."""
    for said in (notification(), notification(2, Stage.RESOLVED, diagnosis=None, action=None, outcome=None)):
        assert Webhook("webhook", f"{receiver.url}/hook", None, lambda: NOW).notify(said, {}).delivered
        got = receiver.got[-1]
        document = json.loads(got.body)
        Draft202012Validator(SCHEMA).validate(document)
        assert document == as_document(said)
        assert (got.method, got.path, got.headers["Content-Type"]) == ("POST", "/hook", "application/json")
        assert "X-Leakwatch-Signature" not in got.headers


def test_the_schema_names_every_field(notification: Make) -> None:
    """A field that is added without its place in the schema is found here."""
    assert set(SCHEMA["properties"]) == set(as_document(notification()))
    assert SCHEMA["additionalProperties"] is False


def test_a_signature_is_over_time_and_body(receiver: Receiver, notification: Make) -> None:
    """A receiver that follows the document verifies it, and sees that neither the body nor the time was changed."""
    assert Webhook("webhook", receiver.url, SECRET, lambda: NOW).notify(notification(), {}).delivered
    (got,) = receiver.got
    sent_at = got.headers["X-Leakwatch-Timestamp"]
    assert sent_at == "1790000000"
    expected = hmac.new(b"hunter2", sent_at.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Leakwatch-Signature"] == f"sha256={expected}"


def test_a_message_is_known_by_its_key_when_it_comes_again(receiver: Receiver, notification: Make) -> None:
    """A try that is made again carries the same key; another message, or another stage, another."""
    channel = Webhook("webhook", receiver.url, None, lambda: NOW)
    for said in (notification(), notification(), notification(2), notification(2, Stage.ACTED)):
        channel.notify(said, {})
    keys = [got.headers["Idempotency-Key"] for got in receiver.got]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_a_webhook_takes_the_turns_of_the_story() -> None:
    """One message when opened, one when acted, one when resolved or escalated."""
    assert Webhook.stages == {Stage.OPENED, Stage.ACTED, Stage.RESOLVED, Stage.ESCALATED}


@pytest.mark.parametrize(
    ("status", "headers", "delivered", "retry", "after"),
    [
        (200, {}, True, False, None),
        (204, {}, True, False, None),
        (429, {"Retry-After": "17"}, False, True, 17.0),
        (503, {"Retry-After": formatdate(NOW + 40, usegmt=True)}, False, True, 39.6),
        (503, {"Retry-After": "soon"}, False, True, None),
        (500, {}, False, True, None),
        (401, {}, False, True, None),
        (404, {}, False, True, None),
        (400, {}, False, False, None),
        (413, {}, False, False, None),
        (302, {"Location": "/elsewhere"}, False, False, None),
        (307, {"Location": "/elsewhere"}, False, False, None),
        (0, {}, False, True, None),
    ],
)
def test_what_an_answer_means(
    receiver: Receiver, status: int, headers: dict[str, str], delivered: bool, retry: bool, after: float | None
) -> None:
    """Trouble of the server and what somebody can mend is tried again; what it will never take is not."""
    receiver.answers = [(status, headers)]
    delivery = post(f"{receiver.url}/T0/SECRET?token=SECRET", b"{}", {}, NOW)
    assert (delivery.delivered, delivery.retry) == (delivered, retry)
    assert delivery.after_seconds == pytest.approx(after, abs=1.0) if after is not None else not delivery.after_seconds
    assert len(receiver.got) == 1
    assert "SECRET" not in delivery.detail


def test_an_endpoint_that_hangs_is_given_up(notification: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection and says nothing costs the time-out, and is tried again."""
    monkeypatch.setattr(post_module, "TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        delivery = post(f"http://127.0.0.1:{silent.getsockname()[1]}/", b"{}", {}, NOW)
    assert (delivery.delivered, delivery.retry) == (False, True)
    assert "no answer within" in delivery.detail


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://[", "http:///", "http://no.such.host.invalid/", "x:y"])
def test_an_address_that_leads_nowhere_is_told_in_one_line(url: str) -> None:
    """Refused, unknown or no address at all: a sentence, and no exception."""
    delivery = post(url, b"{}", {}, NOW)
    assert (delivery.delivered, delivery.retry) == (False, True)
    assert "\n" not in delivery.detail


@given(st.text(max_size=60))
def test_a_place_never_shows_more_than_the_host(text: str) -> None:
    """User, password, path and query stay out of every message, whatever the address looks like."""
    assert "SECRET" not in place(f"http://u:SECRET@host:80/SECRET?{text}#SECRET")


@given(st.text(max_size=40) | st.integers().map(str))
def test_any_retry_after_is_a_number_or_nothing(value: str) -> None:
    """A header that a stranger wrote never ends in an exception or a wait in the past."""
    seconds = retry_after({"retry-after": value}, NOW)
    assert seconds is None or seconds >= 0
