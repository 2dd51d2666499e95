"""Lines to messages: several in one physical line taken apart, one over several put together."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.oom_lines.envelopes import unwrap
from detectors.oom_lines.matching import Pattern
from detectors.oom_lines.prefixes import peel
from detectors.oom_lines.recognise import Hit, recognise, richer
from detectors.oom_lines.times import Clock

CONTINUATIONS = 3
"""Lines over which one message may be wrapped, beyond its first."""
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
    """It has a time of its own: it continues no other."""


@dataclass(frozen=True, slots=True)
class Found:
    """A hit, when it was written, and the lines that it took: ``first`` and the ``lines`` from there on."""

    hit: Hit
    at: float | None
    first: int
    lines: int


def messages(raw: bytes, clock: Clock) -> list[Message]:
    """Take a physical line apart: unwrap its JSON, split what was glued, peel the prefixes."""
    envelope = unwrap(raw)
    outer = None
    text = raw
    if envelope is not None and envelope.message is not None:
        text, outer = envelope.message, envelope.at
    cuts = [0, *(found.start for found in _GLUE.matches(text) if found.start), len(text)]
    told: list[Message] = []
    for start, stop in zip(cuts, cuts[1:], strict=False):
        segment = text[start:stop]
        peeled = peel(segment, clock)
        segment = segment.rstrip()
        if told and len(segment) <= peeled.message:
            continue
        if not told or peeled.own or text[start : start + 1] in (b"\n", b"\r"):
            at = outer if outer is not None else peeled.at
            told.append(Message(_decoded(segment), peeled.message, at, peeled.own or outer is not None))
        else:  # a number in brackets that was no time
            told[-1] = Message(told[-1].text + segment, told[-1].begin, told[-1].at, told[-1].own)
    return [m if m.at is not None else Message(m.text, m.begin, told[0].at, m.own) for m in told] or [Message(b"", 0, outer, False)]


def find(lines: Sequence[bytes], index: int, clock: Clock) -> list[Found]:
    """Find the events of ``lines[index]``, joined with the lines that continue it, or that it continues.

    Args:
        lines: the line in question with up to CONTINUATIONS lines on either side.
        index: which of them.
        clock: what the lines leave unsaid about their times.
    """
    own = messages(lines[index], clock)
    found = [Found(hit, message.at, index, 1) for message in own for hit in recognise(message.text, message.begin)]
    if found and not found[-1].hit.open_ended:
        return found
    if found:
        return [*found[:-1], _longest(lines, index, own[-1], found[-1], clock)]
    for first in range(index, max(-1, index - CONTINUATIONS), -1):
        if first < index and (not lines[first].strip() or messages(lines[first + 1], clock)[0].own):
            break
        begin = own[-1] if first == index else messages(lines[first], clock)[-1]
        best = _longest(lines, first, begin, None, clock)
        if best is not None and best.first + best.lines > index:
            return [best]
    return []


def _longest(lines: Sequence[bytes], first: int, begin: Message, so_far: Found | None, clock: Clock) -> Found | None:
    """Join the lines after ``first`` one by one, and keep what tells most.

    A hard wrap may have eaten a blank or cut a word in two, so both ways of joining are tried.
    """
    best = so_far
    texts = [begin.text, begin.text]
    for count, line in enumerate(lines[first + 1 : first + 1 + CONTINUATIONS], start=2):
        following = messages(line, clock)[0]
        if following.own or len(following.text) <= following.begin:
            break
        texts = [_glued(texts[0], following.text[following.begin :], b" "), _glued(texts[1], following.text[following.begin :], b"")]
        for text in texts:
            hits = [hit for hit in recognise(_decoded(text), begin.begin) if hit.start <= len(begin.text)]
            if richer(hits[-1:], [best.hit] if best is not None else []):
                best = Found(hits[-1], begin.at, first, count)
        if best is not None and not best.hit.open_ended and best.lines < count:
            break
    return best


def _glued(text: bytes, following: bytes, joint: bytes) -> bytes:
    return text[:-1] + following if text.endswith(b"=") else text + joint + following


def _decoded(text: bytes) -> bytes:
    """Quoted-printable undone (RFC 2045, 6.7), where an encoded "=" shows that it is that."""
    if b"=3D" not in text:
        return text
    parts, position = [], 0
    for found in _QUOTED_PRINTABLE.matches(text):
        parts += [text[position : found.start], bytes.fromhex(text[found.start + 1 : found.end].decode())]
        position = found.end
    return b"".join((*parts, text[position:]))
