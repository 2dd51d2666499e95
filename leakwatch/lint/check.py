"""From paths to findings: every rule looks at what it is for, and what is allowed is left out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from leakwatch.findings import Edit, Finding
from leakwatch.lint import patch
from leakwatch.lint.gather import gather
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Rule
from leakwatch.lint.rules import RULES
from leakwatch.lint.search import STANDARD_INPUT
from leakwatch.lint.source_text import SourceText

_ALLOWED = re.compile(r"(?:#|//)\s*leakwatch:\s*allow\s+([a-z0-9, -]+)")
"""A comment on the line of a finding, or alone on the line before it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run.

    Attributes:
        findings: by file in the order of the search, then by line.
        errors: one line each: what could not be read, wholly or in part, and rules that failed.
        ignored: files named on the command line that hold nothing to lint.
        looked_at: how many files held something.
        texts: the files that held something, by path.
    """

    findings: tuple[Finding, ...]
    errors: tuple[str, ...]
    ignored: tuple[str, ...]
    looked_at: int
    texts: Mapping[str, str]


def lint(
    paths: Sequence[str],
    *,
    values: Mapping[str, object] | None = None,
    model_size_bytes: float | None = None,
    rules: Sequence[Rule] = RULES,
) -> Report:
    """Lint files and folders.

    Args:
        paths: files, folders, ``-`` for standard input.
        values: what fills in Helm templates; None leaves them as they are.
        model_size_bytes: of one version of a model that does not lie on this disk.
        rules: those to look with.
    """
    gathered = gather(paths, values, model_size_bytes)
    faults: list[str] = []
    order = {file: i for i, file in enumerate((*gathered.texts, *gathered.project.folders))}
    found = look(gathered.project, rules, faults)
    findings = sorted(found, key=lambda one: (order.get(one.file, 0), one.line))
    return Report(
        tuple(_mendable(findings, gathered.texts)),
        (*gathered.errors, *faults),
        gathered.ignored,
        len(gathered.texts),
        gathered.texts,
    )


def look(project: Project, rules: Sequence[Rule], faults: list[str]) -> Iterator[Finding]:
    """What the rules find, in the order of the subjects; the same at the same place once.

    A rule that fails is a fault of ours: it is put among ``faults``, and the others go on.
    """
    by_subject: dict[type, list[Rule]] = {}
    for rule in rules:
        by_subject.setdefault(rule.subject, []).append(rule)
    seen: set[tuple[str, str, int, str]] = set()
    for subject in project.subjects:
        source: SourceText = getattr(subject, "source")  # noqa: B009 - every subject has one; their union is open
        for rule in by_subject.get(type(subject), ()):
            try:
                hits = tuple(rule.check(subject, project))
            except Exception as error:
                said = f"{source.file}: rule {rule.id} failed ({type(error).__name__}: {error})"
                faults.append(f"{said}; this is a fault of leakwatch, report it with the file")
                continue
            for hit in hits:
                key = (rule.id, source.file, hit.line, hit.message)
                if key not in seen:
                    seen.add(key)
                    severity = hit.severity or rule.severity
                    yield Finding(rule.id, severity, source.file, max(hit.line, 1), hit.message, rule.source, hit.edits)


def fixes(report: Report) -> dict[str, list[Edit]]:
    """The edits that mend a report's files, by path; where two touch the same lines the first."""
    found: dict[str, list[Edit]] = {}
    for finding in report.findings:
        if finding.edits and finding.file != STANDARD_INPUT and finding.file in report.texts:
            found.setdefault(finding.file, []).extend(finding.edits)
    return {file: patch.chosen(edits) for file, edits in found.items()}


def _mendable(findings: Sequence[Finding], texts: Mapping[str, str]) -> Iterator[Finding]:
    """The findings that are not allowed, with their diffs; a line with a placeholder is not for us to write."""
    for file, of_file in groupby(findings, key=lambda one: one.file):
        lines = patch.lines_of(texts.get(file, ""))
        for one in of_file:
            if _is_allowed(one, lines):
                continue
            replaced = (line for edit in one.edits for line in lines[edit.line - 1 : edit.line - 1 + edit.removed])
            if file not in texts or any("{{" in line for line in replaced):
                yield replace(one, edits=())
            else:
                yield replace(one, fix=patch.diff(file, lines, one.edits) or None) if one.edits else one


def _is_allowed(finding: Finding, lines: Sequence[str]) -> bool:
    """Whether a comment allows it: on its line, or alone on the one before."""
    here, before = (lines[i] if 0 <= i < len(lines) else "" for i in (finding.line - 1, finding.line - 2))
    for line in (here, before if before.lstrip().startswith(("#", "//")) else ""):
        match = _ALLOWED.search(line)
        if match is not None and finding.rule in re.split(r"[,\s]+", match[1]):
            return True
    return False
