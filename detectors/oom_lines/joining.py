"""Messages to events: what one line tells, and what it tells together with the lines around it."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from detectors.oom_lines.enclosed import is_state
from detectors.oom_lines.matching import Pattern
from detectors.oom_lines.messages import Message, decoded, messages
from detectors.oom_lines.recognise import Hit, recognise
from detectors.oom_lines.times import Clock

CONTINUATIONS = 8
"""Lines over which one message may be wrapped, beyond its first."""
LOOK_BACK = 2
"""Lines before the one where the prefilter found something that may hold the beginning of the message."""
EXIT, OOM_STATES = "process_killed_137", frozenset(("k8s_status_oomkilled", "docker_oom_event"))
_SIGN_KEPT = b"="
"""A joint of nothing, where the sign of equality that ends a line is a word's own ("task=") and no soft break."""
_NAMES = ("process", "unit", "task_memcg", "oom_memcg", "memcg", "cgroup", "container_id", "container", "device", "op")
"""Fields whose values seldom hold a blank."""
_LEAST_WIDTH = 60
"""Columns; nothing narrower cuts lines."""
_CUT = Pattern(r"(?:[0-9A-Za-z_/.-][0-9A-Za-z_/.-]|=)$")
"""How a word ends that may have been cut: it is not the only character of its value."""
_TAIL = Pattern(r"^[^\sA-Z][^\s]{0,79}$")
"""What a cut leaves on the next line: the rest of a word."""


@dataclass(frozen=True, slots=True)
class Found:
    """A hit, when it was written, and the lines that it took: ``first`` and the ``lines`` from there on.

    ``may_go_on``: the next line, once it is there, may have part in it.
    """

    hit: Hit
    at: float | None
    first: int
    lines: int
    may_go_on: bool = False


def find(lines: Sequence[bytes], index: int, clock: Clock) -> list[Found]:
    """Find the events of ``lines[index]``, joined with the lines that continue it, or that it continues.

    Args:
        lines: the line in question, up to LOOK_BACK lines before it and CONTINUATIONS after it.
        index: which of them.
        clock: what the lines leave unsaid about their times.
    """
    own = messages(lines[index], clock)
    found = [Found(hit, message.at, index, 1) for message in own for hit in recognise(message.text, message.begin)]
    if found:
        found[0] = _begun_before(lines, index, own[0], found[0], clock)
        found[-1] = _gone_on(lines, index, own[-1], found[-1], clock)
        return found
    first = index
    begin = own[-1]
    while first > 0 and index - first < LOOK_BACK and not begin.own and lines[first - 1].strip():
        before = messages(lines[first - 1], clock)[-1]
        if recognise(before.text, before.begin):  # told already
            break
        first, begin = first - 1, before
    best: Found | None = None
    for start in (index, first) if first < index else (index,):
        joined = _joined(lines, start, index, begin if start == first else own[-1], clock)
        if joined is not None and (best is None or _tells_more(joined.hit, best.hit)):
            best = joined
    return [replace(best, may_go_on=True)] if best is not None else []


def _gone_on(lines: Sequence[bytes], index: int, own: Message, found: Found, clock: Clock) -> Found:
    """The event that ends ``lines[index]``, with what the next lines add to it."""
    if found.lines == 1 and (found.hit.open_ended or _is_cut(lines[index], own, found.hit)):
        joined = _joined(lines, index, index, own, clock)
        if joined is not None and (
            _tells_more(joined.hit, found.hit) or _longer(joined.hit, found.hit) and _full(lines, index)
        ):
            return replace(joined, may_go_on=True)
    if found.lines > 1 or not _is_cut(lines[index], own, found.hit):
        return replace(found, may_go_on=found.lines > 1 or found.hit.open_ended)
    found = replace(found, may_go_on=True)
    if len(lines) == index + 1:
        return found
    rest = messages(lines[index + 1], clock)[0]
    tail = rest.text[rest.begin :]
    if rest.own or _TAIL.match(tail) is None:
        return found
    for hit in recognise(own.text + tail, own.begin):
        if hit.start == found.hit.start and hit.signature.kind == found.hit.signature.kind:
            return replace(found, hit=hit, lines=2) if len(hit.fields) >= len(found.hit.fields) else found
    return found


def _is_cut(raw: bytes, own: Message, hit: Hit) -> bool:
    """Whether a terminal's or a mail's width may have cut the last word of the hit in two."""
    text = own.text.rstrip()
    ends_so = not text.endswith(b"kB") and _CUT.search(text[-2:]) is not None
    return ends_so and len(raw) >= _LEAST_WIDTH and hit.end >= len(text.removesuffix(b"="))


def _begun_before(lines: Sequence[bytes], index: int, own: Message, found: Found, clock: Clock) -> Found:
    """The event that begins ``lines[index]``, with what the lines before tell of it; they must hold no event."""
    if own.own or found.hit.start > own.begin + _LEAST_WIDTH or is_state(lines[index]):
        return found
    for first in range(index - 1, max(-1, index - 1 - LOOK_BACK), -1):
        begin = messages(lines[first], clock)[-1]
        if not lines[first].strip() or recognise(begin.text, begin.begin):
            break
        joined = _joined(lines, first, index, begin, clock)
        alike = joined is not None and joined.hit.signature.kind == found.hit.signature.kind
        torn = lines[first].rstrip()[-1:] in b"-_/.@" and len(lines[first]) >= _LEAST_WIDTH
        if joined is not None and alike and (_tells_more(joined.hit, found.hit) or torn):
            return replace(joined, may_go_on=True)
        if begin.own:
            break
    return found


