"""A rule, and what it says where it finds something."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from leakwatch.findings import Edit, Severity


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a rule found something: the line in the file, one sentence with its number, and the edits that mend it.

    ``severity`` stands in place of the rule's where the case is a milder one.
    """

    line: int
    message: str
    edits: tuple[Edit, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: its name, which never changes.
        severity: of its findings, unless a hit says otherwise.
        title: what is wrong, in a few words.
        why: what it costs.
        source: where that is known from.
        subject: the type of what ``check`` looks at, see `leakwatch.lint.subjects`.
        check: (subject, project) -> hits; raises nothing, whatever the input holds.
    """

    id: str
    severity: Severity
    title: str
    why: str
    source: str
    subject: type
    check: Callable[[Any, Any], Iterator[Hit]]
