"""The vocabulary speaks of what detection says, and the documentation of the vocabulary."""

from pathlib import Path

from detectors.oom_lines.signatures import SIGNATURES
from detectors.types import Answer, Shape
from leakwatch.trace import MEMORY_COLUMNS
from playbooks.load import built_in, built_in_names
from playbooks.types import Question
from playbooks.vocabulary import FACTS, SECTIONS
from playbooks.vocabulary.documentation import as_markdown


def test_the_words_are_those_of_detection() -> None:
    """Verdicts, shapes and columns are spelled as where they come from, none is missing."""
    assert FACTS["verdict"].words == tuple(Answer)
    assert FACTS["shape"].words == tuple(Shape)
    assert FACTS["metric"].words == MEMORY_COLUMNS


def test_the_kinds_are_those_of_logs() -> None:
    """Every kind of log line that tells of memory is a word, in the same spelling."""
    assert set(FACTS["oom_kind"].words) == {one.kind for one in SIGNATURES if one.kind}


def test_no_name_stands_twice() -> None:
    """A fact is in one section only."""
    assert sum(len(section) for section in SECTIONS.values()) == len(FACTS)


def test_every_fact_is_asked_for() -> None:
    """The vocabulary holds no fact that no tree asks for."""
    nodes = [node for name in built_in_names() for node in built_in(name).nodes.values()]
    assert set(FACTS) == {node.when.fact for node in nodes if isinstance(node, Question)}


def test_the_documentation_is_generated() -> None:
    """docs/facts.md is what ``python -m playbooks.vocabulary`` prints."""
    assert (Path(__file__).parents[2] / "docs" / "facts.md").read_text(encoding="utf-8") == as_markdown()
