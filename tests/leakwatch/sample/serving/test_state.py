"""A server asked once over real HTTP: which versions serve, which failed, and whether it answers at all."""

import socket

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.serving.state import server_state_of
from playbooks.types import ModelVersion, ServerState
from tests.fakes.tf_serving import TfServing


def test_the_models_of_the_metrics_page() -> None:
    """Where no model is named, those on the page are asked for, and failed loads are counted."""
    server = TfServing()
    server.load("resnet", 1)
    server.load("resnet", 2)
    server.unload("resnet", 1)
    server.load("bert", 7, ok=False)
    with server.served():
        state = server_state_of(server.url)
    assert state.kind == "tf_serving" and state.answers is True and state.load_failures == 1
    assert set(state.versions or ()) >= {
        ModelVersion("resnet", "1", "END"),
        ModelVersion("resnet", "2", "AVAILABLE"),
    }
    assert state.models_missing == ()


def test_models_by_name() -> None:
    """A model that is named and not known is missing; one whose load failed stands with its error."""
    server = TfServing()
    server.load("bert", 7, ok=False)
    with server.served():
        state = server_state_of(f"{server.url}/", ["bert", "brat"])
    assert state.models_missing == ("brat",)
    (version,) = state.versions or ()
    assert (version.state, version.error.partition(":")[0]) == ("END", "NOT_FOUND")


def test_each_question_is_asked_once() -> None:
    """The connection is kept, and no request is sent twice over it: what we ask counts in the server's own figures."""
    server = TfServing()
    server.load("resnet", 1)
    server.load("bert", 1)
    with server.served():
        server_state_of(server.url, ["resnet", "bert", "resnet"])
        page = server.page()
    assert 'request_count{model_name="resnet",status="OK"} 2' in page
    assert 'request_count{model_name="bert",status="OK"} 1' in page


def test_a_server_that_is_not_there() -> None:
    """A refused connection is an answer: nothing listens. An address that is none is an error."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert server_state_of(url, ["m"]) == ServerState(answers=False)
    with pytest.raises(SourceError, match="no http or https URL"):
        server_state_of("localhost:8501")
