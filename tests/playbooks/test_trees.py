"""The trees that come with the package, held to the cases that come with them."""

from importlib import resources
from typing import Any

import pytest
import yaml

from playbooks.engine import walk
from playbooks.load import built_in, built_in_names
from playbooks.types import Action, Branch, Fact, Finding, Playbook, Question

FALSE_CLAIMS = (
    "TF_SERVING_MEMORY_FRACTION",
    "model cache",
    "8502",
    "total_model_memory_limit",
    "OMP_NUM_THREADS",
    "MallocExtension",
    "loads all versions",
    "ResourceExhaustedError",
    "tensorflow_serving",
    "tensor references",
    "memory: 80",
    "drop_caches",
    "TF_CPP_MIN_LOG_LEVEL",
)


def cases_of(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load(resources.files("playbooks").joinpath("cases", f"{name}.yaml").read_text(encoding="utf-8"))


def named_path(playbook: Playbook, facts: dict[str, Any]) -> tuple[list[str], str]:
    """The walk by the names of its nodes: ["question answer", ...] and the finding."""
    diagnosis = walk(playbook, [Fact(name, value) for name, value in facts.items()])
    name, path = playbook.start, []
    for answered in diagnosis.path:
        node = playbook.nodes[name]
        assert isinstance(node, Question) and node.ask == answered.ask
        path.append(f"{name} {answered.answer}")
        name = node.after(answered.answer)
    finding = playbook.nodes[name]
    assert isinstance(finding, Finding) and (finding.cause, finding.steps) == (diagnosis.cause, diagnosis.steps)
    return path, name


CASES = [pytest.param(name, case, id=f"{name}: {case['case']}") for name in built_in_names() for case in cases_of(name)]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_case_takes_its_path(name: str, case: dict[str, Any]) -> None:
    """The facts of a case lead along the path and to the finding that it states."""
    assert named_path(built_in(name), case["facts"]) == (case["path"], case["finding"])


@pytest.mark.parametrize("name", built_in_names())
def test_every_branch_is_reached(name: str) -> None:
    """No tree has an answer or a finding that none of its cases reaches."""
    reached = {turn for case in cases_of(name) for turn in (*case["path"], case["finding"])}
    nodes = built_in(name).nodes
    branches = {f"{q} {branch}" for q, node in nodes.items() if isinstance(node, Question) for branch in Branch}
    findings = {finding for finding, node in nodes.items() if isinstance(node, Finding)}
    assert branches | findings == reached


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("claim", FALSE_CLAIMS)
def test_no_false_claim(name: str, claim: str) -> None:
    """A tree repeats none of the claims about TF Serving that circulate and are false."""
    text = resources.files("playbooks").joinpath("trees", f"{name}.yaml").read_text(encoding="utf-8")
    assert claim.lower() not in " ".join(text.lower().split())


@pytest.mark.parametrize("name", built_in_names())
def test_cheapest_remedy(name: str) -> None:
    """Growth that is no leak is never restarted away, and every restart comes after at least one other step."""
    for node in built_in(name).nodes.values():
        if isinstance(node, Finding) and node.remedy is not None and node.remedy.action is Action.RESTART:
            assert name == "memory_leak"
            assert node.steps[0].command is None or "restart" not in node.steps[0].command
