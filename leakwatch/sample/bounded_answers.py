"""Answers of HTTP clients held within a time and a size: a hung or mad server must not hang or fill us."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

_CHUNK_BYTES = 256 * 1024


class AnswerTooLargeError(OSError):
    """The server sent more than it may; the message says how much that was."""


def bound_session(session: "requests.Session", seconds: float, at_most_bytes: int) -> None:
    """Every answer that the session reads whole must come within ``seconds`` and hold at most so many bytes.

    The timeout of requests is for each packet: a server that sends one byte a second is never too slow for it.
    """

    def wrap(response: "requests.Response", **options: object) -> None:
        if not options.get("stream"):
            response.raw = _BoundedBody(response.raw, seconds, at_most_bytes)

    session.hooks["response"].append(wrap)


def bounded_chunks(body: Any, seconds: float, at_most_bytes: int) -> Iterator[bytes]:
    """The body of a urllib3 response, decompressed, as it comes.

    Raises:
        TimeoutError: it was not whole within ``seconds``.
        AnswerTooLargeError: it is larger than ``at_most_bytes``, decompressed.
    """
    ends_at, received = time.monotonic() + seconds, 0
    while chunk := body.read1(_CHUNK_BYTES, decode_content=True):
        received += len(chunk)
        if received > at_most_bytes:
            raise AnswerTooLargeError(f"sends more than {at_most_bytes // 2**20} MiB")
        if time.monotonic() > ends_at:
            raise TimeoutError(f"no whole answer within {seconds:g} s")
        yield chunk


class _BoundedBody:
    """Stands where requests looks for a urllib3 response, and lets it read so much and no more."""

    def __init__(self, body: Any, seconds: float, at_most_bytes: int) -> None:
        self._body, self._seconds, self._at_most_bytes = body, seconds, at_most_bytes

    def stream(self, amt: int = 0, decode_content: bool | None = None) -> Iterator[bytes]:
        try:
            yield from bounded_chunks(self._body, self._seconds, self._at_most_bytes)
        except (TimeoutError, AnswerTooLargeError):
            self._body.close()  # what is left of it must not be taken for the next answer
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)
