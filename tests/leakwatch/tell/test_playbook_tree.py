"""A tree drawn as text: everything is there once, within the width, and nothing in it can break the screen."""

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakwatch.tell.playbook_tree import render
from playbooks.load import built_in, built_in_names, load
from playbooks.types import Branch, Condition, Confidence, Finding, Playbook, Question, Step

TREE = """\
about: Is it limited, and does that matter?
start: limited
questions:
  limited:
    ask: Is there a limit?
    when: {fact: limit_known, operator: is, operand: true}
    yes: restarted
    no: shape
    unknown: shape
  shape:
    ask: Does it move in steps or cycles, or in any other way that one can see from afar, or perhaps not at all?
    when: {fact: shape, operator: one_of, operand: [steps, cycles]}
    yes: free
    no: restarted
    unknown: restarted
  restarted:
    ask: Did it restart?
    when: {fact: restarts, operator: at_least, operand: 1}
    yes: killed
    no: free
    unknown: more
findings:
  free: {cause: It is free., confidence: likely, steps: [{do: look}]}
  killed:
    cause: It was killed.
    confidence: certain
    steps: [{do: look closely, command: "ps | head"}]
    remedy: {action: raise_limit, risk: much}
  more: {cause: There is more., confidence: possible, steps: [{do: go on}], then: memory_leak}
"""


def test_a_small_tree(golden: Callable[[str, str], None]) -> None:
    """The drawing looks as it did when a person last read it: the join below is drawn once, on the trunk."""
    tree = load("small", TREE)
    golden("playbook_60.txt", render(tree, width=60, colour=False, steps=True))


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", built_in_names())
def test_the_built_in_trees(name: str, width: int) -> None:
    """Every question and finding is drawn exactly once, and no line is wider than the screen."""
    text = render(built_in(name), width=width, colour=False)
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(re.sub(r"[│├└▼─?●→]", " ", text).split())
    for node_name, node in built_in(name).nodes.items():
        if isinstance(node, Finding):
            assert len(re.findall(rf"\b{node_name}:", words)) == 1, node_name
        else:
            assert words.count(f"[{node_name}:") == 1, node_name


def test_steps_and_risks() -> None:
    """Below the tree every finding's steps stand with their commands, and the risk of what a machine may do."""
    text = render(built_in("memory_leak"), width=100, colour=False, steps=True)
    assert "--grpc_max_threads=16" in text
    assert "! may restart: requests in flight are lost" in text


def test_colour_is_asked_for() -> None:
    """Escapes come with colour alone, and never from a tree."""
    assert "\x1b" in render(built_in("oom_killed"), width=80, colour=True)
    nasty = Finding("\x1b[2J[red]bad[/red]", Confidence.LIKELY, (Step("\x1b]8;;x\x07", "\x9b"),))
    playbook = Playbook("n", "\x1b[2J", "end", MappingProxyType({"end": nasty}))
    text = render(playbook, width=80, colour=False, steps=True)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text) and "[red]bad[/red]" in text


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    """Questions that lead to later ones or to findings, in any pattern; all can be reached from the first."""
    count = draw(st.integers(1, 7))
    names = [f"q{i}" for i in range(count)] + ["a", "b", "c"]
    nodes: dict[str, Any] = {
        name: Finding(f"cause {name}", Confidence.LIKELY, (Step("look"),)) for name in ("a", "b", "c")
    }
    for i in range(count):
        after = {branch: draw(st.sampled_from(names[i + 1 :])) for branch in Branch}
        when = Condition("restarts", "at_least", i)
        nodes[f"q{i}"] = Question(f"question {i}?", when, after[Branch.YES], after[Branch.NO], after[Branch.UNKNOWN])
    return Playbook("any", "any tree", "q0", MappingProxyType(nodes))


@given(playbook=playbooks())
@settings(max_examples=150, deadline=None)
def test_any_tree(playbook: Playbook) -> None:
    """Every node that can be reached is drawn once, and what is said to be below or above is there."""
    reached, ahead = set[str](), ["q0"]
    while ahead:
        name = ahead.pop()
        node = playbook.nodes[name]
        if isinstance(node, Question) and name not in reached:
            ahead += [node.after(branch) for branch in Branch]
        reached.add(name)
    lines = render(playbook, width=200, colour=False).splitlines()
    for name in reached:
        drawn = [i for i, line in enumerate(lines) if f"[{name}:" in line or f"● {name}:" in line]
        assert len(drawn) == 1, (name, lines)
        for i, line in enumerate(lines):
            assert f" {name} (above)" not in line or drawn[0] < i
            assert f" {name} (below)" not in line or drawn[0] > i
