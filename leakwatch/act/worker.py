"""One action in a thread of its own: lease, intent, evidence, drain, act, and until the new life is ready.

The intent is in the ledger before anything is touched. Killed at any line after it, the next agent finds it there.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from leakwatch.act.decision import Decision, Happening, What
from leakwatch.act.evidence import About, take
from leakwatch.act.known import known_parts
from leakwatch.act.ledger import Ledger
from leakwatch.errors import ActError
from leakwatch.ports import Action, Clock, Outcome, Probe, Restarter, Standing
from leakwatch.settings import ActSettings
from playbooks.types import Action as Remedy

_LOOK_EVERY_SECONDS = 0.5
_CLOSE_WITHIN_SECONDS = 30.0

Tell = Callable[[Happening], None]


class Worker:
    """Carries out one decision at a time; what happens is told by ``tell``, from its thread.

    Attributes:
        raised: to how many bytes the limit of a target was raised last.
    """

    def __init__(self, settings: ActSettings, state_dir: Path, ledger: Ledger, clock: Clock, tell: Tell) -> None:
        self._settings, self._state_dir, self._ledger, self._clock, self._tell = (
            settings,
            state_dir,
            ledger,
            clock,
            tell,
        )
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._decision: Decision | None = None
        self._draining = False
        self.raised: dict[str, float] = {}

    def busy_with(self) -> str | None:
        """The target that is being acted on."""
        decision = self._decision
        return decision.case.target if decision is not None and self._alive() else None

    def draining(self) -> str | None:
        """The target whose readiness should be off: from the drain until its new life is ready."""
        return self.busy_with() if self._draining else None

    def start(self, decision: Decision, restarter: Restarter, probes: Sequence[Probe]) -> bool:
        """False where another decision is being carried out, or the agent is ending."""
        if self._alive() or self._closing.is_set():
            return False
        self._decision = decision
        self._thread = threading.Thread(target=self._run, args=(decision, restarter, probes), name="act", daemon=True)
        self._thread.start()
        return True

    def close(self) -> None:
        """What is not yet acted on is given up; an action that has begun is waited for, but not for ever."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_CLOSE_WITHIN_SECONDS)

    def _alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self, decision: Decision, restarter: Restarter, probes: Sequence[Probe]) -> None:
        try:
            lease = restarter.lease()
            if lease is not None and not lease.acquire(self._clock.now()):
                self._say(decision, What.HELD, "another agent acts on this workload")
                return
            try:
                self._with_lease(decision, restarter, probes, lambda: lease is None or lease.held(self._clock.now()))
            finally:
                if lease is not None:
                    lease.release()
        except ActError as error:
            self._say(decision, What.HELD, str(error), page=True)
        except Exception as error:  # a thread that dies in silence would look like one that acts
            self._say(decision, What.HELD, f"unexpected {type(error).__name__}: {error}", page=True)
        finally:
            self._draining = False

    def _with_lease(
        self, decision: Decision, restarter: Restarter, probes: Sequence[Probe], held: Callable[[], bool]
    ) -> None:
        action = decision.action
        number = self._ledger.intend(decision)
        if number is None or action is None:
            self._say(decision, What.HELD, "something else was done or said since the decision; it is made again")
            return
        self._say(decision, What.BEGUN, f"{action.remedy} of {action.target} is begun: {action.reason}")
        self._take_evidence(decision, number, probes)
        why = self._obstacle(decision, action, restarter, held)
        if why is not None:
            self._end(decision, number, Outcome(False, f"{why}; nothing was touched", 0.0))
            return
        outcome = self._carried_out(decision, number, restarter, action, held)
        if outcome is not None and outcome.done and action.remedy is Remedy.RAISE_LIMIT:
            self.raised[action.target] = float(action.limit_bytes or 0.0)
        elif outcome is not None and outcome.done:
            self._wait_until_ready(decision, restarter, held)

    def _take_evidence(self, decision: Decision, number: int, probes: Sequence[Probe]) -> None:
        case = decision.case
        about = About(case.target, decision.action.reason if decision.action else "", decision.at_seconds)
        known, within = known_parts(decision), decision.evidence_seconds
        bundle = take(self._state_dir, about, known, probes, self._settings.evidence, within)
        with suppress(ActError):  # a full disk is told, and is no reason to let the container be killed
            self._ledger.evidence(number, bundle.sentence)
        self._say(decision, What.EVIDENCE, bundle.sentence, page=bundle.path is None)

    def _obstacle(
        self, decision: Decision, action: Action, restarter: Restarter, held: Callable[[], bool]
    ) -> str | None:
        """What has changed while the evidence was taken and the traffic drained; None where it may be acted."""
        if not self._drained(action):
            return "the agent is ending"
        if not self._still(held):
            return "the lease was lost"
        try:
            standing = restarter.standing(self._clock.now())
        except ActError as error:
            return f"its state has become unknown ({error})"
        if "life" not in standing.not_applicable and standing.life != decision.life:
            return "it was restarted by somebody else meanwhile"
        return None

    def _drained(self, action: Action) -> bool:
        """Waits with readiness off; False where the agent is ending."""
        self._draining = action.drain_seconds > 0
        end = self._clock.steady() + action.drain_seconds
        while (left := end - self._clock.steady()) > 0:
            if self._closing.wait(min(left, _LOOK_EVERY_SECONDS)):
                return False
        return not self._closing.is_set()

    def _still(self, held: Callable[[], bool]) -> bool:
        try:
            return held()
        except ActError:
            return False

    def _carried_out(
        self, decision: Decision, number: int, restarter: Restarter, action: Action, held: Callable[[], bool]
    ) -> Outcome | None:
        """None where nobody knows whether it was done."""
        began = self._clock.steady()
        try:
            outcome = restarter.carry_out(action, lambda: self._still(held))
        except ActError as error:
            self._end(decision, number, None, str(error))
            return None
        except Exception as error:  # a fault of ours or of a library: no less unknown
            self._end(decision, number, None, f"unexpected {type(error).__name__}: {error}")
            return None
        took = self._clock.steady() - began
        self._end(decision, number, Outcome(outcome.done, outcome.detail, max(outcome.took_seconds, took)))
        return outcome

    def _end(self, decision: Decision, number: int, outcome: Outcome | None, why: str = "") -> None:
        what = What.DONE if outcome is not None and outcome.done else What.FAILED
        sentence = outcome.detail if outcome is not None else f"nobody knows whether it was done: {why}"
        told = outcome or Outcome(False, sentence, 0.0)
        try:
            self._ledger.end(number, outcome, sentence)
        except ActError as error:  # it stays unfinished there, which counts as done
            self._say(decision, What.TROUBLE, str(error), page=True)
        self._say(decision, what, sentence, told, page=what is What.FAILED)

    def _wait_until_ready(self, decision: Decision, restarter: Restarter, held: Callable[[], bool]) -> None:
        """Keeps the lease and the readiness off until a new life serves; whether it helped is judged later."""
        end = self._clock.steady() + self._settings.verify_seconds
        while self._clock.steady() < end and not self._closing.is_set():
            with suppress(ActError):
                if renewed(restarter.standing(self._clock.now()), decision.life):
                    return
            if not self._still(held) or self._closing.wait(_LOOK_EVERY_SECONDS):
                return

    def _say(
        self, decision: Decision, what: What, sentence: str, outcome: Outcome | None = None, page: bool = False
    ) -> None:
        now, target = self._clock.now(), decision.case.target
        self._tell(Happening(now, what, sentence, target, page, decision, decision.action, outcome))


def renewed(standing: Standing, life_before: str | None) -> bool:
    """Whether a new life serves; where the backend knows no lives, whether it serves."""
    other = "life" in standing.not_applicable or (standing.life is not None and standing.life != life_before)
    return other and standing.ready is True
