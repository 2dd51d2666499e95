"""The rules as the tables of docs/lint.md: ``python -m leakwatch.lint.rules``."""

from leakwatch.lint.rules import FAMILIES


def as_markdown() -> str:
    """A heading and a table for each family."""
    parts = []
    for family, rules in FAMILIES:
        rows = [f"| `{rule.id}` | {rule.severity} | {rule.title} | {rule.why} | {rule.source} |" for rule in rules]
        parts.append(
            "\n".join(
                (f"### {family}", "", "| rule | severity | finds | why | source |", "|---|---|---|---|---|", *rows)
            )
        )
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(as_markdown(), end="")
