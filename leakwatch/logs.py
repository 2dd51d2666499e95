"""From log files to memory events: each source through a scanner of its own, read once or followed for ever."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
        incidents: those that nothing more will be told of, each once.
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
    readings = Readings(dating)
    for chunk in follow_logs(paths):
        yield from readings.take(*chunk)


class Readings:
    """The scanners of sources that are read at the same time; ``wrapped`` as in `leakwatch.detect.scanner`."""

    def __init__(self, dating: Dating, *, wrapped: bool = True) -> None:
        self._dating, self._numbers, self._wrapped = dating, count(1), wrapped
        self._by_source: dict[str, _Reading] = {}

    def take(self, source: str, chunk: bytes | None) -> Iterator[Found]:
        """What one more chunk of a source tells; None is its end."""
        if source not in self._by_source:
            self._by_source[source] = _Reading(source, self._dating, self._numbers, wrapped=self._wrapped)
        if chunk is None:
            yield self._by_source.pop(source).end()
        else:
            yield from self._by_source[source].take(chunk)

    def pause(self) -> Iterator[Found]:
        """What waits in any of the sources for a line that may go on with it."""
        for reading in self._by_source.values():
            yield from reading.take(b"")

    def incidents(self, found: Found, events: Sequence[OomEvent]) -> Iterator[Incident]:
        """Each incident of ``events``, which ``found`` has just told, as known now."""
        settled = {one.number: one for one in found.incidents}
        for number in dict.fromkeys(event.incident for event in events):
            reading = self._by_source.get(found.source)
            known = settled.get(number or 0) or (reading.incident(number) if reading and number else None)
            if known is not None:
                yield known


class _Reading:
    """The scanner of one source; ``numbers`` are those of the run's incidents."""

    def __init__(self, source: str, dating: Dating, numbers: "count[int]", *, wrapped: bool = True) -> None:
        self._source, self._dating, self._numbers, self._wrapped = source, dating, numbers, wrapped
        self._scanner: Scanner | None = None
        self._whole_line = True

    def take(self, chunk: bytes) -> Iterator[Found]:
        """What one more chunk tells; an empty one is a pause, and what waits for its next line is told then."""
        if self._scanner is None:
            known = dated(self._source, chunk, self._dating)
            self._scanner = detect.scanner(known.year, known.zone, known.boot, self._numbers, wrapped=self._wrapped)
        if chunk:
            self._whole_line = chunk.endswith(b"\n")
            events = self._scanner.feed(chunk)
        else:
            events = self._scanner.finish() if self._whole_line else []
        if events:
            yield Found(self._source, tuple(events), tuple(self._scanner.settled()))

    def incident(self, number: int) -> Incident | None:
        """What is known of an incident that may still go on."""
        return self._scanner.incident(number) if self._scanner is not None else None

    def end(self, error: str | None = None) -> Found:
        """What is left, and the incidents."""
        if self._scanner is None:
            return Found(self._source, ended=True, error=error)
        events = tuple(self._scanner.finish())
        incidents = (*self._scanner.settled(), *self._scanner.incidents())
        return Found(self._source, events, incidents, ended=True, error=error)
