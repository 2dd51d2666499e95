"""docs/lint.md says what the rules say."""

from pathlib import Path

from leakwatch.lint.rules.__main__ import as_markdown

ROOT = Path(__file__).parents[3]


def test_every_rule_stands_in_the_documentation() -> None:
    """The tables are those that `python -m leakwatch.lint.rules` prints."""
    assert (ROOT / "docs/lint.md").read_text().endswith(as_markdown())
