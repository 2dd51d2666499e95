"""The values of acting: a case goes in, a decision comes out, and what happened is told as happenings."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from detectors.types import LiveVerdict
from leakwatch.ports import Action, Outcome
from leakwatch.trace import Trace
from playbooks.types import Diagnosis


@dataclass(frozen=True, slots=True)
class Case:
    """One target as a cycle of the agent saw it.

    Attributes:
        target: its name in the settings.
        incident: the key of the incident that it belongs to; a refusal of approval holds for the incident.
        verdict: what the live detector says now.
        diagnosis: the cause and its remedy; None where nothing was diagnosed.
        memory_bytes: the level of the verdict's metric now; None where it is unknown.
        limit_bytes: the memory limit; None where there is none, or none known.
        model: the model that most of the leak belongs to; None where it is unknown.
        trace: the samples so far, for the evidence; None leaves them out.
        sentences: what else the evidence should say, such as the memory incidents seen.
    """

    target: str
    incident: str
    verdict: LiveVerdict
    diagnosis: Diagnosis | None
    memory_bytes: float | None
    limit_bytes: float | None = None
    model: str | None = None
    trace: Trace | None = None
    sentences: Sequence[str] = ()


class Ruling(StrEnum):
    """What follows from a case."""

    NOTHING = "nothing"  # nothing leaks, or no remedy fits: there is nothing to do
    WAIT = "wait"  # a gate is closed now
    ASK = "ask"  # all is open, and a person has to agree
    WOULD_ACT = "would_act"  # all is open, and this is a dry run
    ACT = "act"  # all is open
    ESCALATE = "escalate"  # no gate will open in time: a person has to do something


@dataclass(frozen=True, slots=True)
class Reason:
    """One gate: whether it is open, and the sentence that says why.

    Attributes:
        gate: its name, as in the table of docs/acting.md.
        passes: whether it lets the action through.
        sentence: with its number and unit.
        opens_in_seconds: how long it stays closed at least; infinite where time alone does not open it, None where
            that is unknown.
    """

    gate: str
    passes: bool
    sentence: str
    opens_in_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about a case, with every reason for and against.

    Attributes:
        at_seconds: Unix seconds when it was made.
        action: what is to be done, or would be where the gates were open; None where there is nothing to do.
        backend: the restarter that carries it out.
        evidence_seconds: how long the evidence may take.
        revision: the state of the ledger that it rests on; it is void once something was begun, stopped or said.
        life: the instance that it was made about, and ``workload`` what that belongs to.
    """

    case: Case
    ruling: Ruling
    reasons: tuple[Reason, ...]
    at_seconds: float
    action: Action | None = None
    backend: str | None = None
    evidence_seconds: float = 0.0
    revision: int = 0
    life: str | None = None
    workload: str | None = None

    @property
    def against(self) -> tuple[Reason, ...]:
        """The gates that are closed."""
        return tuple(reason for reason in self.reasons if not reason.passes)


class What(StrEnum):
    """What happened."""

    DECIDED = "decided"  # the ruling or its closed gates are others than before
    BEGUN = "begun"  # the intent is in the ledger
    EVIDENCE = "evidence"  # the bundle was taken, or could not be
    HELD = "held"  # it came to nothing before anything was touched
    DONE = "done"  # the backend has carried it out
    FAILED = "failed"  # the backend has not, or nobody knows
    BOUGHT_TIME = "bought_time"  # done, and nothing to verify: it leaks on, under a higher limit
    HELPED = "helped"  # verified: a new life, ready, and the memory is back
    NOT_HELPED = "not_helped"  # it was not; nothing more is done until a person says so
    UNFINISHED = "unfinished"  # found at the start: an action that was begun and never ended; it counts as done
    TROUBLE = "trouble"  # the ledger or the disk cannot be relied on


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to tell, and to count.

    Attributes:
        sentence: what happened, with its number and unit.
        page: whether a person has to look now.
        target: None where it is about the agent as a whole.
    """

    at_seconds: float
    what: What
    sentence: str
    target: str | None = None
    page: bool = False
    decision: Decision | None = None
    action: Action | None = None
    outcome: Outcome | None = None
