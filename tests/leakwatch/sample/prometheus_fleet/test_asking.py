"""Questions to a server that is ill for a while, over real HTTP: waited for, asked again, asked smaller; bounded."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from leakwatch.errors import LeakwatchError, SourceError
from leakwatch.sample.prometheus_fleet import Server, asking
from leakwatch.sample.prometheus_fleet.asking import Asker
from leakwatch.sample.prometheus_fleet.chunk import PrometheusChunk

START, STEP = 1_790_000_000.0, 60.0
UNTIL = START + 86_400.0
LABELS = {"namespace": "ml", "pod": "serving-0", "container": "server"}


class StandIn(ThreadingHTTPServer):
    """Answers range queries with one line that rises by a byte a second; each of ``ailments`` spoils one answer.

    Attributes:
        asked: the fields of every question; headers: what came with them.
        longest: range in seconds beyond which it answers 422.
    """

    daemon_threads = True

    def __init__(self, ailments: list[str], longest: float = np.inf) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ailments, self.longest = ailments, longest
        self.asked: list[tuple[str, dict[str, str], float]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/prefix"


class Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = {name: values[0] for name, values in parse_qs(body).items()}
        self.server.asked.append((self.path, fields, time.monotonic()))
        self.server.headers.append(dict(self.headers.items()))
        ailment = self.server.ailments.pop(0) if self.server.ailments else None
        if ailment in ("429", "503"):
            self._send(int(ailment), b"slow down", {"Retry-After": "1"} if ailment == "429" else {})
        elif ailment == "half":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"status": "succ')
            self.close_connection = True
        elif ailment == "huge":
            self._send(200, b" " * (asking.ANSWER_BYTES + 1))
        elif ailment == "moved":
            self._send(302, b"", {"Location": "http://127.0.0.1:9/elsewhere"})
        elif ailment == "page":
            self._send(200, b"<html>\x1b[31m")
        elif "start" in fields and float(fields["end"]) - float(fields["start"]) > self.server.longest:
            self._send(422, b'{"status": "error", "error": "query processing would load too many samples"}')
        else:
            self._send(200, json.dumps({"status": "success", "data": {"result": self._result(fields)}}).encode())

    def _result(self, fields: dict[str, str]) -> list[dict[str, Any]]:
        if "start" not in fields or "sum by" in fields["query"]:
            return []
        times = np.arange(float(fields["start"]), float(fields["end"]) + 1e-3, float(fields["step"]))
        metric = {"__name__": "container_memory_rss", **LABELS}
        return [{"metric": metric, "values": [[at, f"{1e9 + at - START:.0f}"] for at in times.tolist()]}]

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def stand_in(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    ailments, longest = getattr(request, "param", ([], np.inf))
    server = StandIn(list(ailments), longest)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def points(server: StandIn, since: float = START, until: float = UNTIL) -> np.ndarray:
    with Asker(Server(server.url)) as asker:
        entries = list(asker.matrix("m", since, until, STEP))
    return np.concatenate([np.array(entry["values"], dtype=np.float64) for entry in entries])


def is_whole(found: np.ndarray) -> bool:
    """Every point once, in order."""
    return np.array_equal(found[:, 0], np.arange(START, UNTIL + 1, STEP))


@pytest.mark.parametrize("stand_in", [(["503", "half", "429", "half"], 20_000.0)], indirect=True)
def test_it_recovers_and_so_do_we(stand_in: StandIn) -> None:
    """503, half a body, 429 and 422 in one run, and every point is there exactly once."""
    assert is_whole(points(stand_in))
    assert stand_in.asked[0][0] == "/prefix/api/v1/query_range"


@pytest.mark.parametrize("stand_in", [(["429"], np.inf)], indirect=True)
def test_it_is_given_the_time_that_it_asks_for(stand_in: StandIn) -> None:
    """Retry-After is kept."""
    assert is_whole(points(stand_in))
    first, second = (at for _, _, at in stand_in.asked)
    assert second - first >= 1.0


@pytest.mark.parametrize("stand_in", [([], 10_000.0)], indirect=True)
def test_too_much_is_asked_in_halves(stand_in: StandIn) -> None:
    """422 halves the time until it fits; nothing is asked twice but what was refused."""
    assert is_whole(points(stand_in))
    answered = [f for _, f, _ in stand_in.asked if float(f["end"]) - float(f["start"]) <= 10_000.0]
    assert sum(float(f["end"]) - float(f["start"]) + STEP for f in answered) == UNTIL - START + STEP


@pytest.mark.parametrize("stand_in", [([], 10.0)], indirect=True)
def test_what_never_fits_is_one_line(stand_in: StandIn) -> None:
    """The halving ends."""
    with pytest.raises(SourceError, match=r"too many samples.*larger --step"):
        points(stand_in)
    assert len(stand_in.asked) < 12


@pytest.mark.parametrize("stand_in", [(["huge"], np.inf)], indirect=True)
def test_an_answer_too_large_is_asked_in_halves(stand_in: StandIn) -> None:
    """No more than the bound is ever held."""
    assert is_whole(points(stand_in))


@pytest.mark.parametrize("stand_in", [(["half"] * 20, np.inf)], indirect=True)
def test_patience_ends(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never recovers is asked six times, and named."""
    monkeypatch.setattr(asking, "BACK_OFF_SECONDS", 0.0)
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+: no whole answer after 6 tries"):
        points(stand_in)
    assert len(stand_in.asked) == asking.TRIES + 1


