"""Slack over HTTP, with slack_sdk itself and a stand-in that refuses what Slack would."""

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.ports import Action, Notification, Stage
from leakwatch.tell import slack_blocks, slack_text
from leakwatch.tell.links import Links
from leakwatch.tell.secrets import Secret
from leakwatch.tell.slack import SlackBot, SlackWebhook
from playbooks.types import Action as Remedy
from playbooks.types import Confidence, Diagnosis, Step
from tests.fakes.slack_api import SlackApi, SlackFault
from tests.fakes.slack_limits import problems

Make = Callable[..., Notification]
LINKS = Links("https://grafana.example/d/x?var={target}&a=1", "https://wiki.example/leak#{target}")
NOW = 1_790_000_000.0


def bot(api: SlackApi, channel: str = "#oncall", **more: Any) -> SlackBot:
    token = Secret(None, "TOKEN", {"TOKEN": api.TOKEN})
    return SlackBot(token, channel, LINKS, lambda: NOW, api_url=api.url, **more)


def webhook(api: SlackApi, **more: Any) -> SlackWebhook:
    return SlackWebhook(Secret(None, "URL", {"URL": api.webhook_url}), LINKS, lambda: NOW, **more)


def all_text(blocks: list[dict[str, Any]]) -> str:
    return repr(blocks)


def test_one_incident_is_one_thread_under_a_head_that_tells_how_things_stand(
    slack_api: SlackApi, notification: Make
) -> None:
    """Opened, updated, acted, resolved: one message in the channel, brought up to date, and the story beneath it."""
    channel, thread = bot(slack_api), {}
    for number, stage in enumerate((Stage.OPENED, Stage.UPDATED, Stage.ACTED, Stage.RESOLVED), start=1):
        delivery = channel.notify(notification(number, stage, title=f"the title of {stage}"), thread)
        assert delivery.delivered, delivery.detail
        thread = dict(delivery.thread or thread)
    (head,) = slack_api.heads
    assert head.edits == 3
    assert "the title of resolved" in head.text
    assert ["the title of updated" in m.text for m in slack_api.replies(head)] == [True, False, False]
    assert len(slack_api.replies(head)) == 3
    assert not slack_api.broken


def test_the_chart_is_uploaded_and_shown(slack_api: SlackApi, notification: Make) -> None:
    """The head holds the picture as a file of Slack's own, and keeps it when a later message has none."""
    channel = bot(slack_api)
    delivery = channel.notify(notification(), {})
    (head,) = slack_api.heads
    (image,) = (block for block in head.blocks if block["type"] == "image")
    assert slack_api.files[image["slack_file"]["id"]] == notification().chart_png
    channel.notify(notification(2, Stage.UPDATED, chart_png=None), dict(delivery.thread or {}))
    assert image["slack_file"] in [block.get("slack_file") for block in slack_api.heads[0].blocks]


@pytest.mark.parametrize(
    "fault",
    [
        SlackFault("files.getUploadURLExternal", error="missing_scope"),
        SlackFault("files.getUploadURLExternal", status=500),
        SlackFault("upload", status=503),
        SlackFault("upload", hang_up=True),
        SlackFault("files.completeUploadExternal", error="file_not_found"),
        SlackFault("chat.postMessage", error="invalid_blocks", times=1),
    ],
    ids=lambda fault: fault.method + fault.error,
)
def test_without_the_picture_the_sparkline_is_shown(slack_api: SlackApi, notification: Make, fault: SlackFault) -> None:
    """A chart that cannot be uploaded or shown costs the chart, never the message."""
    slack_api.faults.append(fault)
    assert bot(slack_api).notify(notification(), {}).delivered
    (head,) = slack_api.heads
    assert "▁▂▃▄▅▆▇█" in all_text(head.blocks)
    assert "image" not in {block["type"] for block in head.blocks}


