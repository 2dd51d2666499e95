"""Which tree the evidence calls for."""

from collections.abc import Collection, Iterable

from playbooks.types import Fact, Value

_NOTHING_TO_EXPLAIN = ("flat", "too_short")
_TROUBLE_RATIO = 0.01
_TROUBLE = ("resource_exhausted_ratio", "unavailable_ratio", "deadline_exceeded_ratio")


_OF_CONDITIONS = {
    "load": "model_loading_failure",
    "restarts": "oom_killed",
    "latency": "slow_predictions",
    "queue": "slow_predictions",
    "errors": "slow_predictions",
}
"""By the condition's kind, the first that holds; high memory is explained by what the memory does."""


def choose(facts: Iterable[Fact], conditions: Collection[str] = ()) -> str | None:
    """The name of the tree to begin with; None where nothing calls for one.

    What is proven comes before what is inferred: an OOM kill, a leak, a load that failed, a condition that holds,
    growth that is no leak, requests that fail. Predictions that are merely slow nobody can tell from numbers alone:
    a condition that holds (``latency:MODEL``, ...) says so, else that tree is asked for by name.
    """
    known = {fact.name: fact.value for fact in facts}
    kinds = {name.partition(":")[0] for name in conditions}
    if known.get("oom_proven") is True:
        return "oom_killed"
    if known.get("verdict") == "leak":
        return "memory_leak"
    if any(_at_least(known.get(name), 1) for name in ("versions_failed", "models_missing")):
        return "model_loading_failure"
    if known.get("server_answers") is False and known.get("process_running") is not None:
        return "model_loading_failure"
    for kind, tree in _OF_CONDITIONS.items():
        if kind in kinds:
            return tree
    if known.get("verdict") is not None and known.get("shape") not in (None, *_NOTHING_TO_EXPLAIN):
        return "growth_that_is_no_leak"
    if any(_at_least(known.get(name), _TROUBLE_RATIO) for name in _TROUBLE):
        return "slow_predictions"
    return None


def _at_least(value: Value | None, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= least
