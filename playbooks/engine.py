"""Walk a tree: every question answered from the facts, every answer with its evidence. Pure; no code in the trees."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from playbooks.types import Answered, Branch, Condition, Diagnosis, Fact, Finding, Operand, Playbook, Question, Value
from playbooks.vocabulary import FACTS, FactType, Kind


@dataclass(frozen=True, slots=True)
class Operator:
    """A comparison: the kinds of facts that it suits, whether its operand is a list, and when it holds."""

    kinds: tuple[Kind, ...]
    takes_list: bool
    holds: Callable[[Value, Operand], bool]

    def takes(self, fact: FactType, operand: object) -> bool:
        """Whether a question may compare this fact with this operand."""
        if self.takes_list:
            return isinstance(operand, tuple) and bool(operand) and all(fact.fits(one) for one in operand)
        return fact.fits(operand)


def _at_least(value: Value, operand: Operand) -> bool:
    return isinstance(value, int | float) and isinstance(operand, int | float) and value >= operand


def _below(value: Value, operand: Operand) -> bool:
    return isinstance(value, int | float) and isinstance(operand, int | float) and value < operand


def _one_of(value: Value, operand: Operand) -> bool:
    return isinstance(operand, tuple) and value in operand


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "is": Operator((Kind.WORD, Kind.FLAG), False, lambda value, operand: value == operand),
        "one_of": Operator((Kind.WORD,), True, _one_of),
        "at_least": Operator((Kind.NUMBER,), False, _at_least),
        "below": Operator((Kind.NUMBER,), False, _below),
    }
)


def walk(playbook: Playbook, facts: Iterable[Fact], others: Mapping[str, Playbook] = MappingProxyType({})) -> Diagnosis:
    """Follow the answers from the start to a finding, and on into the trees that findings name with ``then``.

    A fact that is missing, None, or not of its vocabulary's type (NaN included) is answered "unknown", and the evidence
    says what to record. Facts outside the vocabulary are not asked for; of two with one name the last counts.

    Args:
        playbook: the tree to begin with.
        facts: what is known.
        others: the trees to go on in, by name; a tree that is not there, or was walked already, is not gone on to.
    """
    known = tuple(facts)
    finding, path = _followed(playbook, known)
    cause, steps, walked = finding.cause, finding.steps, {playbook.name}
    while (then := finding.then) is not None and then in others and then not in walked:
        walked.add(then)
        finding, more = _followed(others[then], known)
        cause, steps, path = f"{cause} {finding.cause}", steps + finding.steps, path + more
    return Diagnosis(cause, finding.confidence, path, steps, playbook.name, finding.remedy)


def route(playbook: Playbook, facts: Iterable[Fact]) -> tuple[tuple[tuple[str, Branch, str], ...], str]:
    """The way through one tree by the names of its nodes: (question, answer, evidence) triples, and the finding."""
    known = {fact.name: fact for fact in facts}
    turns: list[tuple[str, Branch, str]] = []
    name = playbook.start
    while isinstance(node := playbook.nodes[name], Question):
        answer, evidence = _answer(node.when, known.get(node.when.fact))
        turns.append((name, answer, evidence))
        name = node.after(answer)
    return tuple(turns), name


def _followed(playbook: Playbook, facts: Iterable[Fact]) -> tuple[Finding, tuple[Answered, ...]]:
    turns, end = route(playbook, facts)
    finding = playbook.nodes[end]
    assert isinstance(finding, Finding)  # the loader lets no way end elsewhere
    asked = ((playbook.nodes[name], answer, evidence) for name, answer, evidence in turns)
    return finding, tuple(
        Answered(node.ask, answer, said) for node, answer, said in asked if isinstance(node, Question)
    )


def _answer(when: Condition, fact: Fact | None) -> tuple[Branch, str]:
    meant = FACTS[when.fact]
    if fact is None or fact.value is None:
        why = fact.because if fact is not None and fact.because else f"{when.fact} is not known"
        return Branch.UNKNOWN, f"{why}; record {meant.collect}"
    if not meant.fits(fact.value):
        return Branch.UNKNOWN, f"{when.fact} holds {_shown(fact.value)}, which cannot be used; record {meant.collect}"
    holds = OPERATORS[when.operator].holds(fact.value, when.operand)
    return Branch.YES if holds else Branch.NO, fact.because or meant.say(when.fact, fact.value)


def _shown(value: object) -> str:
    """A word or a number as it is; of anything else, which may be endless or not be printable, the type."""
    return repr(value) if isinstance(value, str | float | bool) else f"a value of type {type(value).__name__}"
