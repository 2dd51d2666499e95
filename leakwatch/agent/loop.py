"""The loop: sample, detect, diagnose, act, tell; once a beat, for ever."""

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from detectors.types import Level, LiveVerdict
from leakwatch.act.decision import Decision, Happening, What
from leakwatch.agent.clock_steps import ClockSteps
from leakwatch.agent.hand import Hand
from leakwatch.agent.log_reading import LogReading
from leakwatch.agent.looking import LookCounts
from leakwatch.agent.newsroom import news_of
from leakwatch.agent.watched import GONE_SECONDS, KILLS_NOTE, Watched
from leakwatch.ports import Clock, Source
from leakwatch.sample.history import History
from leakwatch.sample.poller import stop_all
from leakwatch.settings import Settings, TargetSettings
from leakwatch.tell import units
from leakwatch.tell.incident import News
from leakwatch.tell.metrics_page import PageState
from leakwatch.tell.telling import Telling

if TYPE_CHECKING:
    from leakwatch.diagnose import Trees

MISSED_BEATS, LEAST_LATE_SECONDS = 3, 2.0
"""The agent is not well after so many beats; with fast beats a pause of the machine is no illness."""

_NO_TARGET = ""
_SEEN_NOTE = "seen_until"

log = logging.getLogger(__name__)


class Flag(Protocol):
    """Set from elsewhere while the agent runs: a `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether it is."""


