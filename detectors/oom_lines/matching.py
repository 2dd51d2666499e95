"""The one matching engine: RE2, because it is linear in the text for any pattern and any input.

Logs are hostile input, and a backtracking engine can be stalled by one line; RE2 cannot (Cox 2007, "Regular Expression
Matching Can Be Simple And Fast"). It is also the fastest prefilter of those that can capture fields as well: see
benchmarks/RESULTS.md. Patterns work on bytes (Latin-1 mode), so half a UTF-8 character is nothing special.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import re2

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.log_errors = False
_SMALL_BYTES = 2 << 20
FAST_BYTES = 64 << 20
"""The states of so many alternatives do not fit the usual 8 MiB, and each time they are thrown away the search is slow:
39 MB/s in place of 150, on 100 MB of documentation and source."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a pattern matched, ``start`` <= byte < ``end``, and the named groups that took part."""

    start: int
    end: int
    groups: Mapping[str, bytes]


class Pattern:
    """A compiled pattern in RE2 syntax, searched in bytes."""

    __slots__ = ("_names", "_regexp")

    def __init__(self, pattern: str) -> None:
        self._regexp = re2.compile(pattern.encode(), _OPTIONS)
        by_index = sorted((index, name.decode()) for name, index in self._regexp.groupindex.items())
        self._names = tuple((name, index) for index, name in by_index)

    @property
    def names(self) -> tuple[str, ...]:
        """The named groups, in the pattern's order."""
        return tuple(name for name, _ in self._names)

    def search(self, text: bytes, start: int = 0) -> Match | None:
        """Find the first match at or after ``start``."""
        found = self._regexp.search(text, start)
        return None if found is None else self._result(text, found)

    def match(self, text: bytes, start: int = 0) -> Match | None:
        """Match at ``start`` exactly."""
        found = self._regexp.match(text, start)
        return None if found is None else self._result(text, found)

    def matches(self, text: bytes) -> Iterator[Match]:
        """Find all matches, from left to right, without overlap."""
        for found in self._regexp.finditer(text):
            yield self._result(text, found)

    def without(self, text: bytes) -> bytes:
        """The text, with all matches cut out."""
        return bytes(self._regexp.sub(b"", text))

    def _result(self, text: bytes, found: re2._Match) -> Match:
        spans = [(name, found.span(at)) for name, at in self._names]  # the binding's own groups take twice as long
        groups = {name: text[begin:end] for name, (begin, end) in spans if begin >= 0}
        return Match(found.start(), found.end(), groups)


class Prefilter:
    """Patterns of which one place that matches any is wanted, fast, in long texts.

    Args:
        small: for texts that come in small pieces and seldom match: a set is asked first, which needs few states to say
            no, and states are kept up to 8 MiB in place of 64.
    """

    __slots__ = ("_any", "_patterns", "_regexp")

    def __init__(self, patterns: Iterable[str], *, small: bool = False) -> None:
        self._patterns = tuple(patterns)
        self._any = PatternSet((f"(?m){one}" for one in self._patterns), _SMALL_BYTES) if small else None
        self._regexp: re2._Regexp | None = None

    def first(self, text: bytes | bytearray, start: int, end: int) -> int:
        """Where the first match in text[start:end] begins; -1 where there is none."""
        if self._any is not None and not self._any.matching(bytes(memoryview(text)[start:end])):
            return -1
        if self._regexp is None:  # a quiet log never needs it
            self._regexp = self._compiled()
        found = self._regexp.search(text, start, end)
        return -1 if found is None else int(found.start())

    def _compiled(self) -> "re2._Regexp":
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        options.never_capture = True
        options.max_mem = FAST_BYTES if self._any is None else 4 * _SMALL_BYTES
        return re2.compile(("(?m)" + "|".join(self._patterns)).encode(), options)


class PatternSet:
    """Many patterns, searched in one pass that tells which of them match."""

    __slots__ = ("_set",)

    def __init__(self, patterns: Iterable[str], state_bytes: int = FAST_BYTES) -> None:
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        options.max_mem = state_bytes  # a set has no slower engine to fall back on
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern.encode())
        self._set.Compile()

    def matching(self, text: bytes) -> list[int]:
        """Indices of the patterns that match somewhere in the text, ascending."""
        return sorted(self._set.Match(text) or ())


class Choice:
    """Patterns for the beginning of a text, of which the first that matches counts."""

    __slots__ = ("_patterns", "_set")

    def __init__(self, forms: Sequence[str]) -> None:
        self._set = PatternSet(f"^(?:{form})" for form in forms)
        self._patterns = tuple(Pattern(form) for form in forms)

    def match(self, text: bytes) -> Match | None:
        """Match at the text's start."""
        fitting = self._set.matching(text)
        return self._patterns[fitting[0]].match(text) if fitting else None


def literal(text: str) -> str:
    """The pattern that matches ``text`` and nothing else."""
    return str(re2.escape(text))
