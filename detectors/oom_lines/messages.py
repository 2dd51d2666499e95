"""One physical line to the messages in it: its JSON opened, what was glued taken apart, the prefixes peeled off."""

from bisect import bisect_left
from dataclasses import dataclass

from detectors.oom_lines.envelopes import unwrap
from detectors.oom_lines.markup import plain
from detectors.oom_lines.matching import Pattern
from detectors.oom_lines.prefixes import PREFIXES, Peeled, peel
from detectors.oom_lines.times import Clock

_GLUE = Pattern(
    r"\[ *[0-9]{1,10}\.[0-9]{6}\]|\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}\]|\r|\n"
)
_QUOTED_PRINTABLE = Pattern(r"=[0-9A-F]{2}")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a line: all that was written, and where in it the message begins, behind its prefixes."""

    text: bytes
    begin: int
    at: float | None
    own: bool
    """It has a time of its own."""

    @property
    def continues(self) -> bool:
        """Whether it may go on with what the line before began: it has no time, or its text is indented behind it."""
        indented = self.text[self.begin : self.begin + 1] in (b" ", b"\t") or self.text[: self.begin].isspace()
        return not self.own or indented


def messages(raw: bytes, clock: Clock) -> list[Message]:
    """Take a physical line apart: unwrap its JSON, split what was glued, peel the prefixes."""
    envelope = unwrap(raw)
    outer = None
    text = raw
    if envelope is not None and envelope.message is not None:
        text, outer = envelope.message, envelope.at
    text = plain(text)
    stamps = [found.start for found in _GLUE.matches(text)]
    parts: list[tuple[int, int, Peeled]] = []
    start = 0
    while start < len(text) or not parts:
        head = text[start : start + PREFIXES]
        peeled = peel(head, clock, carried=outer is not None and not head[:1].isspace())
        after = bisect_left(stamps, start + max(peeled.message, 1))
        stop = stamps[after] if after < len(stamps) else len(text)
        if (
            parts and not peeled.own and text[start : start + 1] not in (b"\n", b"\r")
        ):  # digits in brackets, but no time
            parts[-1] = (parts[-1][0], stop, parts[-1][2])
        elif not parts or len(text[start:stop].rstrip()) > peeled.message:
            parts.append((start, stop, peeled))
        start = stop
    told = [
        Message(
            decoded(text[start:stop].rstrip()),
            peeled.message,
            outer if outer is not None else peeled.at,
            peeled.own or outer is not None,
        )
        for start, stop, peeled in parts
    ]
    return [m if m.at is not None else Message(m.text, m.begin, told[0].at, m.own) for m in told] or [
        Message(b"", 0, outer, False)
    ]


def decoded(text: bytes) -> bytes:
    """Quoted-printable undone (RFC 2045, 6.7), where an encoded "=" shows that it is that."""
    text = text.removesuffix(b"=20").rstrip()
    if b"=3D" not in text:
        return text
    parts, position = [], 0
    for found in _QUOTED_PRINTABLE.matches(text):
        parts += [text[position : found.start], bytes.fromhex(text[found.start + 1 : found.end].decode())]
        position = found.end
    return b"".join((*parts, text[position:]))
