"""Documents and texts of several lines that came in one: JSON, or a string with its line ends escaped."""

from collections.abc import Sequence

from detectors.oom_lines.documents import entry, unquoted
from detectors.oom_lines.envelopes import LONGEST_JSON, unwrap
from detectors.oom_lines.matching import Pattern

_LOGFMT = Pattern(r'\b(?:msg|message|error|err)="(?P<message>(?:[^"\\\n]|\\.){8,})"')
_OPENING = Pattern(r"^\s*[\"'\x60]")
LONGEST_WITHIN = 32 << 10
"""Bytes of a text within a line that are read as lines: a pod's status fits."""
_VALUES = ("OOMKilled", "OOM Killed", "true", "True", "137")


def is_state(line: bytes) -> bool:
    """Whether a line is a state's entry in a pod's status or the like."""
    told = entry(unquoted(line))
    return told is not None and told.value in _VALUES


def is_message(line: bytes) -> bool:
    """Whether a line is the "message" of an event of Kubernetes, or the like."""
    told = entry(unquoted(line))
    return told is not None and told.key == "message"


def document(line: bytes) -> Sequence[str]:
    """The lines of the JSON document that the line is, or ends in; none where it is no such."""
    envelope = unwrap(line)
    if envelope is None and (start := line.find(b'{"')) > 0:
        envelope = unwrap(line[start : line.rfind(b"}") + 1])
    return () if envelope is None else envelope.document


def text_within(line: bytes) -> bytes | None:
    """The text that the line holds: a JSON string, a program's "msg", a string with its line ends escaped; or None."""
    envelope = unwrap(line)
    if envelope is not None:
        text = (envelope.message or b"").strip(b"\n")
        within = text if b"\n" in text else envelope.longest
        return None if within is None else within[:LONGEST_WITHIN]
    if len(line) > LONGEST_JSON:
        return None
    message = _LOGFMT.search(line)
    if message is None and b"\\n" not in line:
        return None
    text = message.groups["message"] if message is not None else _OPENING.without(line)
    text = text[:LONGEST_WITHIN]
    return text.replace(b'\\"', b'"').replace(b"\\r\\n", b"\n").replace(b"\\n", b"\n").replace(b"\\t", b"\t")
