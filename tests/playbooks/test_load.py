"""A bad tree is refused with every mistake and its line; whatever the text, nothing but PlaybookError is raised."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.load import PlaybookError, built_in, load
from playbooks.types import Condition, Confidence, Finding, Question

GOOD = """\
about: a small tree
start: first
questions:
  first:
    ask: Is there a limit?
    when: {fact: limit_known, operator: is, operand: true}
    yes: second
    no: end
    unknown: end
  second:
    ask: Did it restart?
    when: {fact: restarts, operator: at_least, operand: 1}
    yes: end
    no: end
    unknown: end
findings:
  end:
    cause: something
    confidence: likely
    steps:
      - do: look
        command: ls
"""


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PlaybookError) as caught:
        load("bad", text)
    return [(problem.line, problem.what) for problem in caught.value.problems]


def test_a_good_tree() -> None:
    """A tree without a mistake is read as it stands, nodes shared by several branches included."""
    playbook = load("good", GOOD)
    assert (playbook.name, playbook.about, playbook.start) == ("good", "a small tree", "first")
    assert playbook.nodes["second"] == Question(
        "Did it restart?", Condition("restarts", "at_least", 1), "end", "end", "end"
    )
    end = playbook.nodes["end"]
    assert isinstance(end, Finding) and end.confidence is Confidence.LIKELY and str(end.steps[0]) == "look: ls"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (
            "fact: limit_known",
            "fact: limit_size",
            6,
            "asks for an unknown fact 'limit_size'",
        ),
        ("operator: is", "operator: equals", 6, "unknown operator 'equals'; known: is, one_of, at_least, below"),
        ("operand: true", "operand: 3", 6, "compares limit_known with 3; it takes yes/no"),
        ("operand: 1", "operand: one", 12, "compares restarts with 'one'; it takes number"),
        ("operand: 1", "operand: true", 12, "compares restarts with True; it takes number"),
        ("operand: 1", "operand: .nan", 12, "must be one word, finite number or true/false"),
        ("operand: 1", "operand: !!int x", 12, "cannot be read as int"),
        ("operand: 1", "operand: 2001-99-99", 12, "must be one word, finite number or true/false"),
        ("operator: at_least", "operator: is", 12, "compares restarts, a number, by 'is'"),
        (
            "{fact: restarts, operator: at_least, operand: 1}",
            "{fact: shape, operator: one_of, operand: []}",
            12,
            "a list",
        ),
        (
            "{fact: restarts, operator: at_least, operand: 1}",
            "{fact: shape, operator: one_of, operand: linear}",
            12,
            "with 'linear'; it takes a list of flat, ",
        ),
        (
            "{fact: restarts, operator: at_least, operand: 1}",
            "{fact: shape, operator: is, operand: upwards}",
            12,
            "with 'upwards'; it takes one of flat, ",
        ),
        ("    no: end\n    unknown: end\n  second", "    no: end\n  second", 5, "question 'first' lacks 'unknown'"),
        ("yes: second", "yes: third", 4, "yes of question 'first' names 'third', which is no node"),
        ("yes: second", "yes: end", 10, "nothing leads to 'second'"),
        ("    yes: end", "    yes: first", 4, "the walk goes in a circle: first -> second -> first"),
        ("start: first", "start: zero", 2, "start names 'zero', which is no node"),
        ("start: first\n", "", 1, "a playbook lacks 'start'"),
        ("  second:", "  first:", 10, "questions has 'first' twice (first on line 4)"),
        ("  end:", "  first:", 17, "'first' is a question and a finding"),
        ("confidence: likely", "confidence: sure", 19, "it must be one of certain, likely, possible"),
        ("- do: look", "- say: look", 21, "unknown key 'say'; it takes do, command"),
        ("ask: Did it restart?", "ask: 5", 11, "ask of question 'second' must be a text; put 5 in quotes"),
        ("ask: Did it restart?", "ask: ''", 11, "must be a text that is not empty"),
        ("    confidence: likely", "    confidence: likely\n    remedy: {action: pray, risk: none}", 20, "is 'pray'"),
        ("    confidence: likely", "    confidence: likely\n    then: bad", 20, "'end' goes on to its own tree"),
        ("    confidence: likely", "    confidence: likely\n    then: 5", 20, "then of finding 'end' must be a text"),
        (
            "    confidence: likely",
            "    confidence: likely\n    then: other\n    remedy: {action: restart, risk: much}",
            21,
            "has a remedy and goes on to 'other'",
        ),
        ("questions:\n", "questions: 3\nx:\n", 3, "questions must be a mapping"),
        ("  second:", "  [second]:", 10, "questions has a key that is no word"),
        ("findings:", "findings: [", 18, "not YAML: "),
    ],
)
def test_one_mistake(old: str, new: str, line: int, says: str) -> None:
    """A mistake is reported on its line, with what stands there and what may."""
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert any(at == line and says in what for at, what in found), found


def test_every_mistake_at_once() -> None:
    """Several mistakes come in one report, in the order of the lines, the tree's name before each."""
    bad = GOOD.replace("limit_known", "limit_size").replace("at_least", "over").replace("likely", "sure")
    with pytest.raises(PlaybookError) as caught:
        load("bad", bad)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["bad:6", "bad:12", "bad:19"]


def test_every_circle() -> None:
    """Two circles are two mistakes: mending one does not bring up the other."""
    bad = GOOD.replace("unknown: end", "unknown: first", 1).replace("    yes: end", "    yes: second", 1)
    circles = [what for _, what in problems(bad) if "circle" in what]
    assert sorted(circles) == [
        "the walk goes in a circle: first -> first",
        "the walk goes in a circle: second -> second",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "[" * 100_000 + "]" * 100_000,
        "{a: " * 100_000,
        "a: \x00",
        "3",
        "[]",
        "&a [*a]",
        "\ufeff",
    ],
)
def test_no_playbook_at_all(text: str) -> None:
    """A text that is no tree at all, however odd, is a PlaybookError."""
    assert problems(text)


@given(
    text=st.text(max_size=60)
    | st.builds(lambda at, bit: GOOD[:at] + bit + GOOD[at:], st.integers(0, len(GOOD)), st.text(max_size=4))
)
@settings(max_examples=150, deadline=None)
def test_any_text(text: str) -> None:
    """Any text loads or raises PlaybookError with at least one problem, each on a line of the text."""
    try:
        load("any", text)
    except PlaybookError as error:
        assert error.problems
        assert all(1 <= problem.line <= text.count("\n") + text.count("\r") + 3 for problem in error.problems)


def test_built_in_once() -> None:
    """A built-in tree is parsed once, and an unknown name is an error of the caller."""
    assert built_in("memory_leak") is built_in("memory_leak")
    with pytest.raises(FileNotFoundError):
        built_in("no_such_tree")
