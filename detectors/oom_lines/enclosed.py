"""Documents and texts of several lines that came in one: JSON, or a string with its line ends escaped."""

from collections.abc import Sequence

from detectors.oom_lines.documents import entry, unquoted
from detectors.oom_lines.envelopes import LONGEST_JSON, unwrap

_VALUES = ("OOMKilled", "OOM Killed", "true", "True", "137")


def is_state(line: bytes) -> bool:
    """Whether a line is a state's entry in a pod's status or the like."""
    told = entry(unquoted(line))
    return told is not None and told.value in _VALUES


def document(line: bytes) -> Sequence[str]:
    """The lines of the JSON document that the line is; none where it is no such."""
    envelope = unwrap(line)
    return () if envelope is None else envelope.document


def text_within(line: bytes) -> bytes | None:
    """The text of several lines that the line holds; None where it holds no such."""
    envelope = unwrap(line)
    if envelope is not None:
        text = (envelope.message or envelope.longest or b"").strip(b"\n")
        return text if b"\n" in text else None
    if b"\\n" not in line or len(line) > LONGEST_JSON:
        return None
    return line.replace(b'\\"', b'"').replace(b"\\r\\n", b"\n").replace(b"\\n", b"\n").replace(b"\\t", b"\t")
