"""Acting as the agent sees it: consider a case, begin what is decided, hear what happened."""

import fcntl
import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from leakwatch.act.audit import Audit
from leakwatch.act.decision import Case, Decision, Happening, Ruling, What
from leakwatch.act.ledger import Ledger
from leakwatch.act.policy import choose, decide, worth_asking
from leakwatch.act.records import Act, View
from leakwatch.act.wording import duration
from leakwatch.act.worker import Worker, renewed
from leakwatch.errors import ActError
from leakwatch.ports import Clock, Probe, Restarter, Standing
from leakwatch.settings import ActSettings
from playbooks.types import Action as Remedy

LOCK_NAME = "acting.lock"
_KEPT_HAPPENINGS = 1000
_LOST_AFTER_SECONDS = 300.0
"""Beyond the time to verify: a pod that was evicted has another name afterwards, and is not considered again."""
_LIMIT_SEEN_SECONDS = 60.0
"""So long at most a raised limit is waited for in the samples; a cluster renews its numbers every 10 to 60 s."""


class Acting:
    """May we act on a case, and if so, act; one action at a time.

    Args:
        state_dir: where ledger, audit and evidence are; it is made where there is none.
        restarters, probes: by target's name; looked up at each use, so that both may change while we run.
        clock: its ``steady`` as `leakwatch.act.ledger_file.LedgerFile` needs it.
        boot: names the boot of the machine; None reads it.
    """

    def __init__(
        self,
        settings: ActSettings,
        state_dir: Path,
        restarters: Mapping[str, Sequence[Restarter]],
        probes: Mapping[str, Sequence[Probe]],
        clock: Clock,
        boot: str | None = None,
    ) -> None:
        self._settings, self._state_dir, self._clock = settings, state_dir, clock
        self._restarters, self._probes = restarters, probes
        self._ledger, self._audit = Ledger(state_dir, clock, boot), Audit(state_dir)
        self._worker = Worker(settings, state_dir, self._ledger, clock, self._tell)
        self._happened: deque[Happening] = deque(maxlen=_KEPT_HAPPENINGS)
        self._guard = threading.Lock()
        self._lock_handle: int | None = None
        self._trouble: str | None = None
        self._told: dict[str, tuple[Ruling, frozenset[str]]] = {}

    def consider(self, case: Case) -> Decision:
        """What is to be done about a case, with all reasons; touches nothing, may take seconds to ask the backend."""
        now, view = self._clock.now(), self._view()
        view = self._verified(case, view)
        offers = self._offers(case.target)
        standing, unknown = self._standing(case, view, offers)
        names = {remedy: restarter.name for remedy, restarter in offers.items()}
        decision = decide(case, standing, view, self._settings, now, names, unknown)
        if decision.ruling is Ruling.ASK and decision.action is not None:
            self._ask(decision)
        self._record(decision)
        return decision

    def begin(self, decision: Decision) -> bool:
        """Carry it out in the worker's thread; False where that is busy, or the ruling is not to act."""
        if decision.ruling is not Ruling.ACT or decision.action is None or decision.action.dry_run:
            return False
        restarter = self._offers(decision.case.target).get(decision.action.remedy)
        if restarter is None or self._lock_handle is None:
            return False
        return self._worker.start(decision, restarter, self._probes.get(decision.case.target, ()))

    def happenings(self) -> tuple[Happening, ...]:
        """What happened since the last call."""
        with self._guard:
            happened = tuple(self._happened)
            self._happened.clear()
        return happened

    def draining(self) -> frozenset[str]:
        """Targets whose readiness should be off now."""
        target = self._worker.draining()
        return frozenset(() if target is None else (target,))

    def busy(self) -> bool:
        """Whether something is being carried out."""
        return self._worker.busy_with() is not None

    def close(self) -> None:
        """Gives up what has not been acted on yet; a later agent goes on from the ledger."""
        self._worker.close()
        self._audit.close()
        if self._lock_handle is not None:
            os.close(self._lock_handle)
            self._lock_handle = None

    def _view(self) -> View:
        """The ledger; where it cannot be relied on, that is its problem, and is told once."""
        try:
            self._take_over()
            settings = self._settings
            view = self._ledger.view(max(settings.budget.per_seconds, settings.cooldown_seconds))
        except (ActError, OSError) as error:
            view = View(problem=str(error))
        if view.problem is not None and view.problem != self._trouble:
            self._tell(Happening(self._clock.now(), What.TROUBLE, view.problem, page=True))
        self._trouble = view.problem
        return view

    def _take_over(self) -> None:
        """Once: claim the folder, and end what an earlier agent began and never ended."""
        if self._lock_handle is not None:
            return
        self._state_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._state_dir / LOCK_NAME, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unfinished = self._ledger.take_over()
        except BlockingIOError as error:
            os.close(handle)
            fix = "give each agent a state_dir of its own"
            raise ActError("ledger", f"another agent acts from {self._state_dir}", fix) from error
        except BaseException:
            os.close(handle)
            raise
        self._lock_handle = handle
        for act in unfinished:
            sentence = (
                f"{act.remedy} of {act.target} was begun {duration(act.age_seconds)} ago and the agent ended before it "
                "was over; it counts as done"
            )
            self._tell(Happening(self._clock.now(), What.UNFINISHED, sentence, act.target, page=True))

    def _offers(self, target: str) -> dict[Remedy, Restarter]:
        """The first restarter for each remedy."""
        offers: dict[Remedy, Restarter] = {}
        for restarter in self._restarters.get(target, ()):
            for remedy in restarter.remedies():
                offers.setdefault(remedy, restarter)
        return offers

    def _standing(self, case: Case, view: View, offers: Mapping[Remedy, Restarter]) -> tuple[Standing | None, str]:
        names = {remedy: restarter.name for remedy, restarter in offers.items()}
        remedy, _ = choose(case, view, names)
        if remedy is None or not worth_asking(case, self._settings):
            return None, "the backend was not asked, since nothing is to be done yet"
        try:
            return offers[remedy].standing(self._clock.now()), ""
        except ActError as error:
            return None, str(error)

    def _ask(self, decision: Decision) -> None:
        case, action = decision.case, decision.action
        try:
            if action is not None:
                self._ledger.ask(case.target, case.incident, action.remedy, action.reason)
        except ActError as error:
            self._tell(Happening(self._clock.now(), What.TROUBLE, str(error), case.target, page=True))

    def _verified(self, case: Case, view: View) -> View:
        """Settles actions of the target whose end has come: it helped, or its time is over."""
        busy = self._worker.busy_with()
        open_acts = [act for act in view.acts if act.ended and act.done and act.helped is None and act.target != busy]
        for act in open_acts:
            if act.target == case.target:
                self._settle(case, act)
            elif (act.settled_seconds or 0.0) > self._settings.verify_seconds + _LOST_AFTER_SECONDS:
                self._close(act, False, f"{act.remedy} of {act.target}: nothing was heard of the target since")
        return self._view() if open_acts else view

    def _settle(self, case: Case, act: Act) -> None:
        if act.remedy is Remedy.RAISE_LIMIT:
            self._settle_limit(case, act)
            return
        restarter = self._offers(case.target).get(act.remedy)
        standing: Standing | None = None
        try:
            standing = restarter.standing(self._clock.now()) if restarter is not None else None
            missing = self._missing(case, act, standing)
        except ActError as error:
            missing = str(error)
        ended = act.settled_seconds or 0.0
        if missing and ended < self._settings.verify_seconds:
            return
        helped = not missing
        if helped:
            sentence = f"{act.remedy} of {act.target} helped: it is ready, and its memory has fallen"
            if standing is not None and standing.elsewhere:
                sentence = f"{act.remedy} of {act.target} helped: it has gone, and what stands in its place is ready"
        else:
            sentence = f"{act.remedy} of {act.target} did not help within {duration(ended)}: {missing}"
        self._close(act, helped, sentence, stop=not helped and act.remedy is Remedy.RESTART)

    def _settle_limit(self, case: Case, act: Act) -> None:
        """A forecast of before would have it restarted at once, and the time that was bought would be thrown away."""
        wanted, ended = self._worker.raised.get(act.target, 0.0), act.settled_seconds or 0.0
        if (case.limit_bytes or 0.0) >= wanted or ended >= _LIMIT_SEEN_SECONDS:
            self._close(act, True, f"the raised limit of {act.target} has bought time; it leaks on", What.BOUGHT_TIME)

    def _close(self, act: Act, helped: bool, sentence: str, what: What | None = None, stop: bool = False) -> None:
        try:
            self._ledger.settle(act.number, helped, sentence if stop else None)
        except ActError as error:
            self._tell(Happening(self._clock.now(), What.TROUBLE, str(error), act.target, page=True))
            return
        what = what or (What.HELPED if helped else What.NOT_HELPED)
        self._tell(Happening(self._clock.now(), what, sentence, act.target, page=stop))

    def _missing(self, case: Case, act: Act, standing: Standing | None) -> str | None:
        """What is still missing for it to have helped; None where nothing is."""
        if standing is None:
            return "its backend is not there any more"
        if act.remedy is Remedy.RESTART and not renewed(standing, act.life):
            return "it is not ready" if standing.ready is False else "no new life is seen to be ready"
        if standing.elsewhere:  # the samples end with what has gone, and its successor is a target of its own
            return None
        if case.memory_bytes is not None and act.memory_bytes is not None and case.memory_bytes >= act.memory_bytes:
            return "its memory is no lower than before"
        return "its limit is as near as before" if worth_asking(case, self._settings) else None

    def _record(self, decision: Decision) -> None:
        """Every decision about a leak is in the audit; one that differs from the one before is told."""
        target = decision.case.target
        said = (decision.ruling, frozenset(reason.gate for reason in decision.against))
        before = self._told.get(target)
        self._told[target] = said
        if decision.ruling is not Ruling.NOTHING or said != before:
            self._audit.decision(decision)
        if said != before and (decision.ruling is not Ruling.NOTHING or before is not None):
            sentence = "; ".join(reason.sentence for reason in decision.against) or "every gate is open"
            page = decision.ruling is Ruling.ESCALATE
            self._tell(Happening(decision.at_seconds, What.DECIDED, sentence, target, page, decision, decision.action))

    def _tell(self, happening: Happening) -> None:
        self._audit.happening(happening)
        with self._guard:
            self._happened.append(happening)
