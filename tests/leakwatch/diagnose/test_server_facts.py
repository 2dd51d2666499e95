"""A server's status page becomes facts: END is unloaded or failed, told apart by the error."""

from typing import Any

from leakwatch.diagnose import facts_of_server
from playbooks.types import ModelVersion, ServerState


def values(state: ServerState) -> dict[str, Any]:
    return {fact.name: fact.value for fact in facts_of_server(state)}


def test_nothing_known_nothing_said() -> None:
    """An empty state gives no fact; an empty list of versions is known."""
    assert values(ServerState()) == {}
    assert values(ServerState(versions=())) == {
        "versions_available": 0,
        "models_available": 0,
        "versions_loading": 0,
        "versions_failed": 0,
    }


def test_states_of_versions() -> None:
    """Only AVAILABLE serves; old versions that ended well are neither available nor failed."""
    state = ServerState(
        kind="tf_serving",
        answers=True,
        versions=(
            ModelVersion("a", "3", "LOADING"),
            ModelVersion("a", "2", "AVAILABLE", "OK"),
            ModelVersion("a", "1", "AVAILABLE"),
            ModelVersion("b", "9", "AVAILABLE"),
            ModelVersion("b", "8", "END", "OK"),
            ModelVersion("c", "1", "END", "NOT_FOUND: no such file"),
        ),
        models_missing=("d",),
        load_failures=6,
    )
    assert values(state) == {
        "server_kind": "tf_serving",
        "server_answers": True,
        "models_missing": 1,
        "load_failures": 6,
        "versions_available": 2,
        "models_available": 3,
        "versions_loading": 1,
        "versions_failed": 1,
        "load_error": "not_found",
    }
    said = {fact.name: fact.because for fact in facts_of_server(state)}
    assert said["versions_failed"] == "versions that ended with an error: c 1 (NOT_FOUND: no such file)"


def test_odd_words() -> None:
    """A code that nobody listed is another error; a kind that nobody listed says nothing."""
    state = ServerState(kind="seldon", versions=(ModelVersion("a", "1", "END", "STRANGE"),))
    assert values(state)["load_error"] == "other"
    assert "server_kind" not in values(state)
