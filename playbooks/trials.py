"""A tree held to its cases: each takes its path, and together they reach every branch."""

import itertools
from collections.abc import Iterable, Iterator

from playbooks.engine import route
from playbooks.given import Case
from playbooks.reader import Problem
from playbooks.types import Branch, Finding, Playbook, Question


def try_out(playbook: Playbook, cases: Iterable[Case]) -> tuple[Problem, ...]:
    """Every case that takes another way than it says, on its line, and every branch and finding that none reaches."""
    cases = tuple(cases)
    return (*_astray(playbook, cases), *_unreached(playbook, cases))


def branches(playbook: Playbook) -> Iterator[tuple[str, Branch]]:
    """Every (question, answer) of a tree."""
    for name, node in playbook.nodes.items():
        if isinstance(node, Question):
            for branch in Branch:
                yield name, branch


def _astray(playbook: Playbook, cases: tuple[Case, ...]) -> Iterator[Problem]:
    for case in cases:
        turns, finding = route(playbook, case.facts)
        path = tuple((name, str(answer)) for name, answer, _ in turns)
        if path != case.path:
            same = (one == other for one, other in zip(path, case.path, strict=False))
            where = sum(itertools.takewhile(bool, same))
            went = " ".join(path[where]) if where < len(path) else f"finding {finding}"
            said = " ".join(case.path[where]) if where < len(case.path) else f"finding {case.finding}"
            yield Problem(case.line, f"case {case.name!r} goes to {went!r}, not to {said!r}, at turn {where + 1}")
        elif finding != case.finding:
            yield Problem(case.line, f"case {case.name!r} ends in {finding!r}, not in {case.finding!r}")


def _unreached(playbook: Playbook, cases: tuple[Case, ...]) -> Iterator[Problem]:
    """On line 1: it is the file of cases that lacks one."""
    walks = [route(playbook, case.facts) for case in cases]
    taken = {(name, answer) for turns, _ in walks for name, answer, _ in turns}
    ends = {end for _, end in walks}
    for name, branch in branches(playbook):
        if (name, branch) not in taken:
            yield Problem(1, f"no case reaches the answer {branch} of question {name!r}")
    for name, node in playbook.nodes.items():
        if isinstance(node, Finding) and name not in ends:
            yield Problem(1, f"no case reaches finding {name!r}")
