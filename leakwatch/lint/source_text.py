"""A text that is linted, and where it stands in its file: whole, or as a block inside YAML (a ConfigMap's value)."""

from dataclasses import dataclass
from functools import cached_property

from leakwatch.findings import Edit


@dataclass(frozen=True)
class SourceText:
    """Text with its place.

    Attributes:
        file: the path as given.
        text: what is read; of a block in YAML without its indentation.
        first_line: 1-based line in the file on which it begins.
        indent: what stands before each of its lines in the file.
        editable: whether each of its lines is one line of the file, so that an edit may be made.
        folder: path of the folder that relative paths in it start from; None for standard input.
        key: of a block in a ConfigMap, what it is called there.
    """

    file: str
    text: str
    first_line: int = 1
    indent: str = ""
    editable: bool = True
    folder: str | None = None
    key: str = ""

    def place(self, own_line: int) -> int:
        """The line in the file of a line of this text (both 1-based)."""
        return self.first_line + own_line - 1 if self.editable else self.first_line

    def line(self, line: int) -> str:
        """A line of the file, without its end, as far as this text covers it."""
        index = line - self.first_line
        return self.indent + self._lines[index] if 0 <= index < len(self._lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def replaced(self, line: int, old: str, new: str) -> tuple[Edit, ...]:
        """The edit that puts ``new`` for ``old`` on a line of the file; none where that is not there exactly once."""
        before = self.line(line)
        if not self.editable or not old or before.count(old) != 1:
            return ()
        return (Edit(line, 1, tuple(before.replace(old, new).split("\n"))),)

    def inserted(self, line: int, lines: tuple[str, ...]) -> tuple[Edit, ...]:
        """The edit that puts lines before a line of the file."""
        return (Edit(line, 0, tuple(self.indent + one for one in lines)),) if self.editable else ()

    def removed(self, first: int, last: int) -> tuple[Edit, ...]:
        """The edit that takes lines out of the file, both included."""
        return (Edit(first, last - first + 1, ()),) if self.editable and last >= first else ()
