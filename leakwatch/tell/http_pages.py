"""A small HTTP server for what the agent says of itself; no client can hold it up.

Each request has a thread of its own and ten seconds; at most `MOST_CLIENTS` are served at a time, and those beyond are
closed at once. A client that connects and says nothing costs a thread for ten seconds and nothing else.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer

CLIENT_SECONDS = 10.0
MOST_CLIENTS = 32

Page = Callable[[], tuple[HTTPStatus, str, bytes]]
"""Makes a page when it is asked for: status, content type, body."""


class HttpPages:
    """Serves pages by path on one address from a thread of its own.

    Args:
        address: host and port; port 0 takes a free one.
        pages: asks for a path's page; returns None where there is none.

    Raises:
        OSError: the address is taken, or is none of this machine's.
    """

    def __init__(self, address: tuple[str, int], pages: Callable[[str], Page | None]) -> None:
        self._server = _Server(address, pages)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="pages", daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def close(self) -> None:
        """No further request; those under way are left to end."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = MOST_CLIENTS

    def __init__(self, address: tuple[str, int], pages: Callable[[str], Page | None]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.pages = pages
        self._places = threading.BoundedSemaphore(MOST_CLIENTS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Without the look-up of the host's name, which can take as long as a name server likes."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def verify_request(self, request: object, client_address: object) -> bool:
        return self._places.acquire(blocking=False)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is nobody's fault."""


class _Handler(BaseHTTPRequestHandler):
    timeout = CLIENT_SECONDS
    server_version, sys_version = "leakwatch", ""

    def __init__(self, request: socket.socket, client_address: object, server: BaseServer) -> None:
        assert isinstance(server, _Server)
        self._pages: Callable[[str], Page | None] = server.pages
        super().__init__(request, client_address, server)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        page = self._pages(self.path.partition("?")[0])
        status, content_type, body = page() if page else (HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", _NOT_FOUND)
        self.send_response(status)
        for name, value in self._headers(content_type, len(body)).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _headers(self, content_type: str, length: int) -> Mapping[str, str]:
        return {"Content-Type": content_type, "Content-Length": str(length), "X-Content-Type-Options": "nosniff"}

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are no news."""


_NOT_FOUND = b"there is /metrics, /healthz and /readyz\n"
