"""Which tree the evidence calls for."""

from collections.abc import Iterable

from playbooks.types import Fact, Value

_NOTHING_TO_EXPLAIN = ("flat", "too_short")
_TROUBLE_RATIO = 0.01
_TROUBLE = ("resource_exhausted_ratio", "unavailable_ratio", "deadline_exceeded_ratio")


def choose(facts: Iterable[Fact]) -> str | None:
    """The name of the tree to begin with; None where nothing calls for one.

    What is proven comes before what is inferred: an OOM kill, a leak, a load that failed, growth that is none, requests
    that fail. Predictions that are merely slow nobody can tell from numbers alone: that tree is asked for by name.
    """
    known = {fact.name: fact.value for fact in facts}
    if known.get("oom_proven") is True:
        return "oom_killed"
    if known.get("verdict") == "leak":
        return "memory_leak"
    if any(_at_least(known.get(name), 1) for name in ("versions_failed", "models_missing")):
        return "model_loading_failure"
    if known.get("server_answers") is False and known.get("process_running") is not None:
        return "model_loading_failure"
    if known.get("verdict") is not None and known.get("shape") not in (None, *_NOTHING_TO_EXPLAIN):
        return "growth_that_is_no_leak"
    if any(_at_least(known.get(name), _TROUBLE_RATIO) for name in _TROUBLE):
        return "slow_predictions"
    return None


def _at_least(value: Value | None, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= least
