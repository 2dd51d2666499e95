"""A TF Serving as far as a reload is concerned: it polls its model config, and tells the states of its models.

Its page counts the requests of the models in ``asked_for``, as the real one does of any name that was ever asked for.
"""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class ModelServer:
    """Names in the polled config are served; one that goes is UNLOADING, then END, and stays listed so."""

    def __init__(self, config: Path, poll_seconds: float = 0.1, change_seconds: float = 0.2) -> None:
        self.config, self.poll_seconds, self.change_seconds = config, poll_seconds, change_seconds
        self.states: dict[str, str] = {}
        self.seen: list[frozenset[str]] = []
        self.deaf = self.refuses_to_load = False
        self.asked_for: list[str] = []
        self._ended = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

            def do_GET(self) -> None:
                if self.path.endswith("/metrics"):
                    return self._send(200, server.page().encode())
                name = self.path.removeprefix("/v1/models/")
                state = server.states.get(name)
                status = {"error_code": "OK", "error_message": ""}
                versions = [{"version": "1", "state": state, "status": status}]
                body = {"model_version_status": versions} if state else {"error": f"Servable not found: {name}"}
                self._send(200 if state else 404, json.dumps(body).encode())

            def _send(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self._poll()
        self._poller = threading.Thread(target=self._polls, daemon=True)
        self._poller.start()

    def close(self) -> None:
        self._ended.set()
        self._poller.join(10)
        self._http.shutdown()
        self._http.server_close()

    def _polls(self) -> None:
        while not self._ended.wait(self.poll_seconds):
            if not self.deaf:
                self._poll()

    def page(self) -> str:
        lines = [f':tensorflow:serving:request_count{{model_name="{name}",status="OK"}} 7' for name in self.asked_for]
        return "\n".join(["# TYPE :tensorflow:serving:request_count counter", *lines, ""])

    def _poll(self) -> None:
        self.serve(frozenset(re.findall(r"""\bname\s*:\s*["']([^"']+)["']""", self.config.read_text())))

    def serve(self, named: frozenset[str]) -> None:
        """These models and no others; returns once that is so."""
        if not self.seen or self.seen[-1] != named:
            self.seen.append(named)
        for name in named:
            if self.states.get(name) != "AVAILABLE" and not (self.refuses_to_load and name in self.states):
                self.states[name] = "LOADING"
                time.sleep(self.change_seconds)
                self.states[name] = "AVAILABLE"
        for name in set(self.states) - named:
            if self.states[name] == "AVAILABLE":
                self.states[name] = "UNLOADING"
                time.sleep(self.change_seconds)
                self.states[name] = "END"
