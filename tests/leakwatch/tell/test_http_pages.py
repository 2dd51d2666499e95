import socket
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection

import pytest

from leakwatch.tell.http_pages import MOST_CLIENTS, HttpPages, Page

DEADLINE_SECONDS = 60.0


def page_at(path: str) -> Page | None:
    return {
        "/ok": lambda: (HTTPStatus.OK, "text/plain", b"fine"),
        "/sick": lambda: (HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"sick"),
    }.get(path)


@pytest.fixture
def pages() -> Iterator[HttpPages]:
    served = HttpPages(("127.0.0.1", 0), page_at)
    yield served
    served.close()


def ask(pages: HttpPages, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = HTTPConnection(*pages.address, timeout=DEADLINE_SECONDS)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_pages_are_served_with_their_status(pages: HttpPages):
    """What is there, what is not well, what is not there; a query is no part of the path."""
    assert ask(pages, "/ok?x=1") == (200, b"fine")
    assert ask(pages, "/ok", "HEAD") == (200, b"")
    assert ask(pages, "/sick") == (503, b"sick")
    assert ask(pages, "/..%2f")[0] == 404
    assert ask(pages, "/ok", "POST")[0] == 501


def test_clients_that_hang_or_talk_nonsense_hold_nobody_up(pages: HttpPages):
    """Connections that say nothing, half a request or garbage stay open while others are answered."""
    hung = [socket.create_connection(pages.address) for _ in range(10)]
    hung[0].sendall(b"GET /ok HT")
    hung[1].sendall(b"\x16\x03\x01\x00\xff\r\n\r\n")
    assert ask(pages, "/ok") == (200, b"fine")
    for one in hung:
        one.close()


def test_a_flood_of_clients_is_bounded_and_passes(pages: HttpPages):
    """Ten times as many as there are places: no more threads than places, and when they leave, all is as before."""
    before = set(threading.enumerate())
    hung = [socket.create_connection(pages.address) for _ in range(10 * MOST_CLIENTS)]
    assert len(set(threading.enumerate()) - before) <= MOST_CLIENTS + 2
    for one in hung:
        one.close()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            assert ask(pages, "/ok") == (200, b"fine")
            return
        except (ConnectionError, OSError):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_taken_address_is_an_error(pages: HttpPages):
    """The second server on one port is told so."""
    with pytest.raises(OSError):
        HttpPages(pages.address, page_at)
