"""Where a Prometheus server is, and the secrets that it asks for: named here, read only when a question is put.

A chunk travels to workers, maybe of other machines, and so does this; the secrets themselves never do.
"""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from leakwatch.errors import SourceError

NAME = "prometheus"
TOKEN_VARIABLE = "LEAKWATCH_PROMETHEUS_TOKEN"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers Prometheus's HTTP API.

    Attributes:
        url: with the prefix that stands before ``/api/v1``.
        tenant: sent as X-Scope-OrgID, which Mimir and Thanos ask for.
        token_file: holds a bearer token; without one the variable LEAKWATCH_PROMETHEUS_TOKEN may.
        headers_file: a ``Name: value`` a line, sent with every question.
    """

    url: str
    tenant: str | None = None
    token_file: str | None = None
    headers_file: str | None = None

    @property
    def shown(self) -> str:
        """Host and port, without what may be secret."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname or self.url)

    def headers(self) -> dict[str, str]:
        """What goes with every question.

        Raises:
            SourceError: a file cannot be read, or a line of it is no header; the line is not shown.
        """
        sent = {"Accept-Encoding": "gzip", "User-Agent": "leakwatch"}
        if self.tenant is not None:
            sent["X-Scope-OrgID"] = self.tenant
        token = _content(self.token_file).strip() if self.token_file else os.environ.get(TOKEN_VARIABLE, "").strip()
        if token:
            sent["Authorization"] = f"Bearer {token}"
        lines = _content(self.headers_file).splitlines() if self.headers_file else []
        for number, line in enumerate(lines, 1):
            name, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not colon or not name.strip():
                raise SourceError(NAME, f"{self.headers_file}:{number} is no header", "write Name: value")
            sent[name.strip()] = value.strip()
        return sent


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(NAME, f"{path}: {getattr(error, 'strerror', None) or 'no text'}", "name a file") from None
