"""Decisions about actions as Kubernetes Events of the pod: the same one again is a count, not another Event.

For people who read `kubectl describe pod`; the audit file is what can be relied on. So nobody waits for it: a decision
is put down in a table, and a thread writes it when the API server takes it. Needs ``create`` and ``patch`` on
``events``, and ``get`` and ``list`` on ``pods``.
"""

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from leakwatch.ports import Clock
from leakwatch.tell.pod_events import PodEvents, PodPlace, event, stamp
from leakwatch.tell.post import unreachable

REPEAT_SECONDS = 300.0
"""So often at most the count of a decision that is made again and again is written."""
FORGOTTEN_SECONDS = 3000.0
"""An API server keeps an event for an hour, unless told otherwise; before that is over another is begun."""
FIRST_RETRY_SECONDS, MOST_RETRY_SECONDS = 2.0, 300.0
MOST_KEPT = 200
"""Of decisions that wait, and of series that go on; the oldest are given up."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision.

    Attributes:
        target: its name in the settings.
        same: what makes it the same decision as another one of the target.
        reason: one word in CamelCase.
        message: one sentence; that of the newest stands in the Event.
        warning: whether a person should look.
    """

    target: str
    same: str
    reason: str
    message: str
    at_seconds: float
    warning: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    newest: Decided
    times: int
    first_seconds: float
    not_before: float


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    count: int
    begun: float
    written: float


class DecisionEvents:
    """Takes decisions, and writes them when it can.

    Args:
        places: by the target's name; a target without one is no pod, and its decisions are not written.
        core: as in `leakwatch.tell.pod_events.PodEvents`.
    """

    def __init__(
        self, places: Mapping[str, PodPlace], clock: Clock, core: Any = None, repeat_seconds: float = REPEAT_SECONDS
    ) -> None:
        self._places, self._clock, self._events, self._repeat_seconds = places, clock, PodEvents(core), repeat_seconds
        self._wake = threading.Condition()
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        self._series: dict[tuple[str, str, str], _Series] = {}
        self._ended = False
        self._failures = 0
        self._not_before = 0.0
        self._thread: threading.Thread | None = None

    def decided(self, one: Decided) -> None:
        """Put it down; returns at once, and never raises."""
        if one.target not in self._places:
            return
        key, now = (one.target, one.same), self._clock.steady()
        with self._wake:
            if self._ended:
                return
            before = self._waiting.get(key)
            last = max((one.written for at, one in self._series.items() if at[:2] == key), default=None)
            due = now if last is None else last + self._repeat_seconds
            self._waiting[key] = (
                _Waiting(one, 1, one.at_seconds, due)
                if before is None
                else replace(before, newest=one, times=before.times + 1)
            )
            while len(self._waiting) > MOST_KEPT:
                del self._waiting[next(iter(self._waiting))]
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="decision events", daemon=True)
                self._thread.start()
            self._wake.notify()

    def close(self) -> None:
        """What waits is tried once more; nobody is waited for long, since the thread dies with the process."""
        with self._wake:
            self._ended = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    def _write(self) -> None:
        while True:
            with self._wake:
                while not self._ended and (wait := self._wait_seconds()) > 0.0:
                    self._wake.wait(None if wait == float("inf") else wait)
                due = self._due()
                last = self._ended
            for key in due:
                if not self._written(key):
                    break
            if last:
                return

    def _wait_seconds(self) -> float:
        """Until something is due."""
        soonest = min((one.not_before for one in self._waiting.values()), default=float("inf"))
        return max(soonest, self._not_before) - self._clock.steady()

    def _due(self) -> list[tuple[str, str]]:
        now = self._clock.steady()
        return [key for key, one in self._waiting.items() if self._ended or one.not_before <= now]

    def _written(self, key: tuple[str, str]) -> bool:
        """False where the API server is not to be asked again at once."""
        with self._wake:
            waiting = self._waiting.pop(key, None)
        if waiting is None:  # too many came meanwhile
            return True
        try:
            for pod in self._events.pods(self._places[key[0]]):
                self._tell(key, pod, waiting)
        except Exception as error:  # the client lets through what urllib3 and its own configuration raise
            return self._failed(key, waiting, error)
        if self._failures:
            log.warning("kubernetes_events: decisions are written again")
        self._failures = 0
        return True

    def _tell(self, key: tuple[str, str], pod: Any, waiting: _Waiting) -> None:
        from kubernetes.client.exceptions import ApiException

        newest, meta, now = waiting.newest, pod.metadata, self._clock.steady()
        with self._wake:
            series = self._series.pop((*key, meta.uid), None)
        if series is not None and now - series.begun < FORGOTTEN_SECONDS:
            count = series.count + waiting.times
            try:
                self._events.count(meta.namespace, series.name, count, newest.at_seconds, newest.message)
                self._go_on(key, meta.uid, replace(series, count=count, written=now))
                return
            except ApiException as error:
                if error.status != 404:
                    self._go_on(key, meta.uid, series)
                    raise
        name = hashlib.sha256(f"{key}\n{meta.uid}\n{waiting.first_seconds}".encode()).hexdigest()[:16]
        made = event(name, pod, newest.reason, newest.message, newest.at_seconds, warning=newest.warning)
        made |= {"count": waiting.times, "firstTimestamp": stamp(waiting.first_seconds)}
        self._events.create(made)
        self._go_on(key, meta.uid, _Series(made["metadata"]["name"], waiting.times, now, now))

    def _go_on(self, key: tuple[str, str], uid: str, series: _Series) -> None:
        with self._wake:
            self._series[(*key, uid)] = series
            while len(self._series) > MOST_KEPT:
                del self._series[next(iter(self._series))]

    def _failed(self, key: tuple[str, str], waiting: _Waiting, error: Exception) -> bool:
        """A pod that has gone needs no Event; all else is tried again, later and later."""
        status = getattr(error, "status", None)
        if status in (404, 422):
            return True
        if not self._failures:
            log.warning("kubernetes_events: %s", _why(error, status))
        wait = min(FIRST_RETRY_SECONDS * 2.0 ** min(self._failures, 20), MOST_RETRY_SECONDS)
        self._failures += 1
        with self._wake:
            self._not_before = self._clock.steady() + wait
            since = self._waiting.pop(key, None)
            if since is not None:  # made again meanwhile
                waiting = replace(waiting, newest=since.newest, times=waiting.times + since.times)
            self._waiting[key] = waiting
        return False


def _why(error: Exception, status: int | None) -> str:
    if status == 403:
        return "decisions cannot be written; give the role create and patch on events, and get and list on pods"
    if status:
        return f"decisions cannot be written, the Kubernetes API answers {status}; tried again until it works"
    return f"{unreachable('the Kubernetes API', error).detail}; decisions are written when it answers"
