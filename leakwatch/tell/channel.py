"""One channel as the telling sees it: its notifier, and when that may be used again."""

import logging
import math
from collections.abc import Mapping

from leakwatch.ports import Delivery, Notification, Notifier

FIRST_RETRY_SECONDS = 1.0
MOST_RETRY_SECONDS = 300.0
"""A channel that is down is tried after 1, 2, 4, ... seconds, and every five minutes in the end."""
MOST_ASKED_SECONDS = 3600.0
"""A channel may ask us to wait, but not for ever."""
MOST_UNEXPECTED = 5
"""A message on which a notifier breaks so often is given up, since it holds up those behind it."""

log = logging.getLogger(__name__)


class Channel:
    """One notifier, and when it may be used again; times are the clock's steady seconds."""

    def __init__(self, notifier: Notifier) -> None:
        self.notifier, self.name = notifier, notifier.name
        self.not_before = -math.inf
        self.reminds_at = -math.inf if notifier.repeat_seconds is not None else None
        self._failures = 0

    def has_to_remind(self, steady: float) -> bool:
        """Whether it would forget what is open."""
        return self.reminds_at is not None and steady >= max(self.reminds_at, self.not_before)

    def say(self, notification: Notification, thread: Mapping[str, str], tries: int) -> Delivery:
        """The notifier's delivery; a notifier that breaks its promise and raises does not end the thread."""
        try:
            return self.notifier.notify(notification, thread, again=tries > 0)
        except Exception as error:
            # Only the type: the text of a stranger's exception may hold an address with a secret in it.
            log.error("%s: unexpected %s; this is a fault of leakwatch", self.name, type(error).__name__)
            return Delivery(False, tries < MOST_UNEXPECTED, f"unexpected {type(error).__name__}")

    def used(self, delivery: Delivery, steady: float) -> None:
        """Says in the log when it goes down and comes back, once each, and puts off the next use."""
        if delivery.delivered:
            if self._failures:
                log.warning("%s: takes messages again after %d failures", self.name, self._failures)
            self._failures, self.not_before = 0, steady
            return
        if not self._failures or not delivery.retry:
            log.warning("%s: %s%s", self.name, delivery.detail, "; tried again until it works" * delivery.retry)
        if not delivery.retry:
            return
        wait_seconds = min(FIRST_RETRY_SECONDS * 2.0 ** min(self._failures, 20), MOST_RETRY_SECONDS)
        if delivery.after_seconds is not None:
            wait_seconds = min(max(wait_seconds, delivery.after_seconds), MOST_ASKED_SECONDS)
        self._failures += 1
        self.not_before = steady + wait_seconds
