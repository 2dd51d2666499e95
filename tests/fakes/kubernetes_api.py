"""A Kubernetes API server over real HTTP, as far as leakwatch uses one; the official client speaks to it.

Objects with uid and resourceVersion, selectors, list (in pages) and watch, merge and strategic-merge patches,
pods/eviction with disruption budgets, pods/resize, pods/log, Lease conflicts, bearer tokens with rules, and faults on
request. A test takes the fixture ``kubernetes_api``::

    kubernetes_api.cluster.add_deployment("ml", "serving", replicas=2, resources={"limits": {"memory": "512Mi"}})
    kubernetes_api.faults.append(Fault("POST", "/eviction$", RefusedError(429, "TooManyRequests", "later")))
    config.load_kube_config(str(kubernetes_api.kubeconfig(tmp_path / "kubeconfig")))
"""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.kubernetes_answers import Place, Request, answer, listed, place_of
from tests.fakes.kubernetes_cluster import Cluster
from tests.fakes.kubernetes_store import Object, RefusedError, matches


@dataclass
class Fault:
    """Spoils requests that match: an answer of its own, a delay, or a connection that ends without an answer."""

    method: str
    path: str
    refusal: RefusedError | None = None
    delay_seconds: float = 0.0
    hang_up: bool = False
    times: int = 1_000_000


@dataclass
class KubernetesApi:
    """The server before a cluster; ``requests`` is all that was asked of it."""

    cluster: Cluster = field(default_factory=Cluster)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "KubernetesApi":
        """Listens; after `stop` on the same port again."""
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Connections are refused from now on; the cluster lives on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def kubeconfig(self, path: Path, token: str = "admin", namespace: str = "default") -> Path:
        """Writes a kubeconfig for a token, and returns its path."""
        context = {"cluster": "fake", "user": "fake", "namespace": namespace}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "fake", "user": {"token": token}}],
            "contexts": [{"name": "fake", "context": context}],
            "current-context": "fake",
        }
        path.write_text(json.dumps(config))
        return path


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    """HTTP around `KubernetesApi.answer`."""

    api: KubernetesApi
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        kind = self.headers.get("Content-Type") or "application/json"
        request = Request(self.command, url.path, query, json.loads(content) if content else None, kind, token)
        self.api.requests.append(request)
        try:
            self._spoil(request)
            status, body = answer(self.api.cluster, request)
        except RefusedError as refusal:
            self._send(refusal.status, refusal.body(), refusal.retry_after_seconds)
            return
        except ConnectionAbortedError:
            self.close_connection = True
            return
        if body is None:
            self._watch(place_of(url.path), query)
        else:
            self._send(status, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def _spoil(self, request: Request) -> None:
        if self.api._server is None:  # down: connections that were open are of no more use than new ones
            raise ConnectionAbortedError
        for fault in self.api.faults:
            if fault.times > 0 and fault.method in ("*", request.method) and re.search(fault.path, request.path):
                fault.times -= 1
                time.sleep(fault.delay_seconds)
                if fault.hang_up:
                    raise ConnectionAbortedError
                if fault.refusal is not None:
                    raise fault.refusal

    def _send(self, status: int, body: Any, retry_after: int | None = None) -> None:
        kind, content = body if isinstance(body, tuple) else ("application/json", json.dumps(body).encode())
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if retry_after is not None:
                self.send_header("Retry-After", str(retry_after))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the client has gone
            self.close_connection = True

    def _watch(self, place: Place, query: dict[str, str]) -> None:
        store, version = self.api.cluster.store, int(query.get("resourceVersion") or 0)
        end = time.monotonic() + float(query.get("timeoutSeconds") or 300)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            if version == 0:
                with store.changed:
                    first, version = listed(self.api.cluster, place, query)["items"], store.version
                for obj in first:
                    self._chunk({"type": "ADDED", "object": obj})
            while time.monotonic() < end and self.api._server is not None:
                with store.changed:
                    news = list(store.since(version))
                    if not news:
                        store.changed.wait(0.2)
                for number, what, resource, obj in news:
                    version = number
                    here = resource is place.resource and place.namespace in (
                        None,
                        obj["metadata"].get("namespace", ""),
                    )
                    if here and matches(obj, query.get("labelSelector"), query.get("fieldSelector")):
                        self._chunk({"type": what, "object": obj})
            self.wfile.write(b"0\r\n\r\n")
        except RefusedError as refusal:
            self._chunk({"type": "ERROR", "object": refusal.body()})
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def _chunk(self, event: Object) -> None:
        line = json.dumps(event).encode() + b"\n"
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()
