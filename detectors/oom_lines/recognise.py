"""A message in, what the signatures find in it out."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from detectors.oom_lines.envelopes import UNREADABLE
from detectors.oom_lines.fields import Value, read
from detectors.oom_lines.matching import Match, PatternSet, Prefilter, literal
from detectors.oom_lines.mentions import is_mention
from detectors.oom_lines.signature import Matcher, Signature, compile_signature
from detectors.oom_lines.signatures import SIGNATURES

PIECE, OVERLAP = 16 << 10, 4 << 10
"""A long text is searched in pieces of PIECE bytes, so that the cost of greedy tails stays linear in its length."""
_LEAST_WRAPPED = 9
"""Bytes of a literal that is looked for over two lines as well; parts of shorter ones are in any text."""
_LINE_BREAK = r"[ \t]*=?[ \t]*\r?\n[>\t #/*|]*"
"""With a soft break's sign (RFC 2045) before, and mail quoting, a margin or a comment's mark behind it."""
_MOST_HITS = 64
"""Of one signature in one piece; a line that repeats one event more often than that is an attack or a test."""
NO_EVENT = frozenset(("no_event", "no_event_2", "no_event_3"))
"""Groups for the words that make prose of an event: "exit code 137 means"."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A signature found in a text, at ``start`` <= byte < ``end``."""

    signature: Signature
    start: int
    end: int
    fields: dict[str, Value]
    open_ended: bool
    """The pattern could have gone on: the next line may continue it."""


@cache
def matcher(index: int) -> Matcher:
    """The signature SIGNATURES[index], compiled when a text first needs it: most logs need few."""
    return compile_signature(SIGNATURES[index])


@cache
def _literals() -> PatternSet:
    """Which signatures can match a text at all, by their literals; a line break may have eaten a blank."""
    forms = ((r"\s*".join(map(literal, text.split(" "))) for text in one.literals) for one in SIGNATURES)
    return PatternSet(map("|".join, forms))


@cache
def prefilter(*, wrapped: bool = True) -> Prefilter:
    """All gates in one: a line that it passes over holds no event, nor the telling part of one.

    ``wrapped``: also where a line break stands within a literal, as in a copied terminal. Without it, and with few
    states kept, it takes 2 to 10 MiB in place of 9 to 70; what is written to a log as we read is not wrapped.
    """
    gates = {gate for signature in SIGNATURES for gate in _gates(signature, wrapped=wrapped)}
    return Prefilter(sorted(gates | {UNREADABLE}), small=not wrapped)


def _gates(signature: Signature, *, wrapped: bool) -> Iterator[str]:
    yield from (signature.gate,) if signature.gate else map(literal, signature.literals)
    for text in signature.literals if wrapped else ():
        if len(text) >= _LEAST_WRAPPED:
            yield from _wrapped(text)


def _wrapped(text: str) -> Iterator[str]:
    """The literal with a line break in it, which may stand for a blank or cut a word in two."""
    for cut in range(2, len(text) - 1):
        if text[cut] == " ":
            yield literal(text[:cut]) + _LINE_BREAK + literal(text[cut + 1 :])
        elif text[cut - 1] != " ":
            yield literal(text[:cut]) + _LINE_BREAK + literal(text[cut:])


def recognise(text: bytes, message: int = 0) -> list[Hit]:
    """Find all events in a text, from left to right, without overlap; an earlier signature wins.

    Args:
        text: bytes of a line.
        message: where its message begins, behind its prefixes.
    """
    if len(text) <= PIECE:
        return _search(text, message)
    hits: list[Hit] = []
    for start in range(0, len(text), PIECE - OVERLAP):
        last = start + PIECE >= len(text)
        for hit in _search(text[start : start + PIECE], message if start == 0 else PIECE):
            # What begins in the overlap is found again, whole, in the next piece.
            if last or hit.start < PIECE - OVERLAP:
                hits.append(Hit(hit.signature, hit.start + start, hit.end + start, hit.fields, hit.open_ended))
        if last:
            break
    return hits


def _search(text: bytes, message: int) -> list[Hit]:
    hits: list[Hit] = []
    for index in _literals().matching(text):
        found_by = matcher(index)
        if found_by.signature.whole:
            first = found_by.pattern.match(text[message:])
            all_found = [] if first is None else [Match(first.start + message, first.end + message, first.groups)]
        else:
            all_found = list(islice(found_by.pattern.matches(text), _MOST_HITS))
        for found in all_found:
            known = any(found.start < hit.end and hit.start < found.end for hit in hits)
            if not known and not found.groups.keys() & NO_EVENT and not is_mention(text, found):
                hits.append(_hit(found_by, found))
        if hits and hits[-1].start <= message and hits[-1].end >= len(text):
            break  # all of the message is told
    return sorted(hits, key=lambda hit: hit.start)


def _hit(found_by: Matcher, found: Match) -> Hit:
    names = [name for name in found_by.pattern.names if name not in NO_EVENT]
    unfinished = found_by.signature.cut or bool(names) and names[-1] not in found.groups
    return Hit(found_by.signature, found.start, found.end, _told(found_by.signature, found), unfinished)


def _told(signature: Signature, found: Match) -> dict[str, Value]:
    told = read(found)
    for name, value in signature.fixed.items():
        told.setdefault(name, value)
    if told.pop("harmless", None):
        told["is_failure"] = False
    if told.pop("killed", "ed") == "":  # "Kill process", before 4.19, names the choice; a child may die in its stead
        told["stage"] = "selected"
    if "global_oom" in told:
        told["global_oom"] = True
    return told
