"""Samples of one container to a file, on the beat, until the time is up or somebody says so."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leakwatch.errors import SourceError
from leakwatch.ports import Clock, Source
from leakwatch.tell.trace_csv import TraceWriter
from leakwatch.trace import Sample


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it: samples written, looks that gave none, and rows that the disk did not take."""

    samples: int
    missed: int
    unwritten: int


def look(sources: Sequence[Source], now_seconds: float, say: Callable[[str], None]) -> Sample:
    """One sample of what all sources tell; the first is the memory's, and without it there is none.

    Raises:
        SourceError: the memory cannot be read; what another source lacks is said.
    """
    memory, *others = sources
    sample = memory.read(now_seconds)
    values = dict(sample.values)
    for source in others:
        try:
            values |= source.read(now_seconds).values
        except SourceError as error:
            say(str(error))
    return Sample(sample.time_seconds, values, sample.life)


def record(
    take: Callable[[float], Sample],
    writer: TraceWriter,
    clock: Clock,
    stop: threading.Event,
    say: Callable[[str], None],
    *,
    every_seconds: float,
    for_seconds: float | None = None,
) -> Recorded:
    """Take a sample every so many seconds and write it; a beat that was missed is not made up for.

    Args:
        take: as `look`; its SourceError leaves a gap.
        stop: ends it at once when it is set.
        say: is told of troubles; saying the same again and again is its matter.
    """
    begun = clock.steady()
    samples = missed = unwritten = beat = 0
    while not stop.is_set():
        try:
            writer.write(take(clock.now()))
            samples += 1
        except SourceError as error:
            missed += 1
            say(str(error))
        except OSError as error:
            unwritten += 1
            say(f"{writer.path}: {error.strerror}; make room there, rows are lost until then")
        beat = max(beat + 1, int((clock.steady() - begun) / every_seconds))
        due = begun + beat * every_seconds
        if for_seconds is not None and due - begun > for_seconds:
            break
        stop.wait(max(0.0, due - clock.steady()))
    return Recorded(samples, missed, unwritten)
