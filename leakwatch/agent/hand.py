"""The acting side in a thread of its own: a backend that takes seconds to answer holds up no beat."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from leakwatch.act.decision import Case, Decision, Happening, Ruling, What

_SETTLED = frozenset({What.HELD, What.FAILED, What.BOUGHT_TIME, What.HELPED, What.NOT_HELPED, What.UNFINISHED})
"""What ends an action that was begun; one that is done is still being verified."""

log = logging.getLogger(__name__)


class Deeds(Protocol):
    """What is asked of acting, see `leakwatch.act`."""

    def consider(self, case: Case) -> Decision:
        """What is to be done about a case; may take seconds."""

    def begin(self, decision: Decision) -> bool:
        """Carry it out, in a worker's thread."""

    def happenings(self) -> tuple[Happening, ...]:
        """What happened since the last call."""

    def draining(self) -> frozenset[str]:
        """Targets whose readiness should be off now."""

    def close(self) -> None:
        """Give up what has not been acted on yet."""


class Hand:
    """Takes cases, and gives back what was decided and what happened; no call waits for a backend.

    Args:
        make: makes who acts, in the hand's thread; called with the first case, since most agents never have one.
        at_once: called without a case; an earlier agent left something to go on with.
    """

    def __init__(self, make: Callable[[], Deeds], *, at_once: bool = False) -> None:
        self._make = make
        self._deeds: Deeds | None = None
        self._wake = threading.Condition()
        self._cases: dict[str, Case] = {}
        self._decisions: dict[str, Decision] = {}
        self._under_way: set[str] = set()
        self._ended = False
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self._thread: threading.Thread | None = None
        if at_once:
            self._begin()

    @property
    def is_awake(self) -> bool:
        """Whether somebody acts already, and wants to hear of every target that was judged."""
        return self._thread is not None

    @property
    def is_acting(self) -> bool:
        """Whether an action was begun that is neither over nor verified yet."""
        return bool(self._under_way)

    def offer(self, case: Case) -> None:
        """A case to be considered; it takes the place of an older one of the same target that still waits."""
        with self._wake:
            self._cases[case.target] = case
            self._wake.notify()
        if self._thread is None:
            self._begin()

    def decisions(self) -> Mapping[str, Decision]:
        """The newest decision of each target, since the last call."""
        with self._wake:
            decisions, self._decisions = self._decisions, {}
        return decisions

    def happenings(self) -> tuple[Happening, ...]:
        """What happened since the last call, counted by what became of it."""
        happened = self._deeds.happenings() if self._deeds is not None else ()
        for one in happened:
            if one.target is not None and one.what is What.BEGUN:
                self._under_way.add(one.target)
            elif one.target is not None and one.what in _SETTLED:
                self._under_way.discard(one.target)
            action = one.action or (one.decision.action if one.decision else None)
            would = one.what is What.DECIDED and one.decision is not None and one.decision.ruling is Ruling.WOULD_ACT
            if action is not None and (would or one.what not in (What.DECIDED, What.BEGUN, What.EVIDENCE)):
                self.counts[action.target, str(action.remedy), "dry_run" if would else str(one.what)] += 1
        return happened

    def draining(self) -> frozenset[str]:
        """Targets whose readiness should be off now."""
        return self._deeds.draining() if self._deeds is not None else frozenset()

    def close(self) -> None:
        """End, after what is being considered; an action that has begun is waited for (`Deeds.close` says how long)."""
        with self._wake:
            self._ended = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        if self._deeds is not None:
            self._deeds.close()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._work, name="acting", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        deeds = self._deeds = self._make()
        while True:
            with self._wake:
                while not self._cases and not self._ended:
                    self._wake.wait()
                if self._ended:
                    return
                case = self._cases.pop(next(iter(self._cases)))
            try:
                decision = deeds.consider(case)
                if decision.ruling is Ruling.ACT:
                    deeds.begin(decision)
            except Exception as error:  # of ours; one target's mistake must not end acting on the others
                log.error("acting: unexpected %s; this is a fault of leakwatch", type(error).__name__)
                continue
            with self._wake:
                self._decisions[case.target] = decision