def merged(found: Sequence[Found]) -> list[Found]:
    """An exit status beside a state of OOMKilled is that event's field, and no event of its own."""
    codes = [
        one.hit.fields["exit_code"] for one in found if one.hit.signature.kind == EXIT and "exit_code" in one.hit.fields
    ]
    states = [one for one in found if one.hit.signature.kind in OOM_STATES]
    if not codes or not states:
        return list(found)
    for one in states:
        one.hit.fields.setdefault("exit_code", codes[0])
    return [one for one in found if one.hit.signature.kind != EXIT]


def ends(lines: Sequence[bytes], clock: Clock) -> bool:
    """Whether these lines, the first of which may be continued by the others, show where it ends."""
    return len(lines) > CONTINUATIONS or any(
        not line.strip() or not messages(line, clock)[0].continues for line in lines[1:]
    )


def _joined(lines: Sequence[bytes], first: int, index: int, begin: Message, clock: Clock) -> Found | None:
    """The event that ``lines[index]`` has part in when ``lines[first]`` is joined with those that continue it.

    A hard wrap may have eaten a blank or cut a word in two, so both ways of joining are tried.
    """
    following: list[Message] = []
    for line in lines[first + 1 : first + 1 + CONTINUATIONS]:
        message = messages(line, clock)[0]
        if not message.continues or len(message.text) <= message.begin:
            break
        following.append(message)
    best: Found | None = None
    for joint in _joints([begin, *following]) if following else ():
        whole = _touching([begin, *following], joint, first, index)
        if whole is None or best is not None and not _reads_better(whole.hit, best.hit):
            continue
        # No more lines than it takes: what stands on the next one may be another message.
        for count in range(1, len(following)):
            part = _touching([begin, *following[:count]], joint, first, index)
            more = part is None or _tells_more(whole.hit, part.hit)
            if part is not None and not more and not (_longer(whole.hit, part.hit) and _full(lines, first + count)):
                whole = part
                break
        best = whole
    return best


def _joints(parts: Sequence[Message]) -> tuple[bytes, ...]:
    """What a line break may stand for: a blank, or nothing; never a blank within a number or before a full stop."""
    before, after = parts[0].text, parts[1].text[parts[1].begin :]
    nothing = before[-1:].isdigit() and after[:1].isdigit() or after[:1] in (b".", b",", b":", b")", b"]", b"-", b"_")
    kept = (_SIGN_KEPT,) if any(part.text.endswith(b"=") for part in parts[:-1]) else ()
    return ((b"",) if nothing else (b" ", b"")) + kept


def _touching(parts: Sequence[Message], joint: bytes, first: int, index: int) -> Found | None:
    """The event of the joined parts that tells most of those over several lines, ``index`` among them."""
    begin = parts[0]
    text, starts = _glued(parts, joint)
    best: Found | None = None
    for hit in recognise(decoded(text), begin.begin):
        begins, stops = bisect_right(starts, hit.start) - 1, bisect_left(starts, hit.end)
        touches = begins <= index - first < stops and (index > first or begins == 0)
        if touches and stops - begins > 1 and (best is None or _tells_more(hit, best.hit)):
            best = Found(hit, begin.at, first + begins, stops - begins)
    return best


def _tells_more(one: Hit, other: Hit) -> bool:
    return len(one.fields) > len(other.fields)


def _longer(one: Hit, other: Hit) -> bool:
    """Whether as many fields hold more: a value was cut."""
    lengths = [sum(len(str(value)) for value in hit.fields.values()) for hit in (one, other)]
    return len(one.fields) == len(other.fields) and lengths[0] > lengths[1]


def _full(lines: Sequence[bytes], index: int) -> bool:
    """Whether a line was cut for certain: it ends in a soft break, or is as wide as the widest, as another is."""
    widths = [len(line.rstrip(b"\r").decode("utf-8", "replace")) for line in lines]
    widest = max(widths)
    return lines[index].endswith(b"=") or widths[index] == widest >= _LEAST_WIDTH and widths.count(widest) > 1


def _reads_better(one: Hit, other: Hit) -> bool:
    """Whether one way of joining tells more than another, or as much in names that are not torn by a blank."""
    torn, other_torn = (sum(str(hit.fields.get(name, "")).count(" ") for name in _NAMES) for hit in (one, other))
    return _tells_more(one, other) or len(one.fields) == len(other.fields) and torn < other_torn


def _glued(parts: Sequence[Message], joint: bytes) -> tuple[bytes, list[int]]:
    """The parts as one text, and where each begins in it.

    A soft line break (RFC 2045) leaves nothing behind, and so does the backslash that continues a line of source.
    What follows a soft break is no indentation.
    """
    text, starts = parts[0].text, [0]
    for part in parts[1:]:
        rest = part.text[part.begin :]
        quotes = part.text[: part.begin].lstrip()
        if text.endswith((b'"', b"'")) and quotes[:1] in (b'"', b"'"):  # strings of a source, one after the other
            text, rest = text[:-1], part.text[part.text.index(quotes) + 1 :]
        elif quotes.endswith((b'"', b"'")):
            rest = part.text[part.begin - 1 :]
        if not text.endswith(b"="):
            text = text.removesuffix(b"=20").removesuffix(b"\\") + joint.removesuffix(_SIGN_KEPT)
        elif joint != _SIGN_KEPT:
            text = text[:-1]
            rest = rest if b">" in part.text[: part.begin] else part.text
        starts.append(len(text))
        text += rest
    return text, starts
