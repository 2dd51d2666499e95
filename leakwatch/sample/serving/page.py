"""One GET of one page, bounded in time and size, over a connection that is kept where the server keeps it.

http.client alone: it is loaded with http.server anyway, while urllib3 and requests cost the agent 15 MiB and more.
"""

import http.client
import io
import socket
import time
from urllib.parse import SplitResult, urlsplit

from leakwatch.errors import SourceError

PAGE_SECONDS = 4.0
"""Under the five seconds between two samples."""

PAGE_BYTES = 32 * 1024 * 1024
"""A TensorFlow Serving that has loaded 3,000 versions has a page this large; more is no metrics page."""

_CHUNK = 256 * 1024


class Page:
    """A page that is read again and again.

    Args:
        source: the source's name, for messages.
        url: http or https; a user and password in it are not sent and not shown.
    """

    def __init__(self, source: str, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceError(source, "its address is no http or https URL", "write for example http://127.0.0.1:8501/")
        self._source, self._parts = source, parts
        self.shown = f"{parts.scheme}://{_host(parts)}{parts.path}"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection: http.client.HTTPConnection | None = None

    def read(self, path: str | None = None) -> tuple[int, bytes]:
        """Status and body, of another path of the same server where one is named.

        Raises:
            SourceError: refused, too slow, too large, or cut off.
        """
        ends_at = time.monotonic() + PAGE_SECONDS
        kept = self._connection is not None
        try:
            return self._get(path or self._path, ends_at)
        except (http.client.HTTPException, ConnectionError) as error:
            self.close()
            if not kept or isinstance(error, http.client.IncompleteRead):
                raise self._failed(error) from error
        except OSError as error:
            self.close()
            raise self._failed(error) from error
        try:  # the server had closed the connection that was kept: once more, over a new one
            return self._get(path or self._path, ends_at)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise self._failed(error) from error

    def close(self) -> None:
        """Close the connection; the next read opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _get(self, path: str, ends_at: float) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("GET", path, headers={"Accept": "text/plain", "User-Agent": "leakwatch"})
        response = self._connection.getresponse()
        received = io.BytesIO()  # whose bytes are handed over, not copied
        while chunk := response.read1(_CHUNK):
            received.write(chunk)
            if received.tell() > PAGE_BYTES:
                self.close()
                what = f"{self.shown} sends more than {PAGE_BYTES // 2**20} MiB"
                raise SourceError(self._source, what, "check that it is the metrics page")
            if time.monotonic() > ends_at:
                raise TimeoutError
        if response.length:  # fewer bytes came than were announced
            raise http.client.IncompleteRead(b"", response.length)
        response.close()  # else the next request on this connection is sent, not answered to us, and sent again
        if response.will_close:
            self.close()
        return response.status, received.getvalue()

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=PAGE_SECONDS)
        return http.client.HTTPConnection(host, port, timeout=PAGE_SECONDS)

    def _failed(self, error: Exception) -> SourceError:
        if isinstance(error, TimeoutError):
            what, fix = f"no whole answer within {PAGE_SECONDS:g} s", "check whether the server hangs"
        elif isinstance(error, ConnectionRefusedError):
            what, fix = "refused the connection", "a server that is still loading its models does; else check the port"
        elif isinstance(error, socket.gaierror):
            what, fix = f"no address is known for {self._parts.hostname}", "check the name"
        elif self._parts.scheme == "https" and _is_of_tls(error):
            reason = getattr(error, "reason", None) or "refused"
            what, fix = f"no TLS connection ({reason})", "check scheme and certificate"
        elif isinstance(error, http.client.HTTPException):
            what, fix = f"sent no whole HTTP answer ({type(error).__name__})", "check that it is an HTTP port"
        else:
            what, fix = (
                f"cannot be read ({getattr(error, 'strerror', None) or type(error).__name__})",
                "check the address",
            )
        return SourceError(self._source, f"{self.shown}: {what}", fix)


def _is_of_tls(error: Exception) -> bool:
    import ssl  # 4 MiB, for those alone whose page is encrypted

    return isinstance(error, ssl.SSLError)


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port}" if parts.port else host
