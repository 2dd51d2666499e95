"""A stand-in for tensorflow_model_server over real HTTP: its metrics page by its exporter's rules, its status API.

The server itself cannot be installed where the tests run. What it prints follows util/prometheus_exporter.cc: colon
names, TYPE lines only, braces always, cumulative buckets of 10 x 1.8^i microseconds, sums with six significant digits.
"""

import json
import re
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = "/monitoring/prometheus/metrics"
BOUNDS = tuple(10 * 1.8**i for i in range(33))


class TfServing:
    """Counters that tests move; ``url`` is the REST port once it is served."""

    def __init__(self) -> None:
        self.url = ""
        self._lock = threading.Lock()
        self._latency: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._status: dict[tuple[str, str], int] = defaultdict(int)
        self._loads: dict[tuple[str, str], int] = defaultdict(int)
        self._load_micros: dict[str, int] = defaultdict(int)
        self._states: dict[str, dict[int, tuple[str, str, str]]] = defaultdict(dict)

    def request(self, model: str, count: int = 1, seconds: float = 0.01, api: str = "Predict") -> None:
        """So many requests that ended well after so long."""
        with self._lock:
            self._latency[model, api] += [seconds * 1e6] * count
            self._status[model, "OK"] += count

    def fail(self, model: str, status: str, count: int = 1) -> None:
        """So many requests that ended with the status."""
        with self._lock:
            self._status[model, status] += count

    def load(self, model: str, version: int, seconds: float = 2.0, ok: bool = True) -> None:
        """A version is loaded, or fails to be."""
        with self._lock:
            path = f"/models/{model}/{version}"
            self._loads[path, "success" if ok else "fail"] += 1
            self._load_micros[path] += int(seconds * 1e6)
            error = ("OK", "") if ok else ("NOT_FOUND", "no SavedModel there")
            self._states[model][version] = ("AVAILABLE" if ok else "END", *error)

    def begin_load(self, model: str, version: int) -> None:
        """A version is being loaded; its page says nothing of that yet."""
        with self._lock:
            self._states[model][version] = ("LOADING", "OK", "")

    def unload(self, model: str, version: int) -> None:
        """A version ends; the status API goes on listing it."""
        with self._lock:
            self._states[model][version] = ("END", "OK", "")

    def page(self) -> str:
        """The metrics page as it stands now."""
        with self._lock:
            lines = ["# TYPE :tensorflow:cc:saved_model:load_attempt_count counter"]
            for (path, status), count in sorted(self._loads.items()):
                labels = f'{{model_path="{path}",status="{status}"}}'
                lines.append(f":tensorflow:cc:saved_model:load_attempt_count{labels} {count}")
            lines.append("# TYPE :tensorflow:cc:saved_model:load_latency counter")
            for path, micros in sorted(self._load_micros.items()):
                lines.append(f':tensorflow:cc:saved_model:load_latency{{model_path="{path}"}} {micros}')
            lines.append("# TYPE :tensorflow:core:xla_compilations counter")
            lines.append("# TYPE :tensorflow:serving:request_count counter")
            for (model, status), count in sorted(self._status.items()):
                labels = f'{{model_name="{model}",status="{status}"}}'
                lines.append(f":tensorflow:serving:request_count{labels} {count}")
            lines.append("# TYPE :tensorflow:serving:request_latency histogram")
            for (model, api), micros in sorted(self._latency.items()):
                labels = f'model_name="{model}",API="{api}",entrypoint="REST"'
                name = ":tensorflow:serving:request_latency"
                for bound in BOUNDS:
                    below = sum(one <= bound for one in micros)
                    lines.append(f'{name}_bucket{{{labels},le="{bound:.6g}"}} {below}')
                lines.append(f'{name}_bucket{{{labels},le="+Inf"}} {len(micros)}')
                lines.append(f"{name}_sum{{{labels}}} {sum(micros):.6g}")
                lines.append(f"{name}_count{{{labels}}} {len(micros)}")
        return "\n".join(lines) + "\n"

    def status(self, model: str) -> dict[str, object] | None:
        """What the status API says of a model, and the poll is counted; None where it was never known."""
        with self._lock:
            known = model in self._states
            self._status[model, "OK" if known else "NOT_FOUND"] += 1
            if not known:
                return None
            self._latency[model, ""].append(300.0)
            return {
                "model_version_status": [
                    {"version": str(version), "state": state, "status": {"error_code": code, "error_message": text}}
                    for version, (state, code, text) in sorted(self._states[model].items(), reverse=True)
                ]
            }

    @contextmanager
    def served(self, port: int = 0) -> Iterator["TfServing"]:
        """The server on a port of the loopback, a free one unless named."""
        fake, connections = self, list[socket.socket]()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                connections.append(self.connection)

            def do_GET(self) -> None:
                model = re.fullmatch(r"/v1/models/([^/]+)(?:/versions/\d+)?", self.path)
                if self.path == PAGE:
                    self._send(200, "text/plain", fake.page())
                elif model and (status := fake.status(model.group(1))) is not None:
                    self._send(200, "application/json", json.dumps(status, indent=1))
                else:
                    self._send(404, "application/json", '{"error": "Not found"}')

            def _send(self, status: int, kind: str, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is printed."""

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            for connection in connections:  # a process that ends leaves no connection that was kept open either
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            thread.join()
