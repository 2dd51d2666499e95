"""Every source in a thread of its own: one that hangs, fails or is slow delays neither the loop nor another source."""

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from leakwatch.errors import SourceError
from leakwatch.ports import Clock, Source
from leakwatch.quantities import shown
from leakwatch.trace import Sample

LONGEST_PAUSE_SECONDS = 60.0
"""A source that fails is asked again later and later, but never later than this (or its own period)."""

LONGEST_ABSENCE_SECONDS = 15.0
"""The same for a process or container that is not there: its return should not be missed for long."""

HUNG_AFTER_SECONDS = 10.0
"""A look that takes longer than this, and than two periods, is told of while it still lasts."""

KEPT_LOOKS = 4096
"""Looks that nobody has fetched; beyond, the oldest are dropped (an hour and more at a look a second)."""


TOLD_AGAIN_SECONDS = 3600.0
"""A failure that comes and goes is told once an hour for each wording, so that a flapping source is no flood."""

KEPT_WORDINGS = 64
"""How many wordings are remembered; a source that has more of them (a pid in each) starts over."""


class Outcome(StrEnum):
    """What came of a look: the ``outcome`` of ``leakwatch_samples_total``."""

    OK = "ok"
    GONE = "gone"
    FAILED = "failed"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a source.

    Attributes:
        at_seconds: Unix seconds when it began.
        took_seconds: how long it took.
        sample: what was read; None where nothing was.
        error: why nothing was read.
        is_news: to be told: the first failure of its wording within an hour, or the first success after one.
    """

    at_seconds: float
    outcome: Outcome
    took_seconds: float
    sample: Sample | None = None
    error: SourceError | None = None
    is_news: bool = False


class Poller:
    """Asks one source on a steady beat, for ever.

    Failures are counted, told once, and followed by pauses that double up to a minute; a beat that was
    missed is left out, not made up for. The thread is a daemon and alone touches the source, also to close it.
    """

    def __init__(self, source: Source, every_seconds: float, clock: Clock) -> None:
        self.source = source
        self._every_seconds, self._clock = every_seconds, clock
        self._looks: deque[Look] = deque(maxlen=KEPT_LOOKS)
        self._counts: Counter[Outcome] = Counter()
        self._last: tuple[float, Sample] | None = None
        self._began: tuple[float, float] | None = None
        self._told_of: tuple[float, float] | None = None
        self._told: dict[str, float] = {}
        self._told_failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"leakwatch {source.name}", daemon=True)

    def start(self) -> None:
        """Begin, with a look at once."""
        self._thread.start()

    def looks(self) -> tuple[Look, ...]:
        """What has happened since the last call, in order; returns at once. A look that hangs is told of once."""
        looks = []
        with contextlib.suppress(IndexError):  # the thread goes on adding
            while True:
                looks.append(self._looks.popleft())
        began = self._began
        if began is not None and began != self._told_of:
            lasts = self._clock.steady() - began[1]
            if lasts > max(HUNG_AFTER_SECONDS, 2 * self._every_seconds):
                self._told_of = began
                self._counts[Outcome.HUNG] += 1
                what = f"has not answered for {lasts:.0f} s"
                error = SourceError(self.source.name, what, "it is waited for, and nothing else is held up")
                looks.append(Look(began[0], Outcome.HUNG, lasts, error=error, is_news=True))
        return tuple(looks)

    @property
    def last(self) -> Sample | None:
        """The last sample that was read; None before the first."""
        return self._last[1] if self._last else None

    def age_seconds(self) -> float | None:
        """How long ago that was, by the steady clock."""
        return self._clock.steady() - self._last[0] if self._last else None

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many looks ended how, since the start."""
        return dict(self._counts)

    def ask_to_stop(self) -> None:
        """No further look; returns at once."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within that time; a look that hangs is left behind and dies with the process."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures, beat = 0, self._clock.steady()
        while not self._stop.is_set():
            look = self._look()
            failures = 0 if look.error is None else failures + 1
            self._counts[look.outcome] += 1
            self._looks.append(replace(look, is_news=self._is_news(look)))
            self._began = None
            beat = self._next_beat(beat, failures, look.outcome)
            self._stop.wait(max(0.0, beat - self._clock.steady()))
        with contextlib.suppress(Exception):
            self.source.close()

    def _look(self) -> Look:
        at, began = self._clock.now(), self._clock.steady()
        self._began = (at, began)
        try:
            sample = self.source.read(at)
        except SourceError as error:
            outcome = Outcome.GONE if error.gone else Outcome.FAILED
            return Look(at, outcome, self._clock.steady() - began, error=_without_frames(error))
        except Exception as mistake:  # of ours, and it must not end the watch over this target
            what = f"an unexpected {type(mistake).__name__} ({shown(str(mistake), 200)})"
            failure = SourceError(self.source.name, what, "please report it; the source is asked again")
            return Look(at, Outcome.FAILED, self._clock.steady() - began, error=failure)
        ended = self._clock.steady()
        self._last = (ended, sample)
        return Look(at, Outcome.OK, ended - began, sample=sample)

    def _is_news(self, look: Look) -> bool:
        """A wording is told once in a while however often it comes back, and its end where it was told."""
        now, failed = self._clock.steady(), self._told_failing or self._began == self._told_of
        if look.error is None:
            self._told_failing = False
            return failed
        told_at = self._told.get(str(look.error))
        if told_at is not None and now - told_at < TOLD_AGAIN_SECONDS:
            return False
        if len(self._told) >= KEPT_WORDINGS:
            self._told.clear()
        self._told[str(look.error)] = now
        self._told_failing = True
        return True

    def _next_beat(self, beat: float, failures: int, outcome: Outcome) -> float:
        longest = LONGEST_ABSENCE_SECONDS if outcome is Outcome.GONE else LONGEST_PAUSE_SECONDS
        pause = self._every_seconds * 2.0 ** min(max(0, failures - 1), 20)
        due = beat + min(pause, max(longest, self._every_seconds))
        missed = max(0.0, self._clock.steady() - due)
        return due + -(-missed // self._every_seconds) * self._every_seconds


def _without_frames(error: SourceError) -> SourceError:
    """A look is kept, and its error's frames would be with it: up to 32 MiB of a page that was none."""
    one: BaseException | None = error
    while one is not None:
        one.__traceback__, one = None, one.__cause__ or one.__context__
    return error


def stop_all(pollers: Iterable[Poller], within_seconds: float = 2.0, *, clock: Clock) -> tuple[Poller, ...]:
    """Ends all of them together; returns those that hang, which are left behind."""
    pollers = tuple(pollers)
    for poller in pollers:
        poller.ask_to_stop()
    ends_at = clock.steady() + within_seconds
    return tuple(poller for poller in pollers if not poller.wait(ends_at - clock.steady()))
