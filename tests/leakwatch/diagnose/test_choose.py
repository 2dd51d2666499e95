"""The evidence picks the tree: what is proven before what is inferred."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakwatch.diagnose import BUILT_IN, diagnose_by
from leakwatch.diagnose.choose import choose
from playbooks.types import Fact
from playbooks.vocabulary import FACTS


def facts(values: dict[str, Any]) -> list[Fact]:
    return [Fact(name, value) for name, value in values.items()]


@pytest.mark.parametrize(
    ("values", "tree"),
    [
        ({"oom_proven": True, "verdict": "leak", "shape": "linear"}, "oom_killed"),
        ({"oom_proven": False, "verdict": "leak", "shape": "linear"}, "memory_leak"),
        ({"verdict": "leak", "versions_failed": 2}, "memory_leak"),
        ({"verdict": "no_leak", "shape": "steps", "versions_failed": 1}, "model_loading_failure"),
        ({"server_answers": False, "process_running": True}, "model_loading_failure"),
        ({"verdict": "no_leak", "shape": "plateau", "resource_exhausted_ratio": 0.5}, "growth_that_is_no_leak"),
        ({"verdict": "undecided", "shape": "linear"}, "growth_that_is_no_leak"),
        ({"verdict": "no_leak", "shape": "flat", "resource_exhausted_ratio": 0.5}, "slow_predictions"),
        ({"verdict": "no_leak", "shape": "flat"}, None),
        ({"verdict": "undecided", "shape": "too_short"}, None),
        ({"server_answers": False}, None),
        ({}, None),
    ],
)
def test_which_tree(values: dict[str, Any], tree: str | None) -> None:
    """Each kind of evidence has its tree, and calm has none."""
    assert choose(facts(values)) == tree


SOUND = st.fixed_dictionaries(
    {},
    optional={
        name: st.booleans() if fact.kind == "yes/no" else st.sampled_from(fact.words) if fact.words else st.floats(0, 9)
        for name, fact in FACTS.items()
    },
)


@given(values=SOUND, verdict=st.sampled_from(["leak", "no_leak", "undecided"]))
def test_never_a_remedy_for_undecided(values: dict[str, Any], verdict: str) -> None:
    """Whatever else is known, a machine does nothing while the verdict is open, and restarts only for a reason."""
    for name in BUILT_IN:
        remedy = diagnose_by(name, facts({**values, "verdict": verdict})).remedy
        if verdict == "undecided":
            assert remedy is None
        elif remedy is not None and remedy.action == "restart":
            assert verdict == "leak" or values["resource_exhausted_ratio"] >= 0.01
