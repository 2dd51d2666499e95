"""Facts and cases that somebody wrote are read strictly: every mistake, on its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.given import read_cases, read_facts
from playbooks.load import PlaybookError
from playbooks.types import Fact

CASE = """\
- case: one
  facts: {restarts: 2, limit_known: true}
  path:
    - first yes
    - second no
  finding: end
"""


def lines_of(error: pytest.ExceptionInfo[PlaybookError]) -> list[int]:
    return [problem.line for problem in error.value.problems]


def test_facts() -> None:
    """Numbers, words, yes/no and null are facts; null is one that is known to be unknown."""
    text = "restarts: 2\nshape: steps\nlimit_known: false\ncpu_ratio: null\nqueue_share: 0.5\n"
    assert read_facts("f", text) == (
        Fact("restarts", 2),
        Fact("shape", "steps"),
        Fact("limit_known", False),
        Fact("cpu_ratio", None),
        Fact("queue_share", 0.5),
    )


def test_every_mistake_in_facts() -> None:
    """An unknown name, a word that is none, a number in quotes and a name twice are four mistakes on four lines."""
    with pytest.raises(PlaybookError) as error:
        read_facts("f", 'restart: 2\nshape: upwards\ncpu_ratio: "1"\nrestarts: 1\nrestarts: 2\n')
    assert lines_of(error) == [1, 2, 3, 5]
    assert "is 'restarts' meant? docs/facts.md lists them" in str(error.value)
    assert "shape in the facts is 'upwards'; it must be one of flat, " in str(error.value)


def test_a_case() -> None:
    """A case has a name, facts, a path of questions with their answers, and a finding; and knows its line."""
    (case,) = read_cases("c", CASE)
    assert (case.name, case.line, case.finding) == ("one", 1, "end")
    assert case.path == (("first", "yes"), ("second", "no"))
    assert case.facts == (Fact("restarts", 2), Fact("limit_known", True))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("first yes", "first perhaps", 4),
        ("first yes", "yes", 4),
        ("restarts: 2", "weather: 2", 2),
        ("  finding: end\n", "", 1),
        ("  finding: end", "  end: finding", 6),
        ("- case: one\n ", "-", 1),
    ],
)
def test_a_mistake_in_a_case(old: str, new: str, line: int) -> None:
    """Each mistake is on its line."""
    with pytest.raises(PlaybookError) as error:
        read_cases("c", CASE.replace(old, new))
    assert line in lines_of(error)


@given(
    text=st.text(max_size=60) | st.builds(lambda at, bit: CASE[:at] + bit + CASE[at:], st.integers(0, 99), st.text())
)
def test_any_text(text: str) -> None:
    """Any text is read or refused as a PlaybookError."""
    for read in (read_facts, read_cases):
        try:
            read("any", text)
        except PlaybookError as error:
            assert error.problems
