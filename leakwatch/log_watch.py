"""Logs as a loop asks for them that has other things to do: which memory events since the last look?"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from detectors.types import Incident, OomEvent
from leakwatch.errors import LeakwatchError
from leakwatch.logs import Readings
from leakwatch.sample.log_files import Dating, Follower

_MOST_EVENTS = 10_000
"""Told in one look; the rest of a flood waits for the next."""


@dataclass(frozen=True, slots=True)
class News:
    """What logs told since the last look, each with the path of its log.

    Attributes:
        events: in the order in which they were read.
        incidents: those that one of the events belongs to, as known now; one that later lines tell more of comes again
            with the same number.
        errors: of sources that cannot be read any longer, one line each.
        caught_up: nothing more was there to read.
    """

    events: tuple[tuple[str, OomEvent], ...] = ()
    incidents: tuple[tuple[str, Incident], ...] = ()
    errors: tuple[str, ...] = ()
    caught_up: bool = True


class LogWatch:
    """Logs asked for news by a loop that has other things to do: "which memory events since the last look?".

        with LogWatch(["/dev/kmsg", "/var/log/serving.log"]) as watch:
            while True:
                for source, incident in watch.news().incidents:
                    ...  # incident.proves_oom, .scope, .victim, .pid, .container_id, .at

    A look reads what has come and waits for nothing. Memory is flat, however long the watch and however many the
    events: a place in each file, at most a few lines that may go on, and the last 200 incidents of each source. A file
    that is not there yet, or is rotated, is waited for and followed.

    Args:
        paths: files, folders, pipes, ``-`` or /dev/kmsg.
        dating: what the lines' stamps leave unsaid.
        since: Unix seconds: what the logs hold already is read, and what is dated from then on is told (an undated line
            among it is not: it may be years old). None: only what comes from now on.

    Raises:
        LeakwatchError: a source cannot be opened.
    """

    def __init__(self, paths: Sequence[str], dating: Dating | None = None, *, since: float | None = None) -> None:
        self._follower = Follower(paths, from_end=since is None)
        self._chunks = self._follower.poll()
        self._readings = Readings(dating or Dating(), wrapped=False)  # an agent has no memory to spare
        self._since = since

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let all files go."""
        self._chunks = iter(())
        self._follower.close()

    def news(self, budget_seconds: float = 1.0) -> News:
        """What has come since the last call; after about ``budget_seconds`` the rest is left for the next one."""
        deadline = time.monotonic() + budget_seconds
        events: list[tuple[str, OomEvent]] = []
        incidents: dict[int, tuple[str, Incident]] = {}
        errors: list[str] = []
        heard = caught_up = False
        while not caught_up:
            try:
                chunk = next(self._chunks, None)
            except LeakwatchError as error:  # the others go on
                errors.append(str(error))
                chunk, heard = None, True
            if chunk is None:
                self._chunks = self._follower.poll()
                caught_up = not heard
                heard = False
            else:
                heard = heard or bool(chunk[1])
            # At the end of a look nothing waits for a line that may go on with a message: the next look may be far.
            for found in self._readings.take(*chunk) if chunk else self._readings.pause() if caught_up else ():
                new = [event for event in found.events if self._is_new(event)]
                events += [(found.source, event) for event in new]
                incidents |= {one.number: (found.source, one) for one in self._readings.incidents(found, new)}
            if time.monotonic() >= deadline or len(events) >= _MOST_EVENTS:
                break
        if caught_up:
            self._since = None
        return News(tuple(events), tuple(incidents.values()), tuple(errors), caught_up)

    def _is_new(self, event: OomEvent) -> bool:
        return self._since is None or event.at is not None and event.at >= self._since
