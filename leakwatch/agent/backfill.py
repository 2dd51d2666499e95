"""The past that a target's source knows, fetched beside the loop, so that an agent that starts late judges at once."""

import logging
import threading

from leakwatch.errors import SourceError
from leakwatch.ports import History
from leakwatch.tell.units import visible
from leakwatch.trace import Sample, samples_in

BACKFILL_SECONDS = 7 * 86_400.0
"""A week holds every daily cycle several times; more would be thinned out at once."""

log = logging.getLogger(__name__)


class Backfill:
    """Asks a source for its past, once, in a daemon thread: a server that hangs delays nobody.

    Args:
        name: the target's, for messages.
        source: closed afterwards where it can be.
        now_seconds: the past ends here.
    """

    def __init__(self, name: str, source: History, now_seconds: float) -> None:
        self._name, self._source, self._now_seconds = name, source, now_seconds
        self._samples: tuple[Sample, ...] | None = None
        threading.Thread(target=self._fetch, name="leakwatch past", daemon=True).start()

    def take(self) -> tuple[Sample, ...]:
        """The samples, in the order of time, to whom asks first after they have come; until then and after, none."""
        samples, self._samples = self._samples, None
        return samples or ()

    def _fetch(self) -> None:
        try:
            past = self._source.history(self._now_seconds - BACKFILL_SECONDS, self._now_seconds)
        except SourceError as error:
            log.warning("%s: its past is not known: %s", visible(self._name), visible(str(error)))
            return
        self._samples = tuple(samples_in(past))
        log.info("%s: %d samples of its past", visible(self._name), len(self._samples))
