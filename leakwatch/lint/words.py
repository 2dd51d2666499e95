"""Command lines as words that know their line: from lists in YAML, and from shell text with continued lines."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from leakwatch.lint.yaml_tree import Form, Node

_ENDS = frozenset({";", "&&", "||", "|", "&", ")", "(", "{", "}", "then", "do", "else", "fi", "done"})
_PIECE = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.|(?P<comment>(?<!\S)\#.*)|.""")
"""Of a line: what is quoted, an escape, a comment, or one character."""
_SEPARATORS = re.compile(r"(&&|\|\||(?<![<>&])&(?!>)|[;|()])")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command line and the line of the file on which it stands.

    Attributes:
        whole_line: it is an item of its own in a block list, so that items may be put beside it.
        column: 0-based, of the dash before it where ``whole_line``.
    """

    text: str
    line: int
    whole_line: bool = False
    column: int = 0


def words_of(node: Node) -> tuple[Word, ...]:
    """The words of a command as YAML gives it: a list of them, or one text that is split as a shell would."""
    if node.form is Form.LIST:
        return tuple(
            Word(item.text, item.line, not item.flow and item.style not in ("|", ">"), max(item.column - 2, 0))
            for item in node.items
            if item.form is Form.SCALAR
        )
    first = node.line + 1 if node.style in ("|", ">") else node.line
    return tuple(word for command in commands(node.text, first, node.style != ">") for word in command)


def commands(text: str, first_line: int = 1, lines_are_lines: bool = True) -> Iterator[tuple[Word, ...]]:
    """The simple commands of shell text, in order; comments, and what cannot be told as words, are left out.

    Args:
        text: of a script, or of ``sh -c``.
        first_line: the line of the file on which it begins.
        lines_are_lines: whether its lines are lines of the file; otherwise all stand on ``first_line``.
    """
    words: list[Word] = []
    for number, line in enumerate(text.splitlines()):
        where = first_line + number if lines_are_lines else first_line
        continued = line.rstrip().endswith("\\")
        for part in _split(line.rstrip().removesuffix("\\")):
            if part in _ENDS:
                if words:
                    yield tuple(words)
                words = []
            else:
                words.append(Word(part, where))
        if words and not continued:
            yield tuple(words)
            words = []
    if words:
        yield tuple(words)


def _split(line: str) -> list[str]:
    line = "".join(piece[0] for piece in _PIECE.finditer(line) if piece["comment"] is None)
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
        lexer.whitespace_split, lexer.commenters = True, ""
        return list(lexer)
    except ValueError:  # a quote that closes on a later line
        return _SEPARATORS.sub(r" \1 ", line).split()
