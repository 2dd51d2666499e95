"""Documents and texts of several lines that came in one: JSON, or a string with its line ends escaped."""

from collections.abc import Sequence

from detectors.oom_lines.documents import entry, unquoted
from detectors.oom_lines.envelopes import LONGEST_JSON, unwrap
from detectors.oom_lines.matching import Pattern

_LOGFMT = Pattern(r'\b(?:msg|message|error|err)="(?P<message>(?:[^"\\\n]|\\.){8,})"')
_OPENING = Pattern(r"^\s*[\"'\x60]")
_VALUES = ("OOMKilled", "OOM Killed", "true", "True", "137")


def is_state(line: bytes) -> bool:
    """Whether a line is a state's entry in a pod's status or the like."""
    told = entry(unquoted(line))
    return told is not None and told.value in _VALUES


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
        return text if b"\n" in text else envelope.longest
    if len(line) > LONGEST_JSON:
        return None
    message = _LOGFMT.search(line)
    if message is None and b"\\n" not in line:
        return None
    text = message.groups["message"] if message is not None else _OPENING.without(line)
    return text.replace(b'\\"', b'"').replace(b"\\r\\n", b"\n").replace(b"\\n", b"\n").replace(b"\\t", b"\t")
