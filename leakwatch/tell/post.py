"""One HTTP POST, and what its answer means for a delivery. No answer, address or secret ends up in its text."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from leakwatch import __version__
from leakwatch.ports import Delivery

TIMEOUT_SECONDS = 10.0
_WORTH_A_RETRY = frozenset({408, 425, 429, 500, 502, 503, 504})
_MENDED_ELSEWHERE = frozenset({401, 403, 404, 405, 407, 410})
"""Wrong secrets and addresses: the message is kept until somebody has put them right."""


def post(url: str, body: bytes, headers: Mapping[str, str], now: float) -> Delivery:
    """Send JSON to ``url`` (http or https); never raises for what the other side does.

    A redirect is not followed: it would turn the POST into a GET, or hand a signed body to somebody else.
    """
    import http.client  # 6 MiB with its encryption, for those alone who have such a channel
    import urllib.error
    import urllib.request

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    host = place(url)
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers}, method="POST")
        request.add_header("User-Agent", f"leakwatch/{__version__}")
        with urllib.request.build_opener(NoRedirect).open(request, timeout=TIMEOUT_SECONDS) as answer:
            answer.read(4096)
            return Delivery(True, False, f"{host} answered {answer.status}")
    except urllib.error.HTTPError as error:
        error.close()
        return refusal(host, error.code, dict(error.headers.items()), now)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return unreachable(host, error)


def refusal(host: str, status: int, headers: Mapping[str, str] | None, now: float) -> Delivery:
    """What an HTTP status other than success means."""
    retry = status in _WORTH_A_RETRY or status in _MENDED_ELSEWHERE
    fix = "check its address and secret" if status in _MENDED_ELSEWHERE else "see its log"
    if 300 <= status < 400:
        fix = "redirects are not followed: give the address that it points to"
    return Delivery(False, retry, f"{host} answered {status}; {fix}", after_seconds=retry_after(headers, now))


def unreachable(host: str, error: Exception) -> Delivery:
    """Nothing that can be used came back; only the operating system's own words are told."""
    reason = getattr(error, "reason", error)  # urllib wraps what the system said
    said = reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__
    if isinstance(reason, TimeoutError):
        said = f"no answer within {TIMEOUT_SECONDS:.0f} s"
    return Delivery(False, True, f"{host} cannot be reached: {said}; check its address and the network")


def retry_after(headers: Mapping[str, str] | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks to wait, as a number or as a date; None where there is none to read."""
    value = next((v for k, v in (headers or {}).items() if k.lower() == "retry-after"), None)
    if value is None:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, float(value) if value.strip().isdigit() else parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def place(url: str) -> str:
    """Host and port of an address, which is what may be told of it: its path and query may be the secret."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
        return f"{parts.hostname}{port}" if parts.hostname else "the address"
    except ValueError:
        return "the address"
