"""The targets' logs: each read once, what it tells given to the targets that named it."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detectors.types import Incident
from leakwatch.errors import LeakwatchError
from leakwatch.settings import TargetSettings
from leakwatch.tell.units import visible

if TYPE_CHECKING:
    from leakwatch.log_watch import LogWatch

KERNEL_WORD, KERNEL_LOG = "kmsg", "/dev/kmsg"
_BUDGET_SECONDS = 0.2
"""Of a cycle, for each log; a flood waits for the next one."""
_TRY_AGAIN_SECONDS = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """One incident of a log: its kind, the targets that named the log, and whether the log is one target's own."""

    log: str
    incident: Incident
    kind: str
    targets: tuple[str, ...]
    own_log: bool


class LogReading:
    """All logs that the settings name.

    Args:
        since_seconds: what an earlier agent has not seen yet is dated from then on; None: only what comes from now on.
    """

    def __init__(self, targets: Sequence[TargetSettings], since_seconds: float | None) -> None:
        self._targets: dict[str, list[str]] = {}
        for target in targets:
            for word in dict.fromkeys(target.logs):
                self._targets.setdefault(KERNEL_LOG if word == KERNEL_WORD else word, []).append(target.name)
        self._since = since_seconds
        self._watches: dict[str, LogWatch] = {}
        self._not_before: dict[str, float] = {}

    def news(self, steady: float) -> Iterator[Told]:
        """What the logs tell since the last call; ``steady`` is the clock's."""
        for path, targets in self._targets.items():
            watch = self._watch(path, steady)
            if watch is None:
                continue
            news = watch.news(_BUDGET_SECONDS)
            for error in news.errors:
                log.warning("%s", visible(error))
                self._drop(path, steady)
            kinds: dict[int, str] = {}
            for _, event in news.events:
                if event.incident is not None and (event.proves_oom or event.incident not in kinds):
                    kinds[event.incident] = event.kind
            for _, incident in news.incidents:
                kind = kinds.get(incident.number, incident.scope)
                yield Told(path, incident, kind, tuple(targets), own_log=path != KERNEL_LOG and len(targets) == 1)

    def close(self) -> None:
        """Let all files go."""
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()

    def _watch(self, path: str, steady: float) -> "LogWatch | None":
        if path in self._watches:
            return self._watches[path]
        if steady < self._not_before.get(path, steady):
            return None
        from leakwatch.log_watch import LogWatch  # the matching engine: only where logs are named

        try:
            self._watches[path] = LogWatch([path], since=self._since)
        except LeakwatchError as error:
            if path not in self._not_before:
                log.warning("%s", visible(str(error)))
            self._not_before[path] = steady + _TRY_AGAIN_SECONDS
            return None
        return self._watches[path]

    def _drop(self, path: str, steady: float) -> None:
        self._watches.pop(path).close()
        self._not_before[path] = steady + _TRY_AGAIN_SECONDS
