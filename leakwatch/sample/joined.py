"""One target's sources, each in its thread, and what they told since the last call as one stream of samples."""

from collections.abc import Callable, Iterator, Sequence

from leakwatch.ports import Clock, Source
from leakwatch.sample.poller import Look, Poller
from leakwatch.trace import Sample

STALE_PERIODS = 3.0
"""What a page told is put beside the memory for so many periods; then it is no longer known."""


class JoinedSources:
    """Asks the memory's source and the pages', if there are any, on the beat.

    Args:
        sources: the memory's first.
        heard: is told of every look, good or bad, with the name of its source.
    """

    def __init__(
        self, sources: Sequence[Source], every_seconds: float, clock: Clock, heard: Callable[[str, Look], None]
    ) -> None:
        self.pollers = tuple(Poller(source, every_seconds, clock) for source in sources)
        self._memory, *self._pages = self.pollers
        self._stale_seconds, self._heard = STALE_PERIODS * every_seconds, heard

    @property
    def memory(self) -> Source:
        """The source that tells the memory."""
        return self._memory.source

    @property
    def memory_age_seconds(self) -> float | None:
        """How long ago the memory was last read; None before the first time."""
        return self._memory.age_seconds()

    def start(self) -> None:
        """Begin with a look at once."""
        for poller in self.pollers:
            poller.start()

    def samples(self) -> Iterator[tuple[Sample, bool]]:
        """Samples since the last call, each with whether the memory is in it.

        A sample of the memory holds what the pages told last; while there is none, the pages' own come without it.
        """
        pages = [look.sample for page in self._pages for look in self._looks(page) if look.sample is not None]
        told = {name: value for page in self._pages for name, value in self._fresh(page)}
        looks = [look.sample for look in self._looks(self._memory) if look.sample is not None]
        for sample in looks:
            yield Sample(sample.time_seconds, {**told, **sample.values}, sample.life), True
        if not looks and not self._is_fresh(self._memory):
            yield from ((sample, False) for sample in pages)

    def _fresh(self, page: Poller) -> Iterator[tuple[str, float]]:
        if page.last is not None and self._is_fresh(page):
            yield from page.last.values.items()

    def _is_fresh(self, poller: Poller) -> bool:
        age = poller.age_seconds()
        return age is not None and age <= self._stale_seconds

    def _looks(self, poller: Poller) -> tuple[Look, ...]:
        looks = poller.looks()
        for look in looks:
            self._heard(poller.source.name, look)
        return looks
