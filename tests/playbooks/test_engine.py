"""The walk: any facts end in a finding, and every answer has its evidence."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.engine import route, walk
from playbooks.load import built_in, built_in_names, load
from playbooks.types import Branch, Fact, Finding, Question
from playbooks.vocabulary import FACTS

ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**5000), [1], {}, b"yes", object(), float("nan"), float("-inf")])
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(FACTS["shape"].words)
)
SOUND = st.fixed_dictionaries(
    {},
    optional={
        name: st.booleans()
        if fact.kind == "yes/no"
        else (st.sampled_from(fact.words) if fact.words else st.floats(0, 1e12))
        for name, fact in FACTS.items()
    },
)


def facts_from(values: dict[str, Any]) -> list[Fact]:
    return [Fact(name, value) for name, value in values.items()]


@pytest.mark.parametrize("name", built_in_names())
@given(values=st.dictionaries(st.sampled_from(sorted(FACTS)) | st.text(max_size=5), ANYTHING) | SOUND)
@settings(max_examples=100, deadline=None)
def test_any_facts_end_in_a_finding(name: str, values: dict[str, Any]) -> None:
    """Whatever the facts hold, the walk ends in a finding, with evidence for every answer, and always in the same."""
    playbook = built_in(name)
    diagnosis = walk(playbook, facts_from(values))
    assert diagnosis == walk(playbook, reversed(facts_from(values)))
    assert diagnosis.cause in {node.cause for node in playbook.nodes.values() if isinstance(node, Finding)}
    assert diagnosis.steps and diagnosis.playbook == name
    assert all(answered.evidence for answered in diagnosis.path)


@pytest.mark.parametrize("name", built_in_names())
@given(values=st.dictionaries(st.sampled_from(sorted(FACTS)), ANYTHING) | SOUND)
@settings(max_examples=100, deadline=None)
def test_unknown_is_never_taken_for_an_answer(name: str, values: dict[str, Any]) -> None:
    """Yes and no are answered from a value of the vocabulary's type alone; all else is unknown, and says what to do."""
    turns, _ = route(built_in(name), facts_from(values))
    for question, answer, evidence in turns:
        node = built_in(name).nodes[question]
        assert isinstance(node, Question)
        fits = FACTS[node.when.fact].fits(values.get(node.when.fact))
        assert (answer is not Branch.UNKNOWN) == fits
        assert fits or FACTS[node.when.fact].collect in evidence


@given(values=SOUND)
@settings(max_examples=200, deadline=None)
def test_a_walk_through_several_trees_ends(values: dict[str, Any]) -> None:
    """Whichever trees a walk goes on in, it ends, joins what each found, and takes the last one's remedy."""
    trees = {name: built_in(name) for name in built_in_names()}
    for name, playbook in trees.items():
        alone, whole = walk(playbook, facts_from(values)), walk(playbook, facts_from(values), trees)
        assert whole.playbook == name and whole.cause.startswith(alone.cause)
        assert whole.path[: len(alone.path)] == alone.path and whole.steps[: len(alone.steps)] == alone.steps


def going_on(to: str) -> str:
    return (
        "about: goes on\nstart: end\nquestions: {}\n"
        f"findings: {{end: {{cause: Here., confidence: possible, steps: [{{do: look}}], then: {to}}}}}\n"
    )


def test_going_on() -> None:
    """A walk goes on where the tree is there and was not walked yet, and stops where it is not."""
    here, there = load("here", going_on("there")), load("there", going_on("here"))
    assert walk(here, ()).cause == "Here."
    assert walk(here, (), {"there": there, "here": here}).cause == "Here. Here."
    assert walk(here, (), {"elsewhere": there}).cause == "Here."


def one_question(when: str) -> str:
    return (
        "about: one question\nstart: q\n"
        f"questions: {{q: {{ask: Well?, when: {when}, yes: a, no: b, unknown: c}}}}\n"
        "findings:\n"
        + "".join(f"  {name}: {{cause: {name}, confidence: possible, steps: [{{do: look}}]}}\n" for name in "abc")
    )


@pytest.mark.parametrize(
    ("when", "value", "cause"),
    [
        ("{fact: shape, operator: is, operand: steps}", "steps", "a"),
        ("{fact: shape, operator: is, operand: steps}", "linear", "b"),
        ("{fact: shape, operator: is, operand: steps}", "no such shape", "c"),
        ("{fact: shape, operator: one_of, operand: [steps, linear]}", "linear", "a"),
        ("{fact: shape, operator: one_of, operand: [steps]}", "linear", "b"),
        ("{fact: limit_known, operator: is, operand: false}", False, "a"),
        ("{fact: limit_known, operator: is, operand: true}", 1, "c"),
        ("{fact: restarts, operator: at_least, operand: 2}", 2, "a"),
        ("{fact: restarts, operator: at_least, operand: 2}", 1.5, "b"),
        ("{fact: restarts, operator: below, operand: 2}", 2, "b"),
        ("{fact: restarts, operator: below, operand: 2}", 1, "a"),
        ("{fact: restarts, operator: below, operand: 2}", True, "c"),
        ("{fact: restarts, operator: below, operand: 2}", float("nan"), "c"),
        ("{fact: restarts, operator: below, operand: 2}", float("-inf"), "c"),
        ("{fact: restarts, operator: below, operand: 2}", None, "c"),
    ],
)
def test_operators(when: str, value: Any, cause: str) -> None:
    """An operator compares values of the fact's type; anything else is unknown, never a guess."""
    fact = when.split()[1].rstrip(",")
    assert walk(load("t", one_question(when)), [Fact(fact, value)]).cause == cause


def test_evidence() -> None:
    """Evidence is the fact's own sentence, else the value with its unit; of what is unknown, what to record."""
    tree = load("t", one_question("{fact: time_to_limit_seconds, operator: below, operand: 60}"))

    def evidence(*facts: Fact) -> tuple[str, str]:
        (answered,) = walk(tree, facts).path
        return answered.answer, answered.evidence

    assert evidence(Fact("time_to_limit_seconds", 30, "30 s are left")) == (Branch.YES, "30 s are left")
    assert evidence(Fact("time_to_limit_seconds", 90)) == (Branch.NO, "time_to_limit_seconds is 90 s")
    assert evidence() == (
        Branch.UNKNOWN,
        "time_to_limit_seconds is not known; record the limit (--limit, or a limit_bytes column)",
    )
    assert evidence(Fact("time_to_limit_seconds", None, "the page was down"))[1].startswith("the page was down; record")
    assert evidence(Fact("time_to_limit_seconds", "soon"))[1].startswith("time_to_limit_seconds holds 'soon', which")


def test_evidence_of_an_odd_value() -> None:
    """A value that cannot be shown is named by its type."""
    tree = load("t", one_question("{fact: restarts, operator: below, operand: 2}"))
    for value in (10**5000, [1], object()):
        (answered,) = walk(tree, [Fact("restarts", value)]).path  # type: ignore[arg-type]
        assert answered.evidence.startswith(f"restarts holds a value of type {type(value).__name__}, which")


def test_flags_in_evidence() -> None:
    """A yes/no fact without a sentence is told as yes or no."""
    tree = load("t", one_question("{fact: limit_known, operator: is, operand: true}"))
    assert walk(tree, [Fact("limit_known", False)]).path[0].evidence == "limit_known is no"
