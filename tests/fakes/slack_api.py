"""Slack over real HTTP, as far as leakwatch uses it: the Web API for a bot, file uploads, and an incoming webhook.

Every message is held against Slack's limits (`problems`); one that breaks them is refused as Slack would. A test takes
the fixture ``slack_api``::

    slack_api.faults.append(SlackFault("chat.postMessage", status=429, retry_after=2, times=1))
    slack_api.url, slack_api.webhook_url, slack_api.TOKEN
    slack_api.messages        # what is in the channel, heads and replies, as they stand now
    slack_api.requests        # everything that was asked, refused or not
"""

import contextlib
import itertools
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.slack_limits import problems

TOKEN = "xoxb-1-SECRET-TOKEN"
APP_TOKEN = "xapp-1-SECRET-TOKEN"
WEBHOOK_PATH = "/services/T0/B0/SECRET-HOOK"
CHANNELS = {"#oncall": "C0ONCALL", "C0ONCALL": "C0ONCALL"}

Json = dict[str, Any]


@dataclass
class SlackFault:
    """Spoils requests of one method (``webhook`` and ``upload`` are two more): an answer, a delay or no answer at all.

    ``after`` does what was asked and then spoils the answer.
    """

    method: str
    status: int = 200
    error: str = ""
    retry_after: float | None = None
    delay_seconds: float = 0.0
    hang_up: bool = False
    after: bool = False
    times: int = 1_000_000


@dataclass
class Message:
    """One message as it stands; ``ts`` None: it came by the webhook, which tells nobody which it is."""

    ts: str
    text: str
    blocks: list[Json]
    thread_ts: str | None = None
    broadcast: bool = False
    edits: int = 0
    by_webhook: bool = False
    metadata: Json = field(default_factory=dict)


