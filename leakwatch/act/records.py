"""What the ledger remembers, as values: actions, silences, stops and approvals. Ages are in time that surely passed."""

from dataclasses import dataclass

from playbooks.types import Action as Remedy

APPROVAL_HOLDS_SECONDS = 3600.0
"""A yes is for what was asked now; an hour later somebody has to look again."""


@dataclass(frozen=True, slots=True)
class Act:
    """One action, from its intent on.

    Attributes:
        number: counts all actions of this ledger.
        at_seconds: Unix seconds of the intent, for people; ``age_seconds`` is what gates go by.
        life, memory_bytes: of the target when it was begun.
        workload: what the target belongs to; None where the backend knows no workloads.
        ended: whether it is over; an action that was found unfinished at a start is.
        done: whether the backend carried it out; None where nobody knows.
        helped: whether it was verified; None where that is open.
        settled_seconds: how long ago it ended; None while it has not.
    """

    number: int
    target: str
    incident: str
    remedy: Remedy
    backend: str
    at_seconds: float
    age_seconds: float
    life: str | None
    memory_bytes: float | None
    workload: str | None
    ended: bool
    done: bool | None
    helped: bool | None
    detail: str
    settled_seconds: float | None


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is done to a target for so many seconds more; ``until_seconds`` is Unix seconds, for people.

    The name ``serving`` stands for ``serving/POD`` as well.
    """

    target: str
    left_seconds: float
    until_seconds: float
    why: str
    by: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing more is done to a target, nor to its workload, until a person says so."""

    target: str
    workload: str | None
    at_seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to a person.

    Attributes:
        answer: True is yes, False no, None not yet.
        left_seconds: how long a yes holds; None without one.
    """

    target: str
    incident: str
    remedy: Remedy
    reason: str
    asked_seconds: float
    answer: bool | None
    by: str | None
    left_seconds: float | None


@dataclass(frozen=True, slots=True)
class View:
    """The ledger as it stands.

    Attributes:
        revision: rises with every change that may close a gate.
        acts: the latest last; all that are younger than was asked for, and all that are not over.
        silences, stops: those that hold now.
        approvals: the latest question of each target.
        problem: why the ledger cannot be relied on, in one sentence; then nothing else is known, and nothing is done.
    """

    revision: int = 0
    acts: tuple[Act, ...] = ()
    silences: tuple[Silence, ...] = ()
    stops: tuple[Stop, ...] = ()
    approvals: tuple[Approval, ...] = ()
    problem: str | None = None

    def of(self, target: str, workload: str | None = None) -> tuple[Act, ...]:
        """The actions on the target and, where one is named, on its workload, the latest last."""
        return tuple(act for act in self.acts if act.target == target or (workload and act.workload == workload))