class Agent:
    """Everything that runs between two readings of the settings.

    Args:
        settings: what is watched, and how; its ``state_dir`` is there, and ours.
        clock: the only reader of the time.
        sources: the sources of a target, the memory's first.
        telling: where messages go; closed by whoever made it.
        hand: who acts; None: nobody does. Closed by whoever made it.
        decided: hears of every decision; returns at once.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        sources: Callable[[TargetSettings], Sequence[Source]],
        telling: Telling,
        hand: Hand | None = None,
        decided: Callable[[Decision], None] | None = None,
    ) -> None:
        self._settings, self._clock, self._telling, self._hand = settings, clock, telling, hand
        self._decided = decided
        self._trees = _trees(settings)
        self._steps, self.looks, now = ClockSteps(clock), LookCounts(), clock.now()
        self.history = History(Path(settings.state_dir) / "history.sqlite", now)
        seen = self.history.notes(_NO_TARGET).get(_SEEN_NOTE)
        self._logs = LogReading(settings.targets, None if seen is None else float(seen))
        many = len(settings.targets)
        self.watched = tuple(
            Watched(target, settings, sources(target), clock, self.looks, number / many)
            for number, target in enumerate(settings.targets)
        )
        for one in self.watched:
            kept = one.restore(self.history, now)
            log.info("%s: watched from here; %s known", units.visible(one.name), units.count(kept, "earlier sample"))
            one.state.conditions.resume(telling.incident(one.name).conditions, now)
        for name in self.history.targets():
            self.history.thin_out(name, now)
        self.beat_at, self.cycles, self.page = clock.steady(), 0, PageState()
        self._trouble: str | None = None
        self._deciding: set[str] = set()

    def start(self) -> None:
        """Have the sources asked from now on."""
        for one in self.watched:
            one.looking.start()

    def run(self, stop: threading.Event, reload: Flag | None = None, cycles: int | None = None) -> None:
        """Beat until ``stop`` or ``reload`` is set, or for so many cycles; a missed beat is not made up for.

        The beat lies half a period after the sources': each sample is on the disk before the next one is taken.
        """
        every, beat = self._settings.sample_every_seconds, 0
        begun = self._clock.steady() + every / 2
        stop.wait(every / 2)
        while not stop.is_set() and not (reload and reload.is_set()) and self.cycles != cycles:
            self.cycle()
            beat = max(beat + 1, int((self._clock.steady() - begun) / every))
            stop.wait(max(0.0, begun + beat * every - self._clock.steady()))

    def cycle(self) -> None:
        """One beat: the five verbs, for each target."""
        now, steady = self._clock.now(), self._clock.steady()
        step = self._follow_the_clock(now)
        self._read_logs(now, steady)
        decisions = self._hand.decisions() if self._hand else {}
        happened = self._hand.happenings() if self._hand else ()
        self._deciding -= decisions.keys()
        if self._decided is not None:
            for decision in decisions.values():
                self._decided(decision)
        for one in self.watched:
            if any(what.target == one.name and what.what in (What.BEGUN, What.DONE) for what in happened):
                one.state.acted_at = now
            one.sample(self.history, now, step)
        self._keep(now)
        for one in self.watched:
            own = [what for what in happened if what.target == one.name]
            one.detect(now, steady)
            verdict = one.diagnose(self.history, self._trees, now)
            asked = self._has_to_be_considered(verdict)
            if asked:
                self._deciding.add(one.name)
            self._tell(one, decisions.get(one.name), own, now)
            if verdict is not None and asked:  # after its incident was opened, whose key the ledger keeps
                self._offer(one, verdict, now)
        self._let_go(now)
        self._look_after_the_disk(now, happened)
        self.beat_at, self.cycles, self.page = self._clock.steady(), self.cycles + 1, self._page()

    def misses_beats(self) -> bool:
        """Whether three beats have passed without one being done; asked by another thread."""
        late = self._clock.steady() - self.beat_at
        return late > max(MISSED_BEATS * self._settings.sample_every_seconds, LEAST_LATE_SECONDS)

    @property
    def is_acting(self) -> bool:
        """Whether an action is under way, or being verified."""
        return self._hand is not None and self._hand.is_acting

    @property
    def draining(self) -> frozenset[str]:
        """Targets whose readiness should be off now; asked by another thread."""
        return self._hand.draining() if self._hand else frozenset()

    def close(self, within_seconds: float) -> None:
        """End; a source that hangs is left behind."""
        pollers = [poller for one in self.watched for poller in one.looking.pollers]
        stop_all(pollers, within_seconds, clock=self._clock)
        self._logs.close()
        self.history.flush(self._clock.now())
        self.history.close()

    def _page(self) -> PageState:
        return PageState(
            tuple(one.page() for one in self.watched),
            dict(self._hand.counts) if self._hand else {},
            self._telling.counts(),
            dict(self.looks.outcomes),
            tuple(self.looks.durations),
            self.looks.seconds,
        )

    def _read_logs(self, now: float, steady: float) -> None:
        by_name = {one.name: one for one in self.watched}
        for told in self._logs.news(steady):
            for one in map(by_name.__getitem__, told.targets):
                if one.state.observe_incident(told.log, told.incident, told.kind, now, own_log=told.own_log):
                    self.history.note(one.name, KILLS_NOTE, one.state.kills.as_note())

    def _follow_the_clock(self, now: float) -> float:
        """By how many seconds it was set; the past is moved with it."""
        step = self._steps.step_seconds()
        if step:
            log.warning("the clock was set by %.0f s; what is remembered is moved with it", step)
            self.history.flush(now)
            self.history.shift(step)
            for one in self.watched:
                one.shift(step, self.history, now)
        return step

    def _has_to_be_considered(self, verdict: LiveVerdict | None) -> bool:
        """Where it leaks, or where somebody acts already and waits to see whether that helped."""
        return verdict is not None and self._hand is not None and (verdict.level is Level.LEAK or self._hand.is_awake)

    def _offer(self, one: Watched, verdict: LiveVerdict, now: float) -> None:
        if self._hand is not None:
            incident = self._telling.incident(one.name).key or one.name
            self._hand.offer(one.case(verdict, incident, self.history, now))

    def _tell(self, one: Watched, decision: Decision | None, happened: Sequence[Happening], now: float) -> None:
        state, diagnosis = one.state, one.cause.diagnosis if one.cause else None
        deciding = one.is_being_diagnosed or one.name in self._deciding
        pending = state.take_pending()
        news = news_of(
            state.verdict,
            state.limit_bytes if state.verdict is None else state.judged_limit_bytes,
            diagnosis,
            pending,
            decision,
            happened,
            deciding=deciding,
            gone=one.gone,
        )
        self._telling.happened(one.name, news, now, partial(one.recent, self.history, now))

    def _let_go(self, now: float) -> None:
        """Incidents of targets that are not among ours and gave no sample for a while end, and are told to have: a pod
        that went, a target that was taken out of the settings. One that comes back in between goes on in its own."""
        for name in self._telling.open_elsewhere():
            if not any(self.history.samples(name, now - GONE_SECONDS, now)):
                self._telling.happened(name, News(gone="gone, or no longer among the targets"), now)

    def _keep(self, now: float) -> None:
        """Samples and kills are on the disk before anything takes time: kill -9 costs no more than the newest."""
        self.history.note(_NO_TARGET, _SEEN_NOTE, repr(now))
        self.history.flush(now)

    def _look_after_the_disk(self, now: float, happened: Sequence[Happening]) -> None:
        """Thin out one target's past, and say what is wrong with what is kept, once."""
        self.history.thin_out(self.watched[self.cycles % len(self.watched)].name, now)
        for one in happened:
            if one.target is None:
                log.warning("%s", units.visible(one.sentence))
        troubles = (self.history.moved_aside, self.history.trouble, self._telling.trouble)
        trouble = "; ".join(one for one in troubles if one is not None) or None
        if trouble is not None and self._trouble is None:
            log.warning("%s", units.visible(trouble))
        if trouble is None and self._trouble is not None:
            log.warning("the state is kept on the disk again")
        self._trouble, self.history.moved_aside = trouble, None


def _trees(settings: Settings) -> "Trees | None":
    """The user's playbooks over the built-in ones; None for those alone, which are read when they are needed.

    Raises:
        SettingsError: with every mistake of every tree.
    """
    if not settings.playbooks:
        return None
    from leakwatch.diagnose import read_trees

    return read_trees(settings.playbooks)
