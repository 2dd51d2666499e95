"""A message as Slack's blocks, within its limits. Pure.

https://docs.slack.dev/reference/block-kit/blocks: header text 150 characters, section text 3000, 10 fields of 2000, 50
blocks; and about 12,000 characters of text in all, which is nowhere written down.
"""

import json
from collections.abc import Iterable
from typing import Any

from leakwatch.ports import Notification, Severity, Stage
from leakwatch.tell import units
from leakwatch.tell.links import Links
from leakwatch.tell.slack_text import code, link, mrkdwn, plain

Block = dict[str, Any]

MOST_TEXT = 11_000
"""Characters of text in all blocks together, with room below what Slack takes."""
APPROVAL_BLOCK, APPROVE, DENY = "leakwatch_approval", "leakwatch_approve", "leakwatch_deny"
_MOST_SENTENCES, _MOST_STEPS = 10, 6
_SENTENCE = 350
_MARKS = {Stage.ACTED: "🔵", Stage.RESOLVED: "🟢", Stage.ESCALATED: "🚨"}
_SEVERITIES = {Severity.INFO: "🔵", Severity.WARNING: "🟠", Severity.CRITICAL: "🔴"}


def text(notification: Notification) -> str:
    """What a phone shows, and what a client without blocks does."""
    return f"{_mark(notification)} {plain(notification.title, 2900)}"


def message(
    n: Notification, links: Links, *, file_id: str | None = None, buttons: bool = False, again: bool = False
) -> list[Block]:
    """The whole incident as it stands: the head of a thread, or a message of its own.

    ``file_id`` is an uploaded chart; without one the sparkline is shown. ``buttons`` asks for approval by buttons;
    ``again`` says that the same message may have come before.
    """
    blocks = [*_head(n), *_fields(n)]
    blocks += [_image(n, file_id)] if file_id is not None else _sparkline(n)
    return _within(
        [
            *blocks,
            *_news(n),
            *_done(n),
            *_approval(n, buttons=buttons),
            *_cause(n),
            *_why(n),
            _foot(n, links, again=again),
        ]
    )


def reply(n: Notification, links: Links, *, file_id: str | None = None, buttons: bool = False) -> list[Block]:
    """What is new, for the thread under the head."""
    picture = [_image(n, file_id)] if file_id is not None else []
    return _within([*_head(n), *picture, *_news(n), *_done(n), *_approval(n, buttons=buttons), _foot(n, links)])


def _mark(n: Notification) -> str:
    return _MARKS.get(n.stage) or _SEVERITIES[n.severity]


def _head(n: Notification) -> list[Block]:
    mark, whole = _mark(n), plain(n.title, 2900)
    head = plain(n.title, 150 - len(mark) - 1)
    block = {"type": "header", "text": {"type": "plain_text", "text": f"{mark} {head}", "emoji": False}}
    return [block] if head == whole else [block, _section(mrkdwn(n.title))]


def _fields(n: Notification) -> list[Block]:
    fields = [_mrkdwn_object(f"*{mrkdwn(label, 100)}*\n{mrkdwn(value, 500)}") for label, value in n.facts[:10]]
    return [{"type": "section", "fields": fields}] if fields else []


def _image(n: Notification, file_id: str) -> Block:
    alt = plain(n.title, 1900)
    title = plain(f"{units.shortened(units.visible(n.target))}: memory (blue), growth (orange), limit (red); UTC", 1900)
    return {
        "type": "image",
        "slack_file": {"id": file_id},
        "alt_text": alt,
        "title": {"type": "plain_text", "text": title, "emoji": False},
    }


def _sparkline(n: Notification) -> list[Block]:
    return [_section(code(n.sparkline, 300))] if n.sparkline else []


def _why(n: Notification) -> list[Block]:
    return _list("Why", [f"• {mrkdwn(said, _SENTENCE)}" for said in n.sentences], _MOST_SENTENCES)


