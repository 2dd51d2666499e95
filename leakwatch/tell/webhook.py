"""Any HTTP endpoint: one JSON document a message (docs/schemas/notification.schema.json), signed where it has a secret.

The signature is HMAC-SHA256 (RFC 2104) over ``TIMESTAMP.BODY``: the time is under it, so that a recorded message cannot
be sent again a day later.
"""

import json
from collections.abc import Callable, Mapping

from leakwatch.ports import Delivery, Notification, Stage
from leakwatch.tell.notice import as_document
from leakwatch.tell.post import post
from leakwatch.tell.secrets import Secret, SecretError

STAGES = frozenset({Stage.OPENED, Stage.ACTED, Stage.RESOLVED, Stage.ESCALATED})
"""A channel without threads is told the turns of the story, and no updates in between."""


class Webhook:
    """POSTs each message to ``url``; ``secret`` None leaves it unsigned; ``now`` is the clock."""

    repeat_seconds = None
    stages = STAGES

    def __init__(self, name: str, url: str, secret: Secret | None, now: Callable[[], float]) -> None:
        self.name = name
        self._url, self._secret, self._now = url, secret, now

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        """One POST; a receiver knows a message that it has by its Idempotency-Key."""
        import hashlib  # 3.5 MiB with its library, for those alone who have a webhook

        n, now = notification, self._now()
        body = json.dumps(as_document(n), allow_nan=False).encode()
        headers = {"Idempotency-Key": hashlib.sha256(f"{n.key}\n{n.number}\n{n.stage}".encode()).hexdigest()[:32]}
        if self._secret is not None:
            try:
                headers |= signature(body, self._secret.value(), round(now))
            except SecretError as error:
                return Delivery(False, True, str(error))
        return post(self._url, body, headers, now)


def signature(body: bytes, secret: str, unix_seconds: int) -> dict[str, str]:
    """The two headers by which a receiver knows who wrote the body, and when."""
    import hashlib
    import hmac

    signed = hmac.new(secret.encode(), f"{unix_seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Leakwatch-Timestamp": str(unix_seconds), "X-Leakwatch-Signature": f"sha256={signed}"}
