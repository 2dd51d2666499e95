"""The JSON document of ``leakwatch lint`` (contracts.md section 6); its schema is docs/schemas/lint.schema.json."""

import json
from collections.abc import Sequence

from leakwatch.findings import Finding

SCHEMA_VERSION = 1


def as_json(findings: Sequence[Finding]) -> str:
    """The findings as one document, pure ASCII, so that any path survives any encoding."""
    document = {"schema_version": SCHEMA_VERSION, "findings": [finding_as_dict(one) for one in findings]}
    return json.dumps(document, indent=2) + "\n"


def finding_as_dict(finding: Finding) -> dict[str, str | int | None]:
    """One entry, in the order of the contract."""
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "file": finding.file,
        "line": finding.line,
        "message": finding.message,
        "fix": finding.fix,
        "source": finding.source,
    }
