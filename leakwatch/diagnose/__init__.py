"""What was measured -> facts -> a diagnosis: the only runner of playbooks/."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from detectors.types import Assessment
from leakwatch.diagnose.choose import choose
from leakwatch.diagnose.kill_facts import facts_of_exit_code, facts_of_incidents, facts_of_kills, without_doubts
from leakwatch.diagnose.process_facts import facts_of_deployment, facts_of_process
from leakwatch.diagnose.server_facts import facts_of_server
from leakwatch.diagnose.trace_facts import facts_of_trace
from leakwatch.diagnose.trees import BUILT_IN, Trees, read_trees
from leakwatch.diagnose.value_facts import facts_of_values
from leakwatch.trace import Trace
from playbooks.engine import walk
from playbooks.types import Diagnosis, Fact

__all__ = [
    "BUILT_IN",
    "Trees",
    "diagnose",
    "diagnose_by",
    "facts_of_deployment",
    "facts_of_exit_code",
    "facts_of_incidents",
    "facts_of_kills",
    "facts_of_process",
    "facts_of_server",
    "facts_of_trace",
    "facts_of_values",
    "read_trees",
    "without_doubts",
]


def diagnose(
    trace: Trace,
    assessment: Assessment,
    more: Iterable[Fact] = (),
    trees: Trees | None = None,
    conditions: Collection[str] = (),
) -> Diagnosis | None:
    """The cause and what to do, with the way there; None where there is nothing to explain.

    Args:
        trace, assessment: what was measured, and what detection makes of it.
        more: what else is known (incidents, process, server, deployment); it outweighs what the trace says, but that
            nothing undoes the proof of a kill.
        trees: from which the evidence chooses (`leakwatch.diagnose.choose`); None for the built-in ones.
        conditions: names of those that hold beside the leak (docs/agent.md).
    """
    facts = without_doubts((*facts_of_trace(trace, assessment), *more))
    name = choose(facts, conditions)
    return diagnose_by(name, facts, trees) if name is not None else None


def diagnose_by(name: str, facts: Iterable[Fact], trees: Trees | None = None) -> Diagnosis:
    """The walk through one tree, and on into those that it names. No remedy where the verdict is undecided.

    Raises:
        KeyError: there is no tree of that name.
    """
    facts, trees = tuple(facts), BUILT_IN if trees is None else trees
    diagnosis = walk(trees[name], facts, trees)
    undecided = any(fact.name == "verdict" and fact.value == "undecided" for fact in facts)
    return replace(diagnosis, remedy=None) if undecided else diagnosis