def test_blocks_that_slack_refuses_are_told_as_text(slack_api: SlackApi, notification: Make) -> None:
    """Whatever Slack has against the form, the first line arrives."""
    slack_api.faults.append(SlackFault("chat.postMessage", error="invalid_blocks", times=2))
    assert bot(slack_api).notify(notification(), {}).delivered
    slack_api.faults.append(SlackFault("webhook", status=400, error="invalid_blocks", times=1))
    assert webhook(slack_api).notify(notification(), {}).delivered
    assert [m.blocks for m in slack_api.heads] == [[], []]
    assert all("LEAK serving" in m.text for m in slack_api.heads)


def test_a_webhook_gets_messages_that_stand_alone(slack_api: SlackApi, notification: Make) -> None:
    """It takes no updates; what it takes tells the whole story with the trend as text and no picture."""
    channel = webhook(slack_api)
    assert Stage.UPDATED not in channel.stages
    for number, stage in enumerate((Stage.OPENED, Stage.ACTED, Stage.RESOLVED), start=1):
        assert channel.notify(notification(number, stage), {}).delivered
    assert len(slack_api.heads) == 3
    for message in slack_api.heads:
        assert "▁▂▃▄▅▆▇█" in all_text(message.blocks)
        assert message.blocks[0]["text"]["text"].endswith(notification().title)
    assert not slack_api.broken


@pytest.mark.parametrize("make", [bot, webhook])
@pytest.mark.parametrize(
    ("fault", "after", "detail"),
    [
        ({"status": 429, "retry_after": 31}, 31, "429|ratelimited|rate_limited|trouble"),
        ({"status": 500}, None, "500"),
        ({"status": 503, "retry_after": 5}, 5, "503"),
        ({"hang_up": True}, None, "cannot be reached"),
    ],
)
def test_a_slack_in_trouble_is_tried_again(
    slack_api: SlackApi, notification: Make, make: Callable[..., Any], fault: dict[str, Any], after: float, detail: str
) -> None:
    """429 with its Retry-After, errors of the server and lost connections are worth another try."""
    for method in ("chat.postMessage", "webhook"):
        slack_api.faults.append(SlackFault(method, **fault))
    delivery = make(slack_api).notify(notification(), {})
    assert (delivery.delivered, delivery.retry, delivery.after_seconds) == (False, True, after)
    assert re.search(detail, delivery.detail), delivery.detail


@pytest.mark.parametrize("make", [bot, webhook])
def test_a_slack_that_is_not_there_is_tried_again(
    slack_api: SlackApi, notification: Make, make: Callable[..., Any]
) -> None:
    """A refused connection says so in one line."""
    channel = make(slack_api)
    slack_api.stop()
    delivery = channel.notify(notification(), {})
    assert (delivery.delivered, delivery.retry) == (False, True)
    assert "Connection refused" in delivery.detail


def test_a_wrong_channel_or_token_is_kept_until_it_is_mended(slack_api: SlackApi, notification: Make) -> None:
    """The message waits, and the detail says what to mend."""
    token = Secret(None, "TOKEN", {"TOKEN": "xoxb-wrong"})
    delivery = SlackBot(token, "#oncall", LINKS, lambda: NOW, api_url=slack_api.url).notify(notification(), {})
    assert (delivery.delivered, delivery.retry) == (False, True)
    assert delivery.detail == "Slack answered invalid_auth; check the bot token"
    right = Secret(None, "TOKEN", {"TOKEN": slack_api.TOKEN})
    delivery = SlackBot(right, "#nowhere", LINKS, lambda: NOW, api_url=slack_api.url).notify(notification(), {})
    assert delivery.retry and "invite the bot" in delivery.detail


def test_a_message_that_arrived_is_not_said_again(slack_api: SlackApi, notification: Make) -> None:
    """The answer was lost after Slack took the message: the next try finds it there and takes up its thread."""
    channel = bot(slack_api, "C0ONCALL")
    slack_api.faults.append(SlackFault("chat.postMessage", hang_up=True, after=True, times=1))
    assert channel.notify(notification(), {}).retry
    delivery = channel.notify(notification(), {}, again=True)
    assert delivery.delivered and delivery.thread is not None
    assert len(slack_api.heads) == 1
    slack_api.faults.append(SlackFault("chat.postMessage", hang_up=True, after=True, times=1))
    assert channel.notify(notification(2, Stage.ACTED), delivery.thread).retry
    assert channel.notify(notification(2, Stage.ACTED), delivery.thread, again=True).delivered
    assert len(slack_api.replies(slack_api.heads[0])) == 1


