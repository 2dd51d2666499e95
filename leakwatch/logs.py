"""From log files to memory events: each source through a scanner of its own, read once or followed for ever."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from detectors.types import Incident, OomEvent
from leakwatch import detect
from leakwatch.errors import LeakwatchError
from leakwatch.sample.log_files import Dating, dated, find_logs, follow_logs, read_log

if TYPE_CHECKING:
    from leakwatch.detect import Scanner


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one source, in part or, where ``ended``, for the last time.

    Attributes:
        source: the path as the caller gave it.
        events: in the order of their lines; ``incident`` numbers are unique over all sources of a run.
        incidents: all of the source, once it has ended.
        error: why the source could not be read to its end, in one line.
    """

    source: str
    events: tuple[OomEvent, ...] = ()
    incidents: tuple[Incident, ...] = ()
    ended: bool = False
    error: str | None = None


def scan(sources: Sequence[str], dating: Dating) -> Iterator[Found]:
    """The events of sources read one after the other; an unusable one is told and does not stop the others."""
    numbers = count(1)
    for source in sources:
        reading = _Reading(source, dating, numbers)
        try:
            for chunk in read_log(source):
                yield from reading.take(chunk)
            yield reading.end()
        except LeakwatchError as error:
            yield reading.end(str(error))


def read_all(paths: Sequence[str], dating: Dating) -> tuple[tuple[tuple[str, OomEvent], ...], tuple[Incident, ...]]:
    """Everything that the logs behind ``paths`` (files, folders, ``-``) tell: (source, event) pairs, and incidents.

    Raises:
        LeakwatchError: one of them cannot be read.
    """
    events: list[tuple[str, OomEvent]] = []
    incidents: list[Incident] = []
    for found in scan(find_logs(paths), dating):
        if found.error is not None:
            raise LeakwatchError(found.error)
        events += [(found.source, event) for event in found.events]
        incidents += found.incidents
    return tuple(events), tuple(incidents)


def follow(paths: Sequence[str], dating: Dating) -> Iterator[Found]:
    """The events of sources as they are written, for ever; see `leakwatch.sample.log_files.follow_logs`.

    Raises:
        LeakwatchError: a source cannot be opened, or is damaged.
    """
    numbers = count(1)
    readings: dict[str, _Reading] = {}
    for source, chunk in follow_logs(paths):
        if source not in readings:
            readings[source] = _Reading(source, dating, numbers)
        if chunk is None:
            yield readings.pop(source).end()
        else:
            yield from readings[source].take(chunk)


class _Reading:
    """The scanner of one source, and the run's numbers of its incidents."""

    def __init__(self, source: str, dating: Dating, numbers: "count[int]") -> None:
        self._source, self._dating, self._numbers = source, dating, numbers
        self._own_numbers: dict[int, int] = {}
        self._scanner: Scanner | None = None
        self._whole_line = True

    def take(self, chunk: bytes) -> Iterator[Found]:
        """What one more chunk tells; an empty one is a pause, and what waits for its next line is told then."""
        if self._scanner is None:
            known = dated(self._source, chunk, self._dating)
            self._scanner = detect.scanner(known.year, known.zone, known.boot)
        if chunk:
            self._whole_line = chunk.endswith(b"\n")
            events = self._scanner.feed(chunk)
        else:
            events = self._scanner.finish() if self._whole_line else []
        if events:
            yield Found(self._source, tuple(map(self._numbered, events)))

    def end(self, error: str | None = None) -> Found:
        """What is left, and the incidents."""
        if self._scanner is None:
            return Found(self._source, ended=True, error=error)
        events = tuple(map(self._numbered, self._scanner.finish()))
        incidents = (replace(one, number=self._number(one.number)) for one in self._scanner.incidents())
        return Found(self._source, events, tuple(incidents), ended=True, error=error)

    def _numbered(self, event: OomEvent) -> OomEvent:
        return event if event.incident is None else replace(event, incident=self._number(event.incident))

    def _number(self, own: int) -> int:
        if own not in self._own_numbers:
            self._own_numbers[own] = next(self._numbers)
        return self._own_numbers[own]
