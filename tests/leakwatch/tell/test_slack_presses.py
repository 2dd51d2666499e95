"""Buttons of Slack over a real WebSocket: a press is an answer, once, for the question that was shown."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from leakwatch.ports import Notification
from leakwatch.tell.links import Links
from leakwatch.tell.secrets import Secret
from leakwatch.tell.slack import SlackBot
from leakwatch.tell.slack_presses import SlackPresses
from tests.fakes.slack_api import APP_TOKEN, TOKEN, Message, SlackApi
from tests.fakes.slack_socket import SlackSocket

DEADLINE_SECONDS = 60.0
TARGET = "serving <!channel> & co"


class Person:
    """A channel with one message that asks, and who presses its buttons."""

    def __init__(self, api: SlackApi, link: SlackSocket, app_token: str = APP_TOKEN) -> None:
        self.api, self.link, self.answers = api, link, list[tuple[Any, ...]]()
        bot = Secret(None, "BOT", {"BOT": TOKEN})
        self.presses = SlackPresses(Secret(None, "APP", {"APP": app_token}), bot, self.answer, api.url)
        self.channel = SlackBot(bot, "#oncall", Links(), time.time, api_url=api.url, buttons=lambda: self.presses.hears)

    def answer(self, *said: Any) -> str:
        self.answers.append(said)
        return f"restart is approved for an hour by {said[3]}"

    def press(self, head: Message, name: str, envelope: str, kind: str = "interactive", **user: str) -> None:
        """As Slack tells of it."""
        actions = next(block for block in head.blocks if block["type"] == "actions")
        (button,) = [one for one in actions["elements"] if one["text"]["text"] == name]
        message = {"ts": head.ts, "text": head.text, "blocks": head.blocks}
        pressed = {"type": "button", "action_id": button["action_id"], "value": button["value"]}
        payload = {"type": "block_actions", "user": {"id": "U1", "username": "ann", **user}, "actions": [pressed]}
        self.link.send(envelope, kind, {**payload, "channel": {"id": "C0ONCALL"}, "message": message})


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def link(slack_api: SlackApi) -> Iterator[SlackSocket]:
    """Slack's end of the connection."""
    one = SlackSocket().start()
    slack_api.socket_url = one.url
    yield one
    one.stop()


@pytest.fixture
def person(slack_api: SlackApi, link: SlackSocket) -> Iterator[Person]:
    """Somebody on call."""
    one = Person(slack_api, link)
    until(lambda: one.presses.hears)
    yield one
    one.presses.close()


def asked(person: Person, notification: Callable[..., Notification]) -> Message:
    said = notification(approval="leakwatch act approve serving", outcome=None, target=TARGET, key="serving@17")
    assert person.channel.notify(said, {}).delivered
    return person.api.heads[-1]


def test_a_press_is_an_answer_and_the_buttons_go(person: Person, notification: Callable[..., Notification]) -> None:
    """Target and incident are those of the message; who pressed is told; nobody can press again."""
    head = asked(person, notification)
    person.press(head, "Approve", "e1", username="ann <!here>")
    until(lambda: head.edits)
    assert person.answers == [(TARGET, "serving@17", True, "ann <!here> (U1)")]
    assert "actions" not in {block["type"] for block in head.blocks}
    shown = json.dumps(head.blocks)
    assert "restart is approved for an hour by ann" in shown and "<!here>" not in shown
    assert not person.api.broken


def test_a_denial_and_what_is_no_press(person: Person, notification: Callable[..., Notification]) -> None:
    """Deny says no; other events and payloads that are none of ours end nothing."""
    head = asked(person, notification)
    person.link.send("e1", "events_api", {"event": {"type": "message"}})
    person.link.send("e2", "interactive", {"actions": "what?"})
    person.link.send("e3", "interactive", {"user": {"id": "U"}, "actions": [{"action_id": "other", "value": "x"}]})
    person.press(head, "Deny", "e4")
    until(lambda: person.answers)
    assert person.answers == [(TARGET, "serving@17", False, "ann (U1)")]


@pytest.mark.slow
def test_a_connection_that_breaks_is_opened_again(person: Person, notification: Callable[..., Notification]) -> None:
    """Slack itself hangs up every few hours."""
    head = asked(person, notification)
    person.link.hang_up()
    until(lambda: person.link.connections > 1)
    person.press(head, "Approve", "e1")
    until(lambda: person.answers)


def test_without_a_connection_no_button_is_shown(
    slack_api: SlackApi, link: SlackSocket, notification: Callable[..., Notification], caplog: pytest.LogCaptureFixture
) -> None:
    """A token that Slack refuses is told once, without itself; the message has the command alone."""
    with caplog.at_level(logging.DEBUG):
        one = Person(slack_api, link, app_token="xapp-wrong-hunter2")
        until(lambda: [record for record in caplog.records if "nobody hears the buttons" in record.getMessage()])
        head = asked(one, notification)
        one.presses.close()
    assert "actions" not in {block["type"] for block in head.blocks}
    said = " ".join(record.getMessage() for record in caplog.records)
    assert re.search("invalid_auth; check the app token", said) and "hunter2" not in said
