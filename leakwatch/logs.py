"""From log files to memory events: each source through a scanner of its own, read once or followed for ever."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from itertools import count
from zoneinfo import ZoneInfo

from detectors.types import Incident, OomEvent
from leakwatch import detect
from leakwatch.errors import LeakwatchError
from leakwatch.sample.log_files import STANDARD_INPUT, find_logs, follow_logs, read_log

KERNEL_MESSAGES = "/dev/kmsg"


@dataclass(frozen=True, slots=True)
class Dating:
    """What the stamps of log lines leave open; None is filled in for each source.

    Attributes:
        year: of stamps without one; else the year in which the file was last written.
        zone: of stamps without one; else this machine's.
        boot: Unix seconds when the machine booted, for stamps that count from there; else known for /dev/kmsg alone.
    """

    year: int | None = None
    zone: tzinfo | None = None
    boot: float | None = None


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


def local_zone() -> tzinfo:
    """This machine's zone with its summer time: TZ where it names one, else /etc/localtime, else UTC."""
    name = os.environ.get("TZ", "").removeprefix(":")
    try:
        if name:
            return ZoneInfo(name)
        with open("/etc/localtime", "rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError, KeyError):  # a name that no database holds, as a rule such as CET-1CEST
        return UTC


class _Reading:
    """The scanner of one source, and the run's numbers of its incidents."""

    def __init__(self, source: str, dating: Dating, numbers: "count[int]") -> None:
        self._source, self._numbers = source, numbers
        self._own_numbers: dict[int, int] = {}
        self._scanner = detect.scanner(*_dated(source, dating))
        self._whole_line = True

    def take(self, chunk: bytes) -> Iterator[Found]:
        """What one more chunk tells; an empty one is a pause, and what waits for its next line is told then."""
        if chunk:
            self._whole_line = chunk.endswith(b"\n")
            events = self._scanner.feed(chunk)
        else:
            events = self._scanner.finish() if self._whole_line else []
        if events:
            yield Found(self._source, tuple(map(self._numbered, events)))

    def end(self, error: str | None = None) -> Found:
        """What is left, and the incidents."""
        events = tuple(map(self._numbered, self._scanner.finish()))
        incidents = tuple(
            replace(incident, number=self._number(incident.number)) for incident in self._scanner.incidents()
        )
        return Found(self._source, events, incidents, ended=True, error=error)

    def _numbered(self, event: OomEvent) -> OomEvent:
        return event if event.incident is None else replace(event, incident=self._number(event.incident))

    def _number(self, own: int) -> int:
        if own not in self._own_numbers:
            self._own_numbers[own] = next(self._numbers)
        return self._own_numbers[own]


def _dated(source: str, dating: Dating) -> tuple[int, tzinfo, float | None]:
    zone = dating.zone or local_zone()
    boot = dating.boot
    if boot is None and source == KERNEL_MESSAGES:
        boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    try:
        written = time.time() if source in (STANDARD_INPUT, KERNEL_MESSAGES) else os.stat(source).st_mtime
    except (OSError, ValueError):
        written = time.time()
    return dating.year or datetime.fromtimestamp(written, zone).year, zone, boot
