"""The forms of ``leakwatch lint -o``, each imported where it is asked for."""

from collections.abc import Sequence

from leakwatch.findings import Finding, RuleText

OUTPUTS = ("table", "json", "sarif")


def findings_as_text(
    findings: Sequence[Finding], looked_at: int, rules: Sequence[RuleText], output: str, *, width: int, colour: bool
) -> str:
    """All findings in the form ``output``, one of `OUTPUTS`."""
    if output == "json":
        from leakwatch.tell import findings_document

        return findings_document.as_json(findings)
    if output == "sarif":
        from leakwatch.tell import findings_sarif

        return findings_sarif.as_sarif(findings, rules)
    from leakwatch.tell import findings_table

    return findings_table.render(findings, looked_at, width=width, colour=colour)
