"""Findings as SARIF 2.1.0, which code hosts show beside the lines
(https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""

import json
import posixpath
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from leakwatch import __version__
from leakwatch.findings import Edit, Finding, RuleText

Json = dict[str, Any]
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(findings: Sequence[Finding], rules: Sequence[RuleText]) -> str:
    """One run with its findings, and every rule of which there is one."""
    found = {finding.rule for finding in findings}
    used = [rule for rule in rules if rule.id in found]
    index = {rule.id: i for i, rule in enumerate(used)}
    driver = {
        "name": "leakwatch",
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in used],
    }
    run = {
        "tool": {"driver": driver},
        "results": [_result(one, index) for one in findings],
        "columnKind": "utf16CodeUnits",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: RuleText) -> Json:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why} Source: {rule.source}."},
        "defaultConfiguration": {"level": str(rule.severity)},
    }


def _result(finding: Finding, index: dict[str, int]) -> Json:
    place = {"artifactLocation": _artifact(finding.file), "region": {"startLine": finding.line}}
    result: Json = {
        "ruleId": finding.rule,
        "level": str(finding.severity),
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
    }
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    if finding.edits:
        change = {"artifactLocation": _artifact(finding.file), "replacements": [_replacement(e) for e in finding.edits]}
        result["fixes"] = [{"description": {"text": finding.message}, "artifactChanges": [change]}]
    return result


def _artifact(file: str) -> Json:
    """The path as a relative or absolute URI reference."""
    path = "stdin" if file == "-" else posixpath.normpath(file)
    uri = quote(path.encode("utf-8", "surrogateescape"))
    return {"uri": f"file://{uri}" if path.startswith("/") else uri}


def _replacement(edit: Edit) -> Json:
    """Whole lines: from the start of the first that goes to the start of the first that stays."""
    region = {"startLine": edit.line, "startColumn": 1, "endLine": edit.line + edit.removed, "endColumn": 1}
    return {"deletedRegion": region, "insertedContent": {"text": "".join(f"{line}\n" for line in edit.lines)}}
