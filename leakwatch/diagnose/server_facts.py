"""What a model server says about its models -> facts."""

from collections import Counter
from collections.abc import Iterator

from playbooks.types import Fact, ServerState
from playbooks.vocabulary import FACTS


def facts_of_server(state: ServerState) -> tuple[Fact, ...]:
    """What is known of a server; what is not is left out."""
    return tuple(_said(state))


def _said(state: ServerState) -> Iterator[Fact]:
    if state.kind is not None and FACTS["server_kind"].fits(state.kind):
        yield Fact("server_kind", state.kind, f"the server is {state.kind}")
    if state.answers is not None:
        does = "takes connections" if state.answers else "takes no connections"
        yield Fact("server_answers", state.answers, f"the server's port {does}")
    if state.models_missing is not None:
        names = ", ".join(state.models_missing) or "none"
        yield Fact("models_missing", len(state.models_missing), f"models that the server does not know: {names}")
    if state.load_failures is not None:
        yield Fact("load_failures", state.load_failures, f"{state.load_failures} loads of model versions failed")
    if state.versions is not None:
        yield from _versions(state)


def _versions(state: ServerState) -> Iterator[Fact]:
    versions = state.versions or ()
    available_of = Counter(one.model for one in versions if one.state == "AVAILABLE")
    model, most = max(available_of.items(), key=lambda item: item[1], default=("", 0))
    of = f" of {model}" if model else ""
    yield Fact("versions_available", most, f"{most} versions{of} are AVAILABLE at once")
    serving = sum(available_of.values())
    yield Fact("models_available", serving, f"{serving} model versions serve")
    loading = [f"{one.model} {one.version}" for one in versions if one.state in ("START", "LOADING")]
    yield Fact("versions_loading", len(loading), f"versions that are loading: {', '.join(loading) or 'none'}")
    failed = [one for one in versions if one.state == "END" and one.error not in ("", "OK")]
    names = ", ".join(f"{one.model} {one.version} ({one.error})" for one in failed) or "none"
    yield Fact("versions_failed", len(failed), f"versions that ended with an error: {names}")
    if failed:
        code = failed[-1].error.partition(":")[0].lower()
        word = code if FACTS["load_error"].fits(code) else "other"
        yield Fact("load_error", word, f"{failed[-1].model} {failed[-1].version} failed with {failed[-1].error}")
