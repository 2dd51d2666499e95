"""What lint says: a finding with its place, its reason and, where it is mechanical, the edits that mend it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Severity(StrEnum):
    """``error``: it will not work, or will be killed; ``warning``: it will hurt; ``note``: good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines of a file to be replaced.

    Attributes:
        line: 1-based line of the first line that goes, and before which the new ones are put.
        removed: how many lines go; 0 only inserts.
        lines: the new lines, without line ends.
    """

    line: int
    removed: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry of contracts.md section 6; ``edits`` make its fix.

    Attributes:
        file: the path as given on the command line (below a folder: joined to it), or ``-``.
        line: 1-based.
        fix: a unified diff of the file, None where nothing mechanical mends it.
    """

    rule: str
    severity: Severity
    file: str
    line: int
    message: str
    source: str
    edits: tuple[Edit, ...] = ()
    fix: str | None = None


class RuleText(Protocol):
    """What a reader may know of a rule."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def severity(self) -> Severity:
        """Of its findings, mostly."""

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""

    @property
    def why(self) -> str:
        """What it costs."""

    @property
    def source(self) -> str:
        """Where that is known from."""
