"""The other end of Slack's Socket Mode: one WebSocket connection (RFC 6455), over which a test presses buttons."""

import base64
import contextlib
import hashlib
import json
import socket
import threading
from dataclasses import dataclass, field
from typing import Any

_KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass
class SlackSocket:
    """Takes connections one after the other; ``acknowledged`` has the envelopes that the app answered."""

    acknowledged: list[str] = field(default_factory=list)
    connections: int = 0

    def start(self) -> "SlackSocket":
        """Listens on a free port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connection: socket.socket | None = None
        self._changed = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    @property
    def url(self) -> str:
        """What apps.connections.open answers."""
        return f"ws://127.0.0.1:{self._listener.getsockname()[1]}/link"

    def stop(self) -> None:
        """Hangs up."""
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """The connection breaks; the app opens another."""
        with self._changed:
            if self._connection is not None:
                with contextlib.suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RDWR)
                self._connection = None

    def send(self, envelope: str, kind: str, payload: Any, deadline_seconds: float = 30.0) -> None:
        """Something happened in Slack; waits until the app has answered for it."""
        text = json.dumps({"envelope_id": envelope, "type": kind, "payload": payload, "accepts_response_payload": True})
        with self._changed:
            assert self._changed.wait_for(lambda: self._connection is not None, deadline_seconds)
            assert self._connection is not None
            self._connection.sendall(_frame(text.encode()))
            assert self._changed.wait_for(lambda: envelope in self.acknowledged, deadline_seconds)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                self._serve(connection)
            except (OSError, ValueError, IndexError):
                continue

    def _serve(self, connection: socket.socket) -> None:
        file = connection.makefile("rb")
        headers = {}
        while line := file.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        accept = base64.b64encode(hashlib.sha1((headers["sec-websocket-key"] + _KEY_SUFFIX).encode()).digest()).decode()
        head = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}"
        connection.sendall(f"{head}\r\n\r\n".encode() + _frame(b'{"type": "hello"}'))
        with self._changed:
            self._connection = connection
            self.connections += 1
            self._changed.notify_all()
        while first := file.read(2):
            length = first[1] & 0x7F
            if length == 126:
                length = int.from_bytes(file.read(2), "big")
            mask = file.read(4) if first[1] & 0x80 else bytes(4)
            data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(file.read(length)))
            if first[0] & 0x0F == 0x9:  # a ping
                connection.sendall(_frame(data, opcode=0xA))
            elif first[0] & 0x0F == 0x1:
                with self._changed:
                    self.acknowledged.append(json.loads(data)["envelope_id"])
                    self._changed.notify_all()


def _frame(data: bytes, opcode: int = 0x1) -> bytes:
    size = bytes([len(data)]) if len(data) < 126 else bytes([126]) + len(data).to_bytes(2, "big")
    return bytes([0x80 | opcode]) + size + data
