"""The agent's pages: /metrics, /healthz, /readyz, and /readyz/TARGET for a target whose traffic is drained."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote

from leakwatch.agent.loop import Agent
from leakwatch.tell.http_pages import Page
from leakwatch.tell.metrics_page import CONTENT_TYPE, PageState, as_text

_PLAIN = "text/plain; charset=utf-8"


def pages_of(agent: Agent) -> Callable[[str], Page | None]:
    """By path, what makes the page; None where there is none. Everything is asked from the server's threads."""

    def metrics() -> tuple[HTTPStatus, str, bytes]:
        return HTTPStatus.OK, CONTENT_TYPE, as_text(agent.page)

    def health() -> tuple[HTTPStatus, str, bytes]:
        if agent.misses_beats():
            return HTTPStatus.SERVICE_UNAVAILABLE, _PLAIN, b"three beats were missed\n"
        return HTTPStatus.OK, _PLAIN, b"ok\n"

    def readiness() -> tuple[HTTPStatus, str, bytes]:
        if not agent.cycles or agent.misses_beats():
            return HTTPStatus.SERVICE_UNAVAILABLE, _PLAIN, b"no beat yet\n"
        return HTTPStatus.OK, _PLAIN, b"ok\n"

    def drained(target: str) -> Page:
        def page() -> tuple[HTTPStatus, str, bytes]:
            if target in agent.draining:
                return HTTPStatus.SERVICE_UNAVAILABLE, _PLAIN, b"its traffic is being drained\n"
            return HTTPStatus.OK, _PLAIN, b"ok\n"

        return page

    fixed = {"/metrics": metrics, "/healthz": health, "/readyz": readiness}
    names = {one.name for one in agent.watched}

    def page_at(path: str) -> Page | None:
        if path in fixed:
            return fixed[path]
        target = unquote(path.removeprefix("/readyz/")) if path.startswith("/readyz/") else None
        return drained(target) if target in names else None

    return page_at


def standing_by(path: str) -> Page | None:
    """The pages of an agent that waits while another leads: it is well, and has nothing to show."""
    text = {"/healthz": b"ok\n", "/readyz": b"another agent leads\n"}
    if path in text:
        return lambda: (HTTPStatus.OK, _PLAIN, text[path])
    return (lambda: (HTTPStatus.OK, CONTENT_TYPE, as_text(PageState()))) if path == "/metrics" else None
