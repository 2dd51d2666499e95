"""Questions to a Prometheus server that never overload it: one at a time, bounded, patient, smaller where refused.

What is told to wait waits (429 and 503 with their Retry-After), what broke off is asked again a few times, later and
later (urllib3's Retry counts and waits); what was too much (422, a time-out of the server, an answer too large) is
asked in two halves.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from leakwatch.errors import SourceError
from leakwatch.quantities import shown
from leakwatch.sample.bounded_answers import AnswerTooLargeError, bounded_chunks
from leakwatch.sample.prometheus_fleet.server import NAME, Server

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.util import Retry

CONNECT_SECONDS, SILENT_SECONDS, WHOLE_SECONDS = 5.0, 60.0, 180.0
"""To connect, between two packets (a query works on silently, for two minutes by default), for a whole answer."""

ANSWER_BYTES = 64 * 1024 * 1024
"""Of an answer, decompressed: four times a day of a hundred containers at a minute."""

TRIES, BACK_OFF_SECONDS, LONGEST_WAIT_SECONDS = 5, 0.5, 60
WAIT_AND_ASK_AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, 502, HTTPStatus.SERVICE_UNAVAILABLE, 504)
TOO_MUCH = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE, 504)

MOST_POINTS = 10_000
"""Of a series in an answer; Prometheus refuses more than 11,000."""

SHORTEST_RANGE_SECONDS = 1800.0

Entry = dict[str, Any]


class _TooMuchError(Exception):
    """The server cannot answer so large a question."""


class Asker:
    """Puts questions to one server, one after another."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._headers = server.headers()
        self._pool: PoolManager | None = None
        self.received_bytes = 0

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.clear()

    def vector(self, query: str, at_seconds: float) -> list[Entry]:
        """The entries of an instant query.

        Raises:
            SourceError: no answer, a refusal, or an answer that is none of Prometheus's.
        """
        try:
            return self._ask("query", {"query": query, "time": f"{at_seconds:.3f}"})
        except _TooMuchError as error:
            raise self._wrong(str(error), "ask for less with -n and -l, or let the server load more") from None

    def matrix(self, query: str, since: float, until: float, step: float) -> Iterator[Entry]:
        """The entries of a range query, in as many pieces of time as it takes; a series may come in several.

        Raises:
            SourceError: as `vector`.
        """
        longest = (MOST_POINTS - 1) * step
        if until - since > longest:
            middle = since + longest // step * step
            yield from self.matrix(query, since, middle, step)
            yield from self.matrix(query, middle + step, until, step)
            return
        asked = {"query": query, "start": f"{since:.3f}", "end": f"{until:.3f}", "step": f"{step:g}"}
        try:
            found = self._ask("query_range", asked)
        except _TooMuchError as error:
            if until - since <= max(SHORTEST_RANGE_SECONDS, 2 * step):
                raise self._wrong(str(error), "ask with a larger --step, or let the server load more") from None
            middle = since + (until - since) // 2 // step * step
            yield from self.matrix(query, since, middle, step)
            yield from self.matrix(query, middle + step, until, step)
            return
        yield from found

    def _ask(self, path: str, fields: dict[str, str]) -> list[Entry]:
        # Thanos is to refuse rather than to answer with what some of its stores have.
        status, body = self._fetch(path, fields | {"partial_response": "false"})
        try:
            document = json.loads(body)
            said = str(document.get("error", ""))
            if status == HTTPStatus.OK and document["status"] == "success":
                return list(document["data"]["result"])
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            said = "" if status != HTTPStatus.OK else "no answer of Prometheus"
        if status in TOO_MUCH:
            raise _TooMuchError(f"{status} {shown(said, 120)}" if said else f"answers {status}")
        fix = "check the tenant and the token" if status in (401, 403) else "check the address and the selector"
        raise self._wrong(f"answers {status}" + (f" ({shown(said, 160)})" if said else ""), fix)

    def _fetch(self, path: str, fields: dict[str, str]) -> tuple[int, bytes]:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError
        from urllib3.exceptions import TimeoutError as PacketTimeoutError

        url = f"{self._server.url.rstrip('/')}/api/v1/{path}"
        timeout = Timeout(connect=CONNECT_SECONDS, read=SILENT_SECONDS)
        retries = _patience()
        self._pool = self._pool or _pool()
        try:
            while True:
                answer = self._pool.request(
                    "POST",
                    url,
                    fields=fields,
                    encode_multipart=False,
                    headers=self._headers,
                    timeout=timeout,
                    retries=retries,
                    redirect=False,  # the token is for this server alone
                    preload_content=False,
                )
                retries = answer.retries or retries
                try:
                    body = b"".join(bounded_chunks(answer, WHOLE_SECONDS, ANSWER_BYTES))
                except (ProtocolError, PacketTimeoutError, TimeoutError) as error:
                    answer.close()
                    retries = retries.increment("POST", urlsplit(url).path, error=error)
                    retries.sleep()
                    continue
                except AnswerTooLargeError as error:
                    answer.close()
                    raise _TooMuchError(str(error)) from None
                answer.release_conn()
                self.received_bytes += len(body)
                return answer.status, body
        except MaxRetryError as error:
            what = f"no whole answer after {TRIES + 1} tries ({type(error.reason).__name__})"
            raise self._wrong(what, "check the address, whether it runs, and whether it is overloaded") from None
        except (HTTPError, OSError, ValueError) as error:
            raise self._wrong(f"no answer ({type(error).__name__})", "check the address") from None

    def _wrong(self, what: str, fix: str) -> SourceError:
        return SourceError(NAME, f"{self._server.shown}: {what}", fix)


def _pool() -> "PoolManager":
    from urllib3 import PoolManager

    return PoolManager(num_pools=1, maxsize=1)


def _patience() -> "Retry":
    from urllib3.util import Retry

    return Retry(
        TRIES,
        allowed_methods=("POST",),  # a query changes nothing
        status_forcelist=WAIT_AND_ASK_AGAIN,
        raise_on_status=False,
        backoff_factor=BACK_OFF_SECONDS,
        backoff_jitter=BACK_OFF_SECONDS,
        backoff_max=LONGEST_WAIT_SECONDS,
        retry_after_max=LONGEST_WAIT_SECONDS,
    )
