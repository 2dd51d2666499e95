"""A page as a source: over real HTTP, with servers that hang, lie, stop half way or are not there."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from leakwatch.errors import SourceError
from leakwatch.sample.serving import page as page_module
from leakwatch.sample.serving.gpu import GpuSource
from leakwatch.sample.serving.model_status import State, read_status, status_page
from leakwatch.sample.serving.source import ServingSource
from leakwatch.sample.sources import sources_of
from leakwatch.settings import PidPlace, ServingKind, ServingSettings, TargetSettings
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


def test_a_load_that_goes_on_is_seen_before_it_ends(server: TfServing) -> None:
    """The page is silent until it is over; the status API is asked now and then, and the polls are no requests."""
    source = ServingSource(settings(server.url))
    server.load("resnet", 1)
    server.request("resnet", 7)
    assert source.read(1000.0).values["models_loading"] == 0.0
    server.begin_load("resnet", 2)
    assert source.read(1005.0).values["models_loading"] == 0.0
    seen = source.read(1031.0).values
    assert (seen["models_loading"], seen["requests_total"]) == (1.0, 7.0)
    server.load("resnet", 2)
    assert source.read(100.0).values["models_loading"] == 0.0  # the clock was set back
    source.close()


def test_a_server_with_many_models_is_asked_for_a_few_at_a_time(server: TfServing) -> None:
    """Each has its turn; what is not asked for again is as it was."""
    source = ServingSource(settings(server.url))
    for number in range(25):
        server.load(f"m{number:02}", 1)
        server.begin_load(f"m{number:02}", 2)
    assert [source.read(31.0 * i).values["models_loading"] for i in range(5)] == [10.0, 20.0, 25.0, 25.0, 25.0]


def test_a_model_that_the_server_calls_otherwise_is_asked_for_once(server: TfServing) -> None:
    """The page names folders; a question about a name that is none would count as a refused request each time."""
    source = ServingSource(settings(server.url))
    server.load("folder", 1)
    del server._states["folder"]
    refused = [source.read(31.0 * i).values.get("requests_refused_total") for i in range(4)]
    assert refused == [None, 1.0, 1.0, 1.0]


def test_a_status_api_that_is_not_there_costs_its_own_answer_alone(server: TfServing) -> None:
    """Requests are counted all the same, and how many models are loading is not known."""
    with answering(lambda connection: time.sleep(0.3)) as nowhere:
        page = ServingSettings(ServingKind.TF_SERVING, server.url + PAGE, status_url=nowhere)
        source = ServingSource(page)
        server.load("resnet", 1)
        for now in (1000.0, 1031.0):
            values = source.read(now).values
            assert "models_loading" not in values and values["model_loads_total"] == 1.0


def test_the_page_of_gpus_is_a_source_of_its_own(server: TfServing) -> None:
    """One that does not answer spoils no request count; one that is no such page says so."""
    told = ServingSettings(ServingKind.TF_SERVING, server.url + PAGE, gpu_metrics_url=server.url + "/none")
    _, page, gpus = sources_of(TargetSettings("serving", PidPlace(1), told))
    assert "requests_total" in page.read(0.0).values
    with pytest.raises(SourceError, match="answers 404; check that a dcgm-exporter answers there"):
        gpus.read(0.0)
    other = GpuSource(server.url + PAGE)
    with pytest.raises(SourceError, match="tells of no GPU"):
        other.read(0.0)
    text = b'HTTP/1.1 200 OK\r\nContent-Length: 35\r\n\r\nDCGM_FI_DEV_FB_USED{UUID="GPU-1"} 12'
    with answering(lambda connection: connection.sendall(text.replace(b"35", b"36"))) as url:
        assert GpuSource(url + "/metrics").read(7.0).values == {"gpu_used_bytes:GPU-1": 12 * 2.0**20}


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
