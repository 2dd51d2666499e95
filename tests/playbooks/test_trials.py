"""A tree held to cases: a case that goes astray and a branch that none reaches are both told."""

from playbooks.given import read_cases
from playbooks.load import load
from playbooks.trials import try_out

TREE = """\
about: a small tree
start: limited
questions:
  limited:
    ask: Is there a limit?
    when: {fact: limit_known, operator: is, operand: true}
    yes: restarted
    no: free
    unknown: free
  restarted:
    ask: Did it restart?
    when: {fact: restarts, operator: at_least, operand: 1}
    yes: killed
    no: free
    unknown: free
findings:
  free: {cause: free, confidence: likely, steps: [{do: look}]}
  killed: {cause: killed, confidence: likely, steps: [{do: look}]}
"""
CASES = """\
- {case: killed, facts: {limit_known: true, restarts: 1}, path: [limited yes, restarted yes], finding: killed}
- {case: calm, facts: {limit_known: true, restarts: 0}, path: [limited yes, restarted no], finding: free}
- {case: dark, facts: {limit_known: true}, path: [limited yes, restarted unknown], finding: free}
- {case: no limit, facts: {limit_known: false}, path: [limited no], finding: free}
- {case: nothing, facts: {}, path: [limited unknown], finding: free}
"""


def problems(cases: str) -> list[tuple[int, str]]:
    return [(one.line, one.what) for one in try_out(load("t", TREE), read_cases("t", cases))]


def test_cases_that_hold() -> None:
    """A tree whose every branch is reached as its cases say has no problem."""
    assert problems(CASES) == []


def test_a_branch_that_no_case_reaches() -> None:
    """A case taken away is a branch, and perhaps a finding, that nothing reaches."""
    without_first = "\n".join(CASES.splitlines()[1:])
    assert problems(without_first) == [
        (1, "no case reaches the answer yes of question 'restarted'"),
        (1, "no case reaches finding 'killed'"),
    ]


def test_a_case_that_goes_astray() -> None:
    """A case that takes another turn is told with its line, the turn, and where it went."""
    astray = CASES.replace("path: [limited yes, restarted no], finding: free", "path: [limited no], finding: free")
    assert problems(astray) == [(2, "case 'calm' goes to 'limited yes', not to 'limited no', at turn 1")]
    longer = CASES.replace("path: [limited unknown]", "path: [limited unknown, restarted yes]")
    assert problems(longer) == [(5, "case 'nothing' goes to 'finding free', not to 'restarted yes', at turn 2")]
    shorter = CASES.replace("path: [limited yes, restarted yes]", "path: [limited yes]")
    assert problems(shorter) == [(1, "case 'killed' goes to 'restarted yes', not to 'finding killed', at turn 2")]
    elsewhere = CASES.replace("restarted yes], finding: killed", "restarted yes], finding: free")
    assert problems(elsewhere) == [(1, "case 'killed' ends in 'killed', not in 'free'")]
