"""The file itself: keys that stand twice, templates that are not filled in."""

from collections.abc import Iterator

from leakwatch.findings import Severity
from leakwatch.lint.project import Project
from leakwatch.lint.rule import Hit, Rule
from leakwatch.lint.subjects import Template, YamlText
from leakwatch.lint.wording import number


def duplicate_key(document: YamlText, project: Project) -> Iterator[Hit]:
    """A key whose first value is lost."""
    for key, line, first in document.duplicates:
        yield Hit(
            line, f"key {key[:60]!r} stands here again (first on line {number(first)}): what the first one says is lost"
        )


def template(document: Template, project: Project) -> Iterator[Hit]:
    """A template that only its engine can read."""
    yield Hit(
        document.line,
        "a template: lint what it becomes, helm template ... | leakwatch lint -, or give --values where plain values "
        "are all it needs",
    )


RULES = (
    Rule(
        "duplicate-key",
        Severity.ERROR,
        "a key that stands twice",
        "YAML readers keep the last one, strict ones refuse the file: a second resources: takes the limits away.",
        "yaml.org: YAML 1.2.2, 3.2.1.3 node comparison",
        YamlText,
        duplicate_key,
    ),
    Rule(
        "template-not-rendered",
        Severity.NOTE,
        "a template that is not filled in",
        "What is between braces cannot be judged.",
        "helm.sh: helm template",
        Template,
        template,
    ),
)
