"""Walk a tree: every question answered from the facts, every answer with its evidence. Pure; no code in the trees."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from playbooks.types import Answered, Branch, Condition, Diagnosis, Fact, Operand, Playbook, Question, Value
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


def walk(playbook: Playbook, facts: Iterable[Fact]) -> Diagnosis:
    """Follow the answers from the start to a finding.

    A fact that is missing, None, or not of its vocabulary's type (NaN included) is answered "unknown", and the evidence
    says what to record. Facts outside the vocabulary are not asked for; of two with one name the last counts.
    """
    known = {fact.name: fact for fact in facts}
    path: list[Answered] = []
    node = playbook.nodes[playbook.start]
    while isinstance(node, Question):
        answer, evidence = _answer(node.when, known.get(node.when.fact))
        path.append(Answered(node.ask, answer, evidence))
        node = playbook.nodes[node.after(answer)]
    return Diagnosis(node.cause, node.confidence, tuple(path), node.steps, playbook.name, node.remedy)


def _answer(when: Condition, fact: Fact | None) -> tuple[Branch, str]:
    meant = FACTS[when.fact]
    if fact is None or fact.value is None:
        why = fact.because if fact is not None and fact.because else f"{when.fact} is not known"
        return Branch.UNKNOWN, f"{why}; record {meant.collect}"
    if not meant.fits(fact.value):
        return Branch.UNKNOWN, f"{when.fact} holds {fact.value!r}, which cannot be used; record {meant.collect}"
    holds = OPERATORS[when.operator].holds(fact.value, when.operand)
    return Branch.YES if holds else Branch.NO, fact.because or meant.say(when.fact, fact.value)
