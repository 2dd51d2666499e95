"""What a fact of the vocabulary is: its type, unit and words, and what to record where it is unknown."""

import math
from dataclasses import dataclass
from enum import StrEnum

from playbooks.types import Value


class Kind(StrEnum):
    """The types that a fact may have."""

    WORD = "word"
    NUMBER = "number"
    FLAG = "yes/no"


@dataclass(frozen=True, slots=True)
class FactType:
    """What one fact means.

    Attributes:
        kind: word, number or flag.
        meaning: one clause that says what is measured.
        collect: what to record where the fact is unknown.
        unit: of a number ("s", "bytes", "1" for a ratio or a count); empty for the others.
        words: every word that the fact can take; empty unless ``kind`` is WORD.
    """

    kind: Kind
    meaning: str
    collect: str
    unit: str = ""
    words: tuple[str, ...] = ()

    def fits(self, value: object) -> bool:
        """Whether a value is of this type: numbers are finite, words are among those listed. Never raises."""
        if self.kind is Kind.FLAG:
            return isinstance(value, bool)
        if self.kind is Kind.WORD:
            return isinstance(value, str) and value in self.words
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        try:
            return math.isfinite(value)
        except OverflowError:  # an integer beyond every float
            return False

    def say(self, name: str, value: Value) -> str:
        """A plain sentence for a value that came without one."""
        if self.kind is Kind.FLAG:
            return f"{name} is {'yes' if value else 'no'}"
        unit = "" if self.unit in ("", "1") else f" {self.unit}"
        return f"{name} is {value}{unit}"


def word(meaning: str, collect: str, *words: str) -> FactType:
    """A fact that is one of these words."""
    return FactType(Kind.WORD, meaning, collect, words=words)


def number(meaning: str, collect: str, unit: str = "1") -> FactType:
    """A fact that is a number; the unit 1 marks counts and ratios."""
    return FactType(Kind.NUMBER, meaning, collect, unit)


def flag(meaning: str, collect: str) -> FactType:
    """A fact that is yes or no."""
    return FactType(Kind.FLAG, meaning, collect)
