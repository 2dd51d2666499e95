"""What the agent makes of looks at one target: counted, troubles told, a life that begins, a target that is gone."""

import bisect
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from leakwatch.agent.belonging import Identity, ids_in
from leakwatch.errors import SourceError
from leakwatch.ports import Clock, Source
from leakwatch.sample.identity import cgroup_of_pid
from leakwatch.sample.joined import JoinedSources
from leakwatch.sample.poller import Look, Outcome
from leakwatch.settings import CgroupPlace, TargetSettings
from leakwatch.tell.metrics_page import DURATION_BUCKETS
from leakwatch.tell.units import visible
from leakwatch.trace import Sample

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
    """The joined sources of a target, with their looks counted and their troubles told.

    Args:
        sources: the memory's first.
    """

    def __init__(
        self, target: TargetSettings, sources: Sequence[Source], every_seconds: float, clock: Clock, counts: LookCounts
    ) -> None:
        self._target, self._counts, self._clock = target, counts, clock
        self._joined = JoinedSources(sources, every_seconds, clock, self._heard)
        self.start, self.samples, self.pollers = self._joined.start, self._joined.samples, self._joined.pollers
        self._life: str | None = None
        self._gone: tuple[float, SourceError] | None = None

    @property
    def gone(self) -> tuple[float, str] | None:
        """Since how many seconds the memory's source says that there is nothing to read, and its words; else None."""
        if self._gone is None:
            return None
        since, error = self._gone
        return self._clock.steady() - since, error.what

    @property
    def memory_source(self) -> str:
        """The name of the source that tells the memory."""
        return self._joined.memory.name

    @property
    def pid(self) -> int | None:
        """The process that the memory's source reads, or the one with the most memory; None where it names none."""
        pid: int | None = getattr(self._joined.memory, "pid", None)
        return pid

    def identity(self, sample: Sample) -> Identity | None:
        """Who it is, with the first sample of a life; None with the others."""
        if sample.life is None or sample.life == self._life:
            return None
        self._life = sample.life
        pid = self.pid
        place = self._target.place
        cgroup = place.cgroup if isinstance(place, CgroupPlace) else None if pid is None else cgroup_of_pid(pid)
        return Identity(pid, cgroup, ids_in(sample.life, cgroup))

    def _heard(self, source: str, look: Look) -> None:
        self._counts.count(source, look)
        if look.is_news:
            said = "can be read again" if look.error is None else str(look.error)
            log.warning("%s: %s", visible(self._target.name), visible(said))
        if source == self.memory_source:
            self._note_absence(look)

    def _note_absence(self, look: Look) -> None:
        """A source that fails meanwhile says neither that it is there nor that it is not."""
        if look.outcome is Outcome.OK:
            self._gone = None
        elif look.outcome is Outcome.GONE and look.error is not None and self._gone is None:
            self._gone = self._clock.steady(), look.error
