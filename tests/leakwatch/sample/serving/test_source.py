"""A page as a source: over real HTTP, with servers that hang, lie, stop half way or are not there."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.serving import page as page_module
from leakwatch.sample.serving.model_status import State, read_status, status_page
from leakwatch.sample.serving.source import ServingSource
from leakwatch.settings import ServingKind, ServingSettings
from tests.fakes.tf_serving import PAGE, TfServing


@pytest.fixture
def server() -> Iterator[TfServing]:
    with TfServing().served() as served:
        yield served


def settings(url: str) -> ServingSettings:
    return ServingSettings(ServingKind.TF_SERVING, url + PAGE)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does with each connection what ``answer`` says; its address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    answer(connection)
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


def test_samples_of_a_served_page(server: TfServing) -> None:
    """Counters at the first look, rates from the second on, over a connection that is kept."""
    source = ServingSource(settings(server.url))
    server.load("resnet", 1)
    server.request("resnet", 100, seconds=0.02)
    first = source.read(1000.0)
    assert (first.time_seconds, first.values["requests_total"]) == (1000.0, 100.0)
    server.request("resnet", 100, seconds=0.3)
    second = source.read(1005.0)
    assert second.values["latency_p95_seconds:resnet/predict"] == pytest.approx(0.3, rel=0.8)
    assert second.values["page_bytes"] > 1000
    source.close()


def test_a_server_that_restarts_is_read_again() -> None:
    """The connection that was kept is dead then: refused while it is down, and read at once when it is back."""
    with TfServing().served() as first:
        source, port = ServingSource(settings(first.url)), int(first.url.rpartition(":")[2])
        source.read(0.0)
    with pytest.raises(SourceError, match="refused the connection"):
        source.read(5.0)
    with TfServing().served(port) as second:
        second.request("resnet", 7)
        assert source.read(10.0).values["requests_total"] == 7.0


def test_without_monitoring_the_message_says_how_to_switch_it_on(server: TfServing) -> None:
    """404 where the page should be: one line with the two flags."""
    source = ServingSource(ServingSettings(ServingKind.TF_SERVING, f"{server.url}/metrics"))
    with pytest.raises(SourceError, match=r"answers 404; .*--monitoring_config_file"):
        source.read(0.0)


def test_garbage_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends without end costs no more than the cap."""
    monkeypatch.setattr(page_module, "PAGE_BYTES", 3 * 2**20)

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with answering(flood) as url, pytest.raises(SourceError, match="more than 3 MiB"):
        ServingSource(settings(url)).read(0.0)


def test_a_server_that_hangs_or_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither silence nor a byte now and then holds the source longer than its time (tenfold room)."""
    monkeypatch.setattr(page_module, "PAGE_SECONDS", 0.3)

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    def silence(connection: socket.socket) -> None:
        connection.recv(1)

    for answer in (trickle, silence):
        with answering(answer) as url:
            began = time.monotonic()
            with pytest.raises(SourceError, match=r"no whole answer within 0\.3 s"):
                ServingSource(settings(url)).read(0.0)
            assert time.monotonic() - began < 3.0


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n# TYPE :tensorflow", "no whole HTTP answer"),
        (b"\x00\xff\xfe garbage\r\n\r\n", "no whole HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>", "is no page of metrics"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "answers 503"),
        (b"", "no whole HTTP answer"),
    ],
)
def test_what_is_no_page_is_one_line(answer: bytes, message: str) -> None:
    """Half a page, no HTTP, a web page, an error: each is a SourceError of one line."""
    with (
        answering(lambda connection: connection.sendall(answer)) as url,
        pytest.raises(SourceError, match=message) as raised,
    ):
        ServingSource(settings(url)).read(0.0)
    assert "\n" not in str(raised.value)


def test_a_page_that_does_not_encrypt_is_no_encrypted_page(server: TfServing) -> None:
    """https where the server speaks http: one line that says so."""
    source = ServingSource(settings(server.url.replace("http:", "https:")))
    with pytest.raises(SourceError, match=r"no TLS connection \(\w+\); check scheme and certificate"):
        source.read(0.0)


def test_a_password_in_the_address_is_not_shown() -> None:
    """Messages name the host and the path only."""
    with pytest.raises(SourceError) as raised:
        ServingSource(settings("http://user:hunter2@127.0.0.1:1")).read(0.0)
    assert "hunter2" not in str(raised.value)


class TestStatus:
    def test_states_of_versions(self, server: TfServing) -> None:
        """Ended versions stay listed: END without an error is unloaded, with one it failed."""
        server.load("resnet", 41)
        server.load("resnet", 42)
        server.load("resnet", 43, ok=False)
        server.unload("resnet", 41)
        states = read_status(status_page(settings(server.url)), "resnet")
        assert [(one.version, one.state, one.error is None) for one in states] == [
            (43, State.END, False),
            (42, State.AVAILABLE, True),
            (41, State.END, True),
        ]

    def test_an_unknown_model_has_no_versions(self, server: TfServing) -> None:
        """404 is an answer."""
        assert read_status(status_page(settings(server.url)), "no/such model?") == ()

    @pytest.mark.parametrize("body", [b"[]", b"{}", b'{"model_version_status": 3}', b"nothing", b"[" * 100_000])
    def test_another_api_is_told(self, body: bytes) -> None:
        """Whatever JSON answers there, it is one line and no traceback."""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        with (
            answering(lambda connection: connection.sendall(head + body)) as url,
            pytest.raises(SourceError, match="status API"),
        ):
            read_status(status_page(settings(url)), "resnet")
