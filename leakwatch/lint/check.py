"""From paths to findings: read, recognise, put together, and let every rule look at what it is for."""

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from leakwatch.errors import LeakwatchError
from leakwatch.findings import Edit, Finding, Severity
from leakwatch.lint import patch
from leakwatch.lint.project import Project, found_folders
from leakwatch.lint.recognise import recognise
from leakwatch.lint.rule import Rule
from leakwatch.lint.rules import RULES
from leakwatch.lint.search import STANDARD_INPUT, places, read_text
from leakwatch.lint.source_text import SourceText
from leakwatch.lint.subjects import Container, Server, Template


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run.

    Attributes:
        findings: by file in the order of the search, then by line.
        errors: one line each: files that could not be read, wholly or in part.
        ignored: files named on the command line that hold nothing to lint.
        looked_at: how many files held something.
        texts: the files with findings, by path.
    """

    findings: tuple[Finding, ...]
    errors: tuple[str, ...]
    ignored: tuple[str, ...]
    looked_at: int
    texts: Mapping[str, str]


def lint(
    paths: Sequence[str], *, values: Mapping[str, object] | None = None, model_size_bytes: float | None = None
) -> Report:
    """Lint files and folders.

    Args:
        paths: files, folders, ``-`` for standard input.
        values: what fills in Helm templates; None leaves them as they are.
        model_size_bytes: of one version of a model that does not lie on this disk.
    """
    subjects: list[object] = []
    errors: list[str] = []
    ignored: list[str] = []
    models: list[str] = []
    texts: dict[str, str] = {}
    for place in places(tuple(paths)):
        if place.is_model:
            models.append(place.path)
            continue
        try:
            source = read_text(place)
        except LeakwatchError as error:
            errors.append(str(error))
            continue
        if source is None:
            continue
        found = recognise(source, values)
        if not place.is_expected and (found.unreadable or any(isinstance(one, Template) for one in found.subjects)):
            continue  # the source of a program that writes manifests, a page, ...
        if found.unreadable is not None:
            line, what = found.unreadable
            errors.append(f"{source.file}:{line}: {what}; mend it, what stands below was not linted")
        elif not found.subjects and place.named:
            ignored.append(source.file)
        if found.subjects:
            texts[source.file] = source.text
        subjects += found.subjects
    folders = found_folders([*models, *_mounted(subjects)])
    project = Project((*subjects, *folders.values()), model_size_bytes, folders)
    order = {file: i for i, file in enumerate((*texts, *folders))}
    findings = sorted(look(project), key=lambda one: (order.get(one.file, 0), one.line))
    return Report(
        tuple(_with_fixes(findings, texts)),
        tuple(errors),
        tuple(ignored),
        len(texts),
        texts,
    )


def look(project: Project) -> Iterator[Finding]:
    """What the rules find, in the order of the subjects; the same at the same place once."""
    by_subject: dict[type, list[Rule]] = {}
    for rule in RULES:
        by_subject.setdefault(rule.subject, []).append(rule)
    seen: set[tuple[str, str, int, str]] = set()
    for subject in project.subjects:
        source: SourceText = getattr(subject, "source")  # noqa: B009 - every subject has one; their union is open
        for rule in by_subject.get(type(subject), ()):
            for hit in rule.check(subject, project):
                key = (rule.id, source.file, hit.line, hit.message)
                if key not in seen:
                    seen.add(key)
                    severity: Severity = hit.severity or rule.severity
                    yield Finding(rule.id, severity, source.file, max(hit.line, 1), hit.message, rule.source, hit.edits)


def fixes(report: Report) -> dict[str, list[Edit]]:
    """The edits that mend a report's files, by path; where two touch the same lines the first."""
    found: dict[str, list[Edit]] = {}
    for finding in report.findings:
        if finding.edits and finding.file != STANDARD_INPUT and finding.file in report.texts:
            found.setdefault(finding.file, []).extend(finding.edits)
    return {file: patch.chosen(edits) for file, edits in found.items()}


def _with_fixes(findings: Sequence[Finding], texts: Mapping[str, str]) -> Iterator[Finding]:
    """The findings, sorted by file, with their diffs; a line with a placeholder is not for us to write."""
    for file, of_file in groupby(findings, key=lambda one: one.file):
        lines = patch.lines_of(texts.get(file, ""))
        for one in of_file:
            replaced = (line for edit in one.edits for line in lines[edit.line - 1 : edit.line - 1 + edit.removed])
            if file not in texts or any("{{" in line for line in replaced):
                yield replace(one, edits=())
            else:
                yield replace(one, fix=patch.diff(file, lines, one.edits) or None) if one.edits else one


def _mounted(subjects: Sequence[object]) -> Iterator[str]:
    """Folders on this disk that a TF Serving container mounts its model from."""
    for container in subjects:
        if not isinstance(container, Container) or container.server is not Server.TF_SERVING:
            continue
        base = posixpath.normpath(container.values.get("model_base_path", "") or "/")
        for mount in container.mounts:
            inside = posixpath.normpath(mount.path or "/")
            if mount.host_path and (base == inside or base.startswith(f"{inside}/")):
                path = os.path.join(mount.host_path, posixpath.relpath(base, inside))
                if os.path.isdir(path):
                    yield os.path.join(path, "0")  # as a version in it would be