@pytest.mark.parametrize("stand_in", [(["moved"], np.inf), (["page"], np.inf)], indirect=True)
def test_another_than_prometheus(stand_in: StandIn) -> None:
    """A redirect is not followed (the token is for this server), a page is no answer; each is one clean line."""
    with pytest.raises(SourceError) as raised:
        points(stand_in)
    assert "\x1b" not in str(raised.value)
    assert len(stand_in.asked) == 1


def test_secrets_are_sent_and_never_shown(stand_in: StandIn, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token, tenant and headers go with each question; no error and no representation has them."""
    (tmp_path / "token").write_text("s3cret-token\n")
    (tmp_path / "headers").write_text("X-Key: s3cret-key\n\n")
    server = Server(stand_in.url, "team-a", str(tmp_path / "token"), str(tmp_path / "headers"))
    with Asker(server) as asker:
        list(asker.matrix("m", START, UNTIL, STEP))
    (sent,) = stand_in.headers
    assert (sent["Authorization"], sent["X-Scope-OrgID"], sent["X-Key"]) == (
        "Bearer s3cret-token",
        "team-a",
        "s3cret-key",
    )
    assert "s3cret" not in repr(server)
    (tmp_path / "headers").write_text("s3cret without a colon\n")
    with pytest.raises(SourceError, match=r"headers:1 is no header") as raised:
        server.headers()
    assert "s3cret" not in str(raised.value)
    monkeypatch.setenv("LEAKWATCH_PROMETHEUS_TOKEN", "from-env")
    assert Server(stand_in.url).headers()["Authorization"] == "Bearer from-env"


@pytest.mark.parametrize("stand_in", [(["page"], np.inf)], indirect=True)
def test_a_chunk_that_fails_spoils_no_other(stand_in: StandIn) -> None:
    """One error line that says how many containers it costs; asked again, the chunk is whole."""
    chunk = PrometheusChunk(
        0, Server(stand_in.url), "container_memory_rss", (), (LABELS,), START, UNTIL, STEP, prefilter=True
    )
    (error,) = chunk.read()
    assert isinstance(error, LeakwatchError)
    assert "1 containers are left out" in str(error)
    ((labels, trace),) = (found for found in chunk.read() if not isinstance(found, LeakwatchError))
    assert labels == LABELS
    assert trace is not None
    assert np.array_equal(trace.columns["anon_bytes"], 1e9 + trace.time_seconds - START)
