"""Numbers by name become facts where the vocabulary knows the name."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leakwatch.diagnose import facts_of_values
from playbooks.vocabulary import FACTS


def values(given: dict[str, float]) -> dict[str, Any]:
    return {fact.name: fact.value for fact in facts_of_values(given)}


def test_by_name() -> None:
    """A number fact under its own name, a yes/no fact as 1 or 0; a word, a column and NaN say nothing."""
    told = values(
        {"cpu_ratio": 0.9, "batching_enabled": 1.0, "shape": 1.0, "anon_bytes": 5.0, "queue_share": float("nan")}
    )
    assert told == {"cpu_ratio": 0.9, "batching_enabled": True}


def test_what_facts_are_made_of() -> None:
    """GPU memory, threads and limits are put together where both parts are known; 0 and infinity are no limit."""
    assert values({"gpu_used_bytes": 5.0, "gpu_total_bytes": 10.0, "threads": 8.0, "cpus": 2.0}) == {
        "gpu_memory_ratio": 0.5,
        "threads_per_cpu": 4.0,
    }
    assert values({"gpu_used_bytes": 5.0, "threads": 8.0}) == {}
    assert values({"limit_bytes": 4e9}) == {"limit_known": True}
    assert values({"limit_bytes": 0.0}) == values({"limit_bytes": float("inf")}) == {"limit_known": False}


@given(st.dictionaries(st.sampled_from([*FACTS, "limit_bytes", "gpu_used_bytes", "gpu_total_bytes"]), st.floats()))
def test_any_values(given: dict[str, float]) -> None:
    """Whatever the numbers are, the facts are the vocabulary's in name and type."""
    assert all(FACTS[fact.name].fits(fact.value) for fact in facts_of_values(given))
