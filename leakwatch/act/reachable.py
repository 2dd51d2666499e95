"""Whether a server takes connections. TF Serving opens its ports only after all models have loaded."""

import socket
from urllib.parse import urlsplit

CONNECT_SECONDS = 2.0


def answers(url: str) -> bool:
    """Whether the host and port of the address accept a connection."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS):
            return True
    except OSError:
        return False