def test_without_the_right_to_look_it_is_said_again(slack_api: SlackApi, notification: Make) -> None:
    """Rather twice than never; a channel that is given by its name cannot be asked either."""
    slack_api.scopes.discard("channels:history")
    for channel in ("C0ONCALL", "#oncall"):
        assert bot(slack_api, channel).notify(notification(), {}, again=True).delivered
    assert len(slack_api.heads) == 2


def test_a_head_that_somebody_deleted_is_posted_anew(slack_api: SlackApi, notification: Make) -> None:
    """The incident goes on in a new thread."""
    channel = bot(slack_api)
    delivery = channel.notify(notification(), {})
    slack_api.messages.clear()
    delivery = channel.notify(notification(2, Stage.ACTED), dict(delivery.thread or {}))
    assert delivery.delivered
    (head,) = slack_api.heads
    assert delivery.thread is not None and delivery.thread["ts"] == head.ts


def test_an_escalation_is_seen_in_the_channel(slack_api: SlackApi, notification: Make) -> None:
    """A reply that a person has to act on is not left in a thread that nobody follows."""
    channel = bot(slack_api)
    delivery = channel.notify(notification(), {})
    channel.notify(notification(2, Stage.ACTED), dict(delivery.thread or {}))
    channel.notify(notification(3, Stage.ESCALATED), dict(delivery.thread or {}))
    assert [m.broadcast for m in slack_api.replies(slack_api.heads[0])] == [False, True]


@pytest.mark.parametrize(("buttons", "kinds"), [(True, {"actions"}), (False, set())])
def test_approval_has_its_command_and_buttons_where_they_were_asked_for(
    slack_api: SlackApi, notification: Make, buttons: bool, kinds: set[str]
) -> None:
    """While nobody would hear a press the command alone is shown."""
    said = notification(approval="leakwatch act approve serving", outcome=None)
    assert bot(slack_api, buttons=lambda: buttons).notify(said, {}).delivered
    (head,) = slack_api.heads
    assert "`leakwatch act approve serving`" in all_text(head.blocks)
    assert {block["type"] for block in head.blocks} & {"actions"} == kinds
    assert not slack_api.broken


def test_a_webhook_says_where_a_message_may_have_come_before(slack_api: SlackApi, notification: Make) -> None:
    """An answer was lost, and nobody can ask a webhook: the second message says that it may be the first again."""
    slack_api.faults.append(SlackFault("webhook", hang_up=True, after=True, times=1))
    channel = webhook(slack_api)
    assert not channel.notify(notification(3), {}).delivered
    assert channel.notify(notification(3), {}, again=True).delivered
    first, second = (all_text(head.blocks[-1:]) for head in slack_api.heads)
    assert "#3" in first and "sent again" not in first
    assert "sent again: it is the same message where you have #3 already" in second


def test_links_to_runbook_and_dashboard_go_with_each_message(slack_api: SlackApi, notification: Make) -> None:
    """The target's name is in them, as an address spells it."""
    assert webhook(slack_api).notify(notification(target="a b/c"), {}).delivered
    foot = all_text(slack_api.heads[0].blocks[-1:])
    assert "<https://grafana.example/d/x?var=a%20b%2Fc&amp;a=1|Dashboard>" in foot
    assert "<https://wiki.example/leak#a%20b%2Fc|Runbook>" in foot


