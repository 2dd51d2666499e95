"""The trees that come with the package, held to the cases that come with them."""

from importlib import resources

import pytest

from playbooks.engine import route
from playbooks.given import Case, read_cases
from playbooks.load import built_in, built_in_names, missing_trees
from playbooks.trials import try_out
from playbooks.types import Action, Branch, Finding, Playbook, Question

FALSE_CLAIMS = (
    "TF_SERVING_MEMORY_FRACTION",
    "model cache",
    "8502",
    "total_model_memory_limit",
    "OMP_NUM_THREADS",
    "TF_CPP_MIN_LOG_LEVEL=",
    "MallocExtension",
    "loads all versions",
    "all versions",
    "ResourceExhaustedError",
    "tensorflow_serving:",
    "tensorflow_serving_",
    "quantile=",
    '"model_config_list"',
    "tensor references",
    "tensor cleanup",
    "memory: 80",
    "averageUtilization",
    "drop_caches",
    "TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE",
    "initialDelaySeconds",
    "tensorflow/serving:2.19.1",
    "required image",
    "troubleshooting guide",
    "container_memory_usage_bytes",
    "max_batch_size: ",
    "batch_timeout_micros: ",
    "ResourcePreserving",
)
"""Names and phrases of claims about TF Serving that circulate and are false or mislead."""


def text_of(folder: str, name: str) -> str:
    return resources.files("playbooks").joinpath(folder, f"{name}.yaml").read_text(encoding="utf-8")


CASES = [
    pytest.param(name, case, id=f"{name}: {case.name}")
    for name in built_in_names()
    for case in read_cases(name, text_of("cases", name))
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_case_takes_its_path(name: str, case: Case) -> None:
    """The facts of a case lead along the path and to the finding that it states."""
    turns, finding = route(built_in(name), case.facts)
    assert [f"{question} {answer}" for question, answer, _ in turns] == [" ".join(turn) for turn in case.path]
    assert finding == case.finding


@pytest.mark.parametrize("name", built_in_names())
def test_every_branch_is_reached(name: str) -> None:
    """No tree has an answer or a finding that none of its cases reaches."""
    assert try_out(built_in(name), read_cases(name, text_of("cases", name))) == ()


def test_a_tree_goes_on_only_where_there_is_one() -> None:
    """Every tree that a finding names is there."""
    assert missing_trees({name: built_in(name) for name in built_in_names()}) == {}


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("claim", FALSE_CLAIMS)
def test_no_false_claim(name: str, claim: str) -> None:
    """A tree repeats none of the claims about TF Serving that circulate and are false."""
    assert claim.lower() not in " ".join(text_of("trees", name).lower().split())


@pytest.mark.parametrize("name", built_in_names())
def test_the_first_thing_to_do_stands_by_itself(name: str) -> None:
    """No list of steps begins with an alternative to a step that is not there."""
    firsts = [node.steps[0].do for node in built_in(name).nodes.values() if isinstance(node, Finding)]
    assert not [first for first in firsts if first.startswith(("Or ", "Then ", "Until then"))]


def restarts() -> list[tuple[str, str, Finding]]:
    return [
        (name, node_name, node)
        for name in built_in_names()
        for node_name, node in built_in(name).nodes.items()
        if isinstance(node, Finding) and node.remedy is not None and node.remedy.action is Action.RESTART
    ]


def always_answered_yes(playbook: Playbook, node: str) -> set[str]:
    """The facts that are answered yes on every way to a node."""
    memo: dict[str, set[str] | None] = {playbook.start: set()}

    def needed(name: str) -> set[str]:
        if name not in memo:
            memo[name] = None
            into = [
                needed(parent) | ({question.when.fact} if branch is Branch.YES else set())
                for parent, question in playbook.nodes.items()
                if isinstance(question, Question)
                for branch in Branch
                if question.after(branch) == name
            ]
            memo[name] = set.intersection(*into)
        found = memo[name]
        assert found is not None
        return found

    return needed(node)


@pytest.mark.parametrize(("name", "finding"), [(name, finding) for name, finding, _ in restarts()])
def test_a_restart_needs_a_leak_or_requests_that_fail(name: str, finding: str) -> None:
    """No way leads to a restart but over a leak that was found or requests that fail for want of GPU memory."""
    assert {"verdict", "resource_exhausted_ratio"} & always_answered_yes(built_in(name), finding)


def test_a_restart_is_not_the_first_thing_to_do() -> None:
    """A finding that may restart has something cheaper to do before it."""
    for _, _, node in restarts():
        assert node.steps[0].command is None or "restart" not in node.steps[0].command


def test_a_reload_needs_a_config_that_is_polled() -> None:
    """The reload of one model is proposed only where TF Serving is known to poll its config."""
    for name in built_in_names():
        for node_name, node in built_in(name).nodes.items():
            if isinstance(node, Finding) and node.remedy is not None and node.remedy.action is Action.RELOAD_MODEL:
                assert "config_polled" in always_answered_yes(built_in(name), node_name)
