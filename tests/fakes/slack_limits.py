"""Slack's own limits of a message, as its documents state them; `problems` names each one that is broken.

https://docs.slack.dev/reference/block-kit/blocks and /composition-objects/text-object. The 12,000 characters in all are
stated nowhere and were met by others; an image whose file is not there makes Slack refuse the whole message.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]

MOST_BLOCKS, MOST_TEXT_IN_ALL, MOST_TEXT = 50, 12_000, 40_000
KEYS = {
    "header": {"type", "text", "block_id"},
    "section": {"type", "text", "fields", "accessory", "block_id", "expand"},
    "context": {"type", "elements", "block_id"},
    "image": {"type", "slack_file", "image_url", "alt_text", "title", "block_id"},
    "actions": {"type", "elements", "block_id"},
    "divider": {"type", "block_id"},
}
LINK = re.compile(r"<https?://[^<>|]+\|[^<>|]+>")


def problems(body: Json, file_ids: set[str]) -> list[str]:
    """What Slack would refuse, a sentence each; ``file_ids`` are the uploads that it knows."""
    return list(_message(body, file_ids))


def _message(body: Json, file_ids: set[str]) -> Iterator[str]:
    text, blocks = body.get("text") or "", body.get("blocks") or []
    if not text:
        yield "a message needs a text, which is what a notification shows"
    if len(text) > MOST_TEXT:
        yield f"text of {len(text)} characters"
    yield from _escaped("text", text)
    if len(blocks) > MOST_BLOCKS:
        yield f"{len(blocks)} blocks"
    if (total := _length(blocks)) > MOST_TEXT_IN_ALL:
        yield f"{total} characters in all blocks"
    for block in blocks:
        kind = block.get("type")
        if kind not in KEYS:
            yield f"no such block: {kind}"
            continue
        yield from (f"{kind} has no {key}" for key in block.keys() - KEYS[kind])
        if len(block.get("block_id", "")) > 255:
            yield "block_id over 255 characters"
        yield from CHECKS[kind](block, file_ids)


def _header(block: Json, _: set[str]) -> Iterator[str]:
    yield from _text(block.get("text"), 150, "plain_text")


def _section(block: Json, _: set[str]) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "a section needs text or fields"
    if "text" in block:
        yield from _text(block["text"], 3000)
    if "fields" in block:
        if not 1 <= len(block["fields"]) <= 10:
            yield f"{len(block['fields'])} fields"
        for item in block["fields"]:
            yield from _text(item, 2000)


def _context(block: Json, _: set[str]) -> Iterator[str]:
    if not 1 <= len(block.get("elements", [])) <= 10:
        yield "a context holds 1 to 10 elements"
    for element in block.get("elements", []):
        yield from _text(element, 3000)


def _image(block: Json, file_ids: set[str]) -> Iterator[str]:
    if not 1 <= len(block.get("alt_text", "")) <= 2000:
        yield "an image needs an alt_text of at most 2000 characters"
    if "title" in block:
        yield from _text(block["title"], 2000, "plain_text")
    if block.get("slack_file", {}).get("id") not in file_ids:
        yield "an image whose file is not there"


def _actions(block: Json, _: set[str]) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 25:
        yield f"{len(elements)} elements in an actions block"
    if len({element.get("action_id") for element in elements}) != len(elements):
        yield "an action_id twice"
    for element in elements:
        if element.get("type") != "button":
            yield f"no such element: {element.get('type')}"
        yield from _text(element.get("text"), 75, "plain_text")
        if len(element.get("value", "")) > 2000 or len(element.get("action_id", "")) > 255:
            yield "a button's value or action_id is too long"
        if element.get("style") not in (None, "primary", "danger"):
            yield f"no such style: {element.get('style')}"
        for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            if "confirm" in element:
                yield from _text(element["confirm"].get(name), most, "plain_text")


def _divider(_: Json, __: set[str]) -> Iterator[str]:
    yield from ()


CHECKS: dict[str, Callable[[Json, set[str]], Iterator[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "image": _image,
    "actions": _actions,
    "divider": _divider,
}


def _text(value: Any, most: int, kind: str | None = None) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("type") not in ("plain_text", "mrkdwn"):
        yield f"no text object: {value!r}"
        return
    if kind is not None and value["type"] != kind:
        yield f"{value['type']} where {kind} is wanted"
    if value["type"] == "mrkdwn" and "emoji" in value or value["type"] == "plain_text" and "verbatim" in value:
        yield "emoji goes with plain_text, verbatim with mrkdwn"
    if not 1 <= len(value.get("text", "")) <= most:
        yield f"{len(value.get('text', ''))} characters where 1 to {most} are allowed"
    yield from _escaped(value["type"], value.get("text", ""))


def _escaped(where: str, text: str) -> Iterator[str]:
    """Outside of links no control character stands by itself, and nobody is called."""
    rest = LINK.sub("", text) if where == "mrkdwn" else text
    if re.search(r"[<>]|&(?!amp;|lt;|gt;)", rest):
        yield f"{where} is not escaped: {rest[:80]!r}"
    if re.search(r"@(channel|here|everyone)", rest, re.IGNORECASE):
        yield f"{where} calls everybody: {rest[:80]!r}"


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_length(inner) for key, inner in value.items() if key not in ("type", "block_id", "action_id"))
    return sum(map(_length, value)) if isinstance(value, list) else 0