@dataclass
class SlackApi:
    """The server, its one channel, and the files that were uploaded, by id."""

    TOKEN = TOKEN
    faults: list[SlackFault] = field(default_factory=list)
    requests: list[tuple[str, Json]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    scopes: set[str] = field(default_factory=lambda: {"chat:write", "files:write", "channels:history"})
    port: int = 0
    socket_url: str | None = None  # of Socket Mode (slack_socket.py)

    def __post_init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None
        self.numbers = itertools.count(1)
        self.completed: set[str] = set()
        self.stopping = threading.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What settings call ``api_url``."""
        return f"{self.base}/api/"

    @property
    def webhook_url(self) -> str:
        return f"{self.base}{WEBHOOK_PATH}"

    @property
    def heads(self) -> list[Message]:
        """What stands in the channel itself."""
        return [m for m in self.messages if m.thread_ts is None]

    def replies(self, head: Message) -> list[Message]:
        """The thread under it."""
        return [m for m in self.messages if m.thread_ts == head.ts]

    def start(self) -> "SlackApi":
        """Listens; after `stop` on the same port again."""
        self.stopping.clear()
        self._server = _Server(("127.0.0.1", self.port), type("Handler", (_Handler,), {"api": self}))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Connections are refused from now on; what was posted stays."""
        self.stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def fault(self, method: str, *, after: bool) -> SlackFault | None:
        """The fault that this request meets."""
        for fault in self.faults:
            if fault.method == method and fault.after == after and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def post(self, body: Json, *, by_webhook: bool) -> Message | str:
        """A new message, or the error by which it is refused."""
        wrong = problems(body, self.completed)
        self.broken += wrong
        if wrong:
            return "invalid_blocks"
        number = next(self.numbers)
        message = Message(
            f"{1_790_000_000 + number}.{number:06}", body.get("text", ""), body.get("blocks", []),
            body.get("thread_ts"), bool(body.get("reply_broadcast")), by_webhook=by_webhook,
            metadata=body.get("metadata", {}),
        )  # fmt: skip
        self.messages.append(message)
        return message

    def answer(self, method: str, body: Json) -> Json:
        """What the Web API says."""
        if method == "chat.postMessage":
            return self._post(body)
        if method == "chat.update":
            return self._update(body)
        if method == "files.getUploadURLExternal":
            if "files:write" not in self.scopes:
                return {"ok": False, "error": "missing_scope"}
            number = next(self.numbers)
            self.files[f"F{number}"] = b""
            return {"ok": True, "upload_url": f"{self.base}/upload/F{number}", "file_id": f"F{number}"}
        if method == "files.completeUploadExternal":
            files = body["files"] if isinstance(body["files"], list) else json.loads(body["files"])
            self.completed |= {file["id"] for file in files}
            return {"ok": True, "files": [{"id": file["id"], "title": file.get("title")} for file in files]}
        if method in ("conversations.history", "conversations.replies"):
            if "channels:history" not in self.scopes:
                return {"ok": False, "error": "missing_scope"}
            if body.get("channel") != "C0ONCALL":
                return {"ok": False, "error": "channel_not_found"}
            thread = body.get("ts")
            found = [m for m in self.messages if m.thread_ts == thread or m.ts == thread]
            return {"ok": True, "messages": [{"ts": m.ts, "text": m.text, "metadata": m.metadata} for m in found]}
        if method == "apps.connections.open" and self.socket_url is not None:
            return {"ok": True, "url": self.socket_url}
        return {"ok": False, "error": "unknown_method"}

    def _post(self, body: Json) -> Json:
        if body.get("channel") not in CHANNELS:
            return {"ok": False, "error": "channel_not_found"}
        if body.get("thread_ts") is not None and not any(m.ts == body["thread_ts"] for m in self.messages):
            return {"ok": False, "error": "thread_not_found"}
        message = self.post(body, by_webhook=False)
        if isinstance(message, str):
            return {"ok": False, "error": message}
        return {"ok": True, "channel": CHANNELS[body["channel"]], "ts": message.ts}

    def _update(self, body: Json) -> Json:
        if body.get("channel") != "C0ONCALL":  # the name does for a new message only
            return {"ok": False, "error": "channel_not_found"}
        found = [m for m in self.messages if m.ts == body.get("ts")]
        wrong = problems(body, self.completed)
        self.broken += wrong
        if not found or wrong:
            return {"ok": False, "error": "invalid_blocks" if wrong else "message_not_found"}
        found[0].text, found[0].blocks = body.get("text", ""), body.get("blocks", [])
        found[0].edits += 1
        return {"ok": True, "channel": "C0ONCALL", "ts": found[0].ts}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of our business."""


class _Handler(BaseHTTPRequestHandler):
    api: SlackApi

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        method = parts.path.removeprefix("/api/")
        if parts.path == WEBHOOK_PATH:
            method = "webhook"
        elif parts.path.startswith("/upload/"):
            method = "upload"
        if self._spoil(method, after=False):
            return
        if method == "webhook":
            self._webhook(json.loads(content))
        elif method == "upload":
            self.api.files[parts.path.rpartition("/")[2]] = content
            self._send(200, b"OK", "text/plain")
        else:
            body = {**dict(parse_qsl(parts.query)), **_body(content, self.headers.get("Content-Type") or "")}
            self.api.requests.append((method, body))
            bearer = APP_TOKEN if method == "apps.connections.open" else TOKEN
            if self.headers.get("Authorization") != f"Bearer {bearer}":
                answer: Json = {"ok": False, "error": "invalid_auth"}
            else:
                answer = self.api.answer(method, body)
            if not self._spoil(method, after=True):
                self._send(200, json.dumps(answer).encode(), "application/json")

    def _webhook(self, body: Json) -> None:
        self.api.requests.append(("webhook", body))
        message = self.api.post(body, by_webhook=True)
        if not self._spoil("webhook", after=True):
            self._send(*((400, message.encode()) if isinstance(message, str) else (200, b"ok")), "text/html")

    def _spoil(self, method: str, *, after: bool) -> bool:
        fault = self.api.fault(method, after=after)
        if fault is None:
            return False
        if fault.delay_seconds:
            self.api.stopping.wait(fault.delay_seconds)
        if fault.hang_up:
            with contextlib.suppress(OSError):
                self.connection.close()
            return True
        if fault.status == 200 and not fault.error:
            return False
        said = json.dumps({"ok": False, "error": fault.error}) if fault.status == 200 else fault.error or "trouble"
        extra = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        self._send(fault.status, said.encode(), "application/json" if said.startswith("{") else "text/plain", extra)
        return True

    def _send(self, status: int, body: bytes, kind: str, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a test reads ``requests``."""


def _body(content: bytes, kind: str) -> Json:
    if kind.startswith("application/json"):
        found: Json = json.loads(content or b"{}")
        return found
    values: Json = dict(parse_qsl(content.decode()))
    for name in ("blocks", "metadata", "files"):
        if isinstance(values.get(name), str):
            values[name] = json.loads(values[name])
    return values
