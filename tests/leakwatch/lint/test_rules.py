"""Every rule finds what it is for, where it stands, says it with its number, mends it, and leaves the good alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from leakwatch.findings import Finding
from leakwatch.lint.check import Report, fixes, lint
from leakwatch.lint.patch import write
from leakwatch.lint.rules import FAMILIES, RULES

CASES = Path(__file__).parent / "rules"
"""A file a rule: a bad input, the line and words that it has to give, and a good input."""


def case(rule: str) -> dict[str, Any]:
    """The case of a rule."""
    read: dict[str, Any] = yaml.safe_load((CASES / f"{rule}.yaml").read_text())
    return read


def put(folder: Path, files: str | dict[str, str | int], modes: dict[str, str] | None = None) -> Path:
    """Write an input: one text, or texts by path; a number makes a file of so many bytes."""
    folder.mkdir()
    for name, content in ({"input.yaml": files} if isinstance(files, str) else files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        else:
            path.write_bytes(b"\1" * content)
        path.chmod(int((modes or {}).get(name, "644"), 8))
    return folder


def of(rule: str, report: Report) -> list[Finding]:
    """The findings of one rule."""
    return [finding for finding in report.findings if finding.rule == rule]


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_a_bad_input_is_found_where_it_is_bad(rule: str, tmp_path: Path) -> None:
    """The rule's finding has the line and the words of its case."""
    wanted = case(rule)
    report = lint([str(put(tmp_path / "bad", wanted["bad"], wanted.get("modes")))])
    assert not report.errors
    found = of(rule, report)
    assert [one.line for one in found[:1]] == [wanted["line"]], report.findings
    assert wanted["says"] in found[0].message
    assert (found[0].fix is not None) == wanted.get("fixed", False)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_a_good_input_is_left_alone(rule: str, tmp_path: Path) -> None:
    """The same without the fault has no finding of that rule."""
    report = lint([str(put(tmp_path / "good", case(rule)["good"]))])
    assert not report.errors
    assert of(rule, report) == []
    assert report.looked_at or not isinstance(case(rule)["good"], str)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES if case(rule.id).get("fixed")])
def test_a_fix_mends_what_was_found(rule: str, tmp_path: Path) -> None:
    """After its fix alone the finding is gone, the file can still be read, and the rest of it is as it was."""
    folder = put(tmp_path / "bad", case(rule)["bad"])
    before = lint([str(folder)])
    finding = of(rule, before)[0]
    write(finding.file, list(finding.edits))
    after = lint([str(folder)])
    assert not after.errors
    assert finding.message not in [one.message for one in of(rule, after)]
    assert {one.rule for one in after.findings} <= {one.rule for one in before.findings}


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_all_fixes_together_leave_files_that_can_be_read(rule: str, tmp_path: Path) -> None:
    """Whatever is mended at once, nothing becomes unreadable and no rule finds more than before."""
    folder = put(tmp_path / "bad", case(rule)["bad"])
    before = lint([str(folder)])
    for file, edits in fixes(before).items():
        write(file, edits)
    after = lint([str(folder)])
    assert not after.errors
    assert len(after.findings) <= len(before.findings)


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    """A rule without a bad and a good input is not known to work."""
    assert {path.stem for path in CASES.glob("*.yaml")} == {rule.id for rule in RULES}
    assert all({"bad", "good", "line", "says"} <= set(case(rule.id)) for rule in RULES)


def test_rules_are_named_once_and_say_why() -> None:
    """Ids are unique words joined by hyphens; every rule has its reason and its source."""
    assert len({rule.id for rule in RULES}) == len(RULES) >= 40
    for rule in RULES:
        assert rule.id == rule.id.lower() and set(rule.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert rule.title and rule.why.endswith(".") and rule.source
    assert sum(len(rules) for _, rules in FAMILIES) == len(RULES)


def test_no_rule_repeats_a_false_claim() -> None:
    """What articles say and the server does not: no rule advises it."""
    advice = " ".join(f"{rule.title} {rule.why}" for rule in RULES)
    for claim in (
        "model cache: 16",
        "initialDelaySeconds",
        "loads all versions by default",
        "tensor cleanup",
        "OMP_NUM_THREADS to",
    ):
        assert claim not in advice
