"""Servers that are sick in the ways in which servers are: each answers any request over real TCP, badly."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

ENDLESS_BYTES = 500 * 2**20
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Sickness = Callable[[socket.socket, threading.Event], None]


def silent(connection: socket.socket, ended: threading.Event) -> None:
    """Takes the request and never says a word."""
    ended.wait()


def dripping(connection: socket.socket, ended: threading.Event) -> None:
    """One byte of white space every 20 ms, for ever: no timeout between two packets ever strikes."""
    connection.sendall(_OK + b"Content-Length: 1000000\r\n\r\n")
    while not ended.wait(0.02):
        connection.sendall(b" ")


def half(connection: socket.socket, ended: threading.Event) -> None:
    """Half of what it announced, and gone."""
    connection.sendall(_OK + b'Content-Length: 1000\r\n\r\n{"status": "success", "data": {"resu')


def garbage(connection: socket.socket, ended: threading.Event) -> None:
    """500 MB of noise, as fast as it is taken."""
    connection.sendall(_OK + b"\r\n")
    noise, sent = os.urandom(2**20), 0
    while sent < ENDLESS_BYTES and not ended.is_set():
        connection.sendall(noise)
        sent += len(noise)


def other(connection: socket.socket, ended: threading.Event) -> None:
    """JSON of somebody else's."""
    connection.sendall(_OK + b"Content-Length: 17\r\n\r\n" + b'{"hello":[1,"x"]}')


def page(connection: socket.socket, ended: threading.Event) -> None:
    """A proxy's page instead of the answer."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<html>\x1b[31mHi\n")


def failing(connection: socket.socket, ended: threading.Event) -> None:
    """Internal error."""
    connection.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 6\r\n\r\nOh no\n")


SICKNESSES: tuple[Sickness, ...] = (silent, dripping, half, garbage, other, page, failing)


@dataclass
class SickServer:
    """Listens on a free port of loopback; ``sent_bytes`` is not known, how long a client held on is."""

    sickness: Sickness
    held_seconds: list[float] = field(default_factory=list)

    def __enter__(self) -> "SickServer":
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listener.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        began = time.monotonic()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            self.sickness(connection, self._ended)
        self.held_seconds.append(time.monotonic() - began)
