"""Messages that travel in JSON: journald's export, Docker's json-file, and applications' own JSON lines."""

import json
from dataclasses import dataclass

from detectors.oom_lines.times import from_iso

_TEXT_KEYS = ("MESSAGE", "log", "message", "msg", "textPayload")
_TIME_KEYS = ("time", "timestamp", "@timestamp", "ts", "Timestamp")
UNREADABLE = r'"MESSAGE" ?: ?\['
"""The beginning of a message that journald exports as an array of bytes: the prefilter cannot read it."""
LONGEST_JSON = 1 << 20
"""Bytes of a line that is read as JSON; a longer one is searched as text."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a JSON line held: its message (None: it is a document of its own) and time, or the document in lines.

    ``longest``: the longest of its other texts.
    """

    message: bytes | None
    at: float | None
    document: tuple[str, ...]
    longest: bytes | None = None


def unwrap(line: bytes) -> Envelope | None:
    """Open a JSON line; None where the line is none."""
    body = line.strip()
    if not body.startswith((b"{", b"[{")) or not body.endswith((b"}", b"]")) or len(body) > LONGEST_JSON:
        return None
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or "kind" in content or "reason" in content:
        return _document(content)
    message = next((content[key] for key in _TEXT_KEYS if content.get(key)), None)
    if isinstance(message, list):  # journald: an array of bytes where the message is no UTF-8
        message = bytes(byte for byte in message if isinstance(byte, int) and 0 <= byte < 256).decode(
            "utf-8", "replace"
        )
    if not isinstance(message, str):
        return _document(content)
    encoded = (_sender(content) + message).encode("utf-8", "replace")
    return Envelope(encoded, _time(content), (), _longest(content, but=message))


def _document(content: object) -> Envelope:
    lines = tuple(json.dumps(content, indent=1, ensure_ascii=False).splitlines())
    return Envelope(None, None, lines, _longest(content))


def _longest(content: object, *, but: str = "") -> bytes | None:
    """The longest text in a JSON value; None where it has none."""
    longest, left = "", [content]
    while left:
        one = left.pop()
        if isinstance(one, str) and len(one) > len(longest) and one != but:
            longest = one
        left.extend(one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
    return longest.encode("utf-8", "replace") or None


def _sender(content: dict[str, object]) -> str:
    """journald's fields as the tag that syslog would have printed."""
    if "MESSAGE" not in content:
        return ""
    if content.get("_TRANSPORT") == "kernel":
        return "kernel: "
    identifier, pid = content.get("SYSLOG_IDENTIFIER"), content.get("_PID", content.get("SYSLOG_PID"))
    return f"{identifier}[{pid}]: " if identifier and pid else f"{identifier}: " if identifier else ""


def _time(content: dict[str, object]) -> float | None:
    microseconds = content.get("__REALTIME_TIMESTAMP")
    if isinstance(microseconds, str) and microseconds.isascii() and microseconds.isdigit() and len(microseconds) < 20:
        return int(microseconds) / 1e6
    for key in _TIME_KEYS:
        value = content.get(key)
        if isinstance(value, str) and (seconds := from_iso(value)) is not None:
            return seconds
    return None
