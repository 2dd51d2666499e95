"""Prints docs/facts.md."""

from playbooks.vocabulary.documentation import as_markdown

print(as_markdown(), end="")
