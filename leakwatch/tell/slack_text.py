"""Text for Slack: what a stranger can influence formats nothing, links nothing and calls nobody. Pure.

https://docs.slack.dev/messaging/formatting-message-text: ``&``, ``<`` and ``>`` are its control characters.
"""

import re
from collections.abc import Callable

from leakwatch.tell.units import visible

_CONTROL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_FORMATTING = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
"""Slack cannot escape its formatting: a character that looks like it takes its place."""
_CALLS = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)
_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""Underscores that could begin or end italics; tf_serving keeps its own."""


def plain(text: str, most: int) -> str:
    """For a plain_text object or a message's text: at most ``most`` characters, after escaping, on one line."""
    return _cut(visible(text), most, _plain)


def mrkdwn(text: str, most: int = 3000) -> str:
    """For a mrkdwn object: shown as it is, in at most ``most`` characters, on one line."""
    return _cut(visible(text), most, _mrkdwn)


def code(text: str, most: int = 1000) -> str:
    """A command between backticks."""
    return f"`{_cut(visible(text), most - 2, _code)}`"


def link(url: str, label: str) -> str:
    """A link whose address comes from the settings; what would end it is percent-encoded."""
    safe = visible(url).replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return f"<{safe}|{mrkdwn(label, 100)}>"


def _plain(text: str) -> str:
    return _CALLS.sub("＠", text).translate(_CONTROL)


def _mrkdwn(text: str) -> str:
    return _plain(_EDGE.sub("ˍ", text).translate(_FORMATTING))


def _code(text: str) -> str:
    return _plain(text.replace("`", "ˋ"))


def _cut(text: str, most: int, escape: Callable[[str], str]) -> str:
    """Escaped, and cut before it is escaped, so that no escape is cut in two."""
    escaped = escape(text)
    if len(escaped) <= most:
        return escaped
    room = most - 1
    for end in range(min(len(text), room), 0, -1):
        escaped = escape(text[:end])
        if len(escaped) <= room:
            return f"{escaped}…"
    return "…"[:most]
