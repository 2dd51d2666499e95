"""One target's sources, each in its thread, and what they told since the last cycle as one stream of samples."""

import bisect
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from leakwatch.agent.belonging import Identity, ids_in
from leakwatch.errors import SourceError
from leakwatch.ports import Clock, Source
from leakwatch.sample.identity import cgroup_of_pid
from leakwatch.sample.poller import Look, Outcome, Poller
from leakwatch.settings import CgroupPlace, TargetSettings
from leakwatch.tell.metrics_page import DURATION_BUCKETS
from leakwatch.tell.units import visible
from leakwatch.trace import Sample

STALE_PERIODS = 3.0
"""What a page told is put beside the memory for so many periods; then it is no longer known."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class LookCounts:
    """All looks of an agent, for its metrics page."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    durations: list[int] = field(default_factory=lambda: [0] * (len(DURATION_BUCKETS) + 1))
    seconds: float = 0.0

    def count(self, source: str, look: Look) -> None:
        """One look more."""
        self.outcomes[source, look.outcome.value] += 1
        if look.outcome is not Outcome.HUNG:  # it is still going on, and is counted when it ends
            self.durations[bisect.bisect_left(DURATION_BUCKETS, look.took_seconds)] += 1
            self.seconds += look.took_seconds


class Looking:
    """Asks the memory's source and the page's, if there is one, on the beat.

    Args:
        sources: the memory's first.
    """

    def __init__(
        self, target: TargetSettings, sources: Sequence[Source], every_seconds: float, clock: Clock, counts: LookCounts
    ) -> None:
        self._target, self._counts, self._every_seconds = target, counts, every_seconds
        self._pollers = tuple(Poller(source, every_seconds, clock) for source in sources)
        self._memory, *self._pages = self._pollers
        self._life: str | None = None
        self._clock = clock
        self._gone: tuple[float, SourceError] | None = None

    @property
    def gone(self) -> tuple[float, str] | None:
        """Since how many seconds the memory's source says that there is nothing to read, and its words; else None."""
        if self._gone is None:
            return None
        since, error = self._gone
        return self._clock.steady() - since, error.what

    @property
    def pollers(self) -> tuple[Poller, ...]:
        """To be stopped at the end."""
        return self._pollers

    @property
    def memory_source(self) -> str:
        """The name of the source that tells the memory."""
        return self._memory.source.name

    @property
    def pid(self) -> int | None:
        """The process that the memory's source reads, or the one with the most memory; None where it names none."""
        pid: int | None = getattr(self._memory.source, "pid", None)
        return pid

    def start(self) -> None:
        """Begin with a look at once."""
        for poller in self._pollers:
            poller.start()

    def samples(self) -> Iterator[tuple[Sample, bool]]:
        """Samples since the last call, each with whether the memory is in it.

        A sample of the memory holds what the pages told last; while there is none, the pages' own come without it.
        """
        pages = [look.sample for page in self._pages for look in self._looks(page) if look.sample is not None]
        told = {name: value for page in self._pages for name, value in self._fresh(page)}
        seen = self._looks(self._memory)
        self._note_absence(seen)
        looks = [look.sample for look in seen if look.sample is not None]
        for sample in looks:
            yield Sample(sample.time_seconds, {**told, **sample.values}, sample.life), True
        if not looks and self._is_blind():
            yield from ((sample, False) for sample in pages)

    def identity(self, sample: Sample) -> Identity | None:
        """Who it is, with the first sample of a life; None with the others."""
        if sample.life is None or sample.life == self._life:
            return None
        self._life = sample.life
        pid = self.pid
        place = self._target.place
        cgroup = place.cgroup if isinstance(place, CgroupPlace) else None if pid is None else cgroup_of_pid(pid)
        return Identity(pid, cgroup, ids_in(sample.life, cgroup))

    def _note_absence(self, looks: Sequence[Look]) -> None:
        """A source that fails meanwhile says neither that it is there nor that it is not."""
        for look in looks:
            if look.outcome is Outcome.OK:
                self._gone = None
            elif look.outcome is Outcome.GONE and look.error is not None and self._gone is None:
                self._gone = self._clock.steady(), look.error

    def _is_blind(self) -> bool:
        age = self._memory.age_seconds()
        return age is None or age > STALE_PERIODS * self._every_seconds

    def _fresh(self, page: Poller) -> Iterator[tuple[str, float]]:
        age, last = page.age_seconds(), page.last
        if age is not None and last is not None and age <= STALE_PERIODS * self._every_seconds:
            yield from last.values.items()

    def _looks(self, poller: Poller) -> tuple[Look, ...]:
        looks = poller.looks()
        for look in looks:
            self._counts.count(poller.source.name, look)
            if look.is_news:
                said = "can be read again" if look.error is None else str(look.error)
                log.warning("%s: %s", visible(self._target.name), visible(said))
        return looks


Sources = Callable[[TargetSettings], Sequence[Source]]
