"""The acting side in a thread of its own: a backend that takes seconds to answer holds up no beat."""

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from leakwatch.act.decision import Case, Decision, Happening, Ruling, What

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
    """Takes cases, and gives back what was decided and what happened; no call waits for a backend."""

    def __init__(self, deeds: Deeds) -> None:
        self._deeds = deeds
        self._wake = threading.Condition()
        self._cases: dict[str, Case] = {}
        self._decisions: dict[str, Decision] = {}
        self._ended = False
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self._thread = threading.Thread(target=self._work, name="acting", daemon=True)
        self._thread.start()

    def offer(self, case: Case) -> None:
        """A case to be considered; it takes the place of an older one of the same target that still waits."""
        with self._wake:
            self._cases[case.target] = case
            self._wake.notify()

    def decisions(self) -> Mapping[str, Decision]:
        """The newest decision of each target, since the last call."""
        with self._wake:
            decisions, self._decisions = self._decisions, {}
        return decisions

    def happenings(self) -> tuple[Happening, ...]:
        """What happened since the last call, counted by what became of it."""
        happened = self._deeds.happenings()
        for one in happened:
            action = one.action or (one.decision.action if one.decision else None)
            would = one.what is What.DECIDED and one.decision is not None and one.decision.ruling is Ruling.WOULD_ACT
            if action is not None and (would or one.what not in (What.DECIDED, What.BEGUN, What.EVIDENCE)):
                self.counts[action.target, str(action.remedy), "dry_run" if would else str(one.what)] += 1
        return happened

    def draining(self) -> frozenset[str]:
        """Targets whose readiness should be off now."""
        return self._deeds.draining()

    def close(self) -> None:
        """End, after what is being considered; an action that has begun is waited for (`Deeds.close` says how long)."""
        with self._wake:
            self._ended = True
            self._wake.notify()
        self._thread.join()
        self._deeds.close()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._cases and not self._ended:
                    self._wake.wait()
                if self._ended:
                    return
                case = self._cases.pop(next(iter(self._cases)))
            try:
                decision = self._deeds.consider(case)
                if decision.ruling is Ruling.ACT:
                    self._deeds.begin(decision)
            except Exception as error:  # of ours; one target's mistake must not end acting on the others
                log.error("acting: unexpected %s; this is a fault of leakwatch", type(error).__name__)
                continue
            with self._wake:
                self._decisions[case.target] = decision