@pytest.mark.parametrize("make", [bot, webhook])
@pytest.mark.parametrize(
    "fault", [{}, {"status": 429}, {"status": 500}, {"hang_up": True}, {"error": "invalid_auth"}, {"status": 404}]
)
def test_no_secret_is_in_a_log_or_a_detail(
    slack_api: SlackApi,
    notification: Make,
    make: Callable[..., Any],
    fault: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not even at debug level, where slack_sdk would write addresses and headers."""
    for method in ("chat.postMessage", "webhook"):
        slack_api.faults.append(SlackFault(method, **fault))
    with caplog.at_level(logging.DEBUG):
        delivery = make(slack_api).notify(notification(), {})
    out, err = capfd.readouterr()
    assert "SECRET" not in caplog.text + out + err + repr(delivery) + repr(make(slack_api))
    assert caplog.records == []


@pytest.fixture(scope="session")
def hostile() -> Iterator[list[str]]:
    """What a stranger may have put into a name or a log line."""
    yield [
        "<!channel> <@U123> <#C1> <https://evil.example|click>", "@here @channel @Everyone", "*bold* _it_ ~no~ `code`",
        "```\nblock\n```", "a&b &amp; <b>", "\x1b[2J\x07\u202e", "x" * 5000, "_" * 300, "🔥" * 400, "\n\n> quote", "",
    ]  # fmt: skip


def test_what_a_stranger_writes_formats_links_and_calls_nobody(
    slack_api: SlackApi, notification: Make, hostile: list[str]
) -> None:
    """A head, a reply and a webhook's message with each hostile text in all their places say it harmlessly."""
    for text in hostile:
        step = Step(text, text)
        said = notification(
            target=text,
            title=f"LEAK {text}: grows",
            sentences=(text,) * 30,
            news=(text,) * 30,
            facts=((text, text),) * 12,
            diagnosis=Diagnosis(text, Confidence.LIKELY, (), (step,) * 20, text),
            action=Action(Remedy.RESTART, text, text, False, 1, 1),
            approval=f"leakwatch act approve {text}",
            key=f"{text}@1",
        )
        delivery = bot(slack_api, buttons=lambda: True).notify(said, {})
        assert delivery.delivered
        assert bot(slack_api).notify(said, dict(delivery.thread or {})).delivered
        assert webhook(slack_api).notify(said, {}).delivered
    assert slack_api.broken == []
    shown = "".join(m.text + all_text(m.blocks) for m in slack_api.messages)
    assert "<!" not in shown and "<@" not in shown and "<#" not in shown and "<https://evil" not in shown


@given(
    st.text(alphabet=st.sampled_from("<>&@*_~`| \n!channelhere") | st.characters(), max_size=4000), st.integers(3, 300)
)
def test_escaped_text_keeps_to_its_length_and_its_escapes(text: str, most: int) -> None:
    """However it is cut, no control character of Slack's is left and no escape is torn."""
    for escape in (slack_text.plain, slack_text.mrkdwn, slack_text.code):
        shown = escape(text, most)
        assert len(shown) <= most
        inner = shown[1:-1] if escape is slack_text.code else shown
        assert not re.search(r"[<>\n]|&(?!amp;|lt;|gt;)", inner)
        assert not re.search(r"@(channel|here|everyone)", inner, re.IGNORECASE)
        assert "`" not in inner or escape is slack_text.plain
        if escape is slack_text.mrkdwn:
            assert not set("*~") & set(inner)


@given(data=st.data())
def test_any_message_is_within_the_limits(notification: Make, data: st.DataObject) -> None:
    """Whatever its texts, Slack takes it, and its first line is there."""
    text = st.text(max_size=5000)
    texts = st.lists(text, max_size=40).map(tuple)
    steps = tuple(Step(do, do) for do in data.draw(texts))
    said = notification(
        1,
        data.draw(st.sampled_from(Stage)),
        title="LEAK " + data.draw(text),
        sentences=data.draw(texts),
        news=data.draw(texts),
        diagnosis=Diagnosis(data.draw(text), Confidence.LIKELY, (), steps, "tree"),
        facts=tuple((one, one) for one in data.draw(texts)),
        approval=data.draw(st.none() | text),
    )
    for blocks in (
        slack_blocks.message(said, LINKS, file_id="F1", buttons=True),
        slack_blocks.message(said, LINKS),
        slack_blocks.reply(said, LINKS, file_id="F1", buttons=True),
    ):
        assert problems({"text": slack_blocks.text(said), "blocks": blocks}, {"F1"}) == []
        assert "LEAK" in blocks[0]["text"]["text"]
