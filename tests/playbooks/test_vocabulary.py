"""The vocabulary speaks of what detection says, and the documentation of the vocabulary."""

from pathlib import Path

from detectors.types import Answer, Shape
from leakwatch.trace import MEMORY_COLUMNS
from playbooks.load import built_in, built_in_names
from playbooks.types import Question
from playbooks.vocabulary import FACTS, as_markdown


def test_the_words_are_those_of_detection() -> None:
    """Verdicts, shapes and columns are spelled as where they come from, none is missing."""
    assert FACTS["verdict"].words == tuple(Answer)
    assert FACTS["shape"].words == tuple(Shape)
    assert FACTS["metric"].words == MEMORY_COLUMNS


def test_every_fact_is_asked_for() -> None:
    """The vocabulary holds no fact that no tree asks for."""
    nodes = [node for name in built_in_names() for node in built_in(name).nodes.values()]
    assert set(FACTS) == {node.when.fact for node in nodes if isinstance(node, Question)}


def test_the_documentation_is_generated() -> None:
    """docs/facts.md is what ``python -m playbooks.vocabulary`` prints."""
    assert (Path(__file__).parents[2] / "docs" / "facts.md").read_text(encoding="utf-8") == as_markdown()