def _news(n: Notification) -> list[Block]:
    return _list("What is new", [f"• {mrkdwn(said, _SENTENCE)}" for said in n.news], _MOST_SENTENCES)


def _cause(n: Notification) -> list[Block]:
    if n.diagnosis is None or n.stage is Stage.RESOLVED:
        return []
    cause, book = mrkdwn(n.diagnosis.cause, 1000), mrkdwn(n.diagnosis.playbook, 100)
    steps = [
        f"{number}. {mrkdwn(step.do, _SENTENCE)}" + (f"\n     {code(step.command, 500)}" if step.command else "")
        for number, step in enumerate(n.diagnosis.steps, start=1)
    ]
    said = _section(f"*Cause* ({n.diagnosis.confidence}, by {book})\n{cause}")
    return [said, *_list("What to do", steps, _MOST_STEPS)]


def _done(n: Notification) -> list[Block]:
    if n.action is None:
        return []
    said = f"*{'Would be done' if n.action.dry_run else 'Action'}*\n{mrkdwn(n.action.reason, 800)}"
    return [_section(said + (f"\n{mrkdwn(n.outcome.detail, 800)}" if n.outcome is not None else ""))]


def _approval(n: Notification, *, buttons: bool) -> list[Block]:
    if n.approval is None:
        return []
    command = _section(f"*Waits for approval*\n{code(n.approval, 500)}")
    value = json.dumps({"target": n.target, "incident": n.key})
    if not buttons or len(value) > 2000:
        return [command]
    pressed = [
        {
            "type": "button",
            "action_id": action_id,
            "text": {"type": "plain_text", "text": word, "emoji": False},
            "style": style,
            "value": value,
            "confirm": {
                "title": {"type": "plain_text", "text": f"{word}?", "emoji": False},
                "text": {"type": "plain_text", "text": plain(n.title, 290), "emoji": False},
                "confirm": {"type": "plain_text", "text": word, "emoji": False},
                "deny": {"type": "plain_text", "text": "Not now", "emoji": False},
            },
        }
        for word, action_id, style in (("Approve", APPROVE, "primary"), ("Deny", DENY, "danger"))
    ]
    return [command, {"type": "actions", "block_id": APPROVAL_BLOCK, "elements": pressed}]


def _foot(n: Notification, links: Links, *, again: bool = False) -> Block:
    pages = ((links.runbook(n.target), "Runbook"), (links.dashboard(n.target), "Dashboard"))
    parts = [link(url, label) for url, label in pages if url is not None and len(url) < 1000]
    key = mrkdwn(units.shortened(units.visible(n.key), 100), 200)
    said = f"leakwatch · {units.moment(n.at_seconds)} · {key} #{n.number}"
    said += f" · sent again: it is the same message where you have #{n.number} already" if again else ""
    return {"type": "context", "elements": [_mrkdwn_object(" · ".join([*parts, said]))]}


def _list(head: str, lines: list[str], most: int) -> list[Block]:
    if not lines:
        return []
    more = [f"… and {len(lines) - most} more"] if len(lines) > most else []
    shown, left = [f"*{head}*"], 2900
    for line in (*lines[:most], *more):
        left -= len(line) + 1
        if left < 0:
            break
        shown.append(line)
    return [_section("\n".join(shown))]


def _section(said: str) -> Block:
    return {"type": "section", "text": _mrkdwn_object(said)}


def _mrkdwn_object(said: str) -> Block:
    return {"type": "mrkdwn", "text": said, "verbatim": True}  # Slack makes no links and mentions of its own


def _within(blocks: list[Block]) -> list[Block]:
    """The first and the last block always; between them what fits, in order."""
    left = MOST_TEXT - _length(blocks[0]) - _length(blocks[-1])
    kept = []
    for block in blocks[1:-1]:
        left -= _length(block)
        if left < 0:
            break
        kept.append(block)
    return [blocks[0], *kept, blocks[-1]]


def _length(value: object) -> int:
    """Characters of every text in it."""
    if isinstance(value, str):
        return len(value)
    inner: Iterable[object] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_length, inner))
