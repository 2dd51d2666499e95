"""The seams of the agent: what it asks of the world (protocols), and the values that pass through them.

An adapter is any object that has the methods; nothing is inherited and nothing is registered.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from leakwatch.errors import LeakwatchError
from leakwatch.trace import Sample, Trace
from playbooks.types import Action as Remedy
from playbooks.types import Diagnosis

# ---------------------------------------------------------------------------------------------------------------------
# Sampling
# ---------------------------------------------------------------------------------------------------------------------


class Source(Protocol):
    """Where samples of one container come from: one file in `leakwatch.sample` each.

    ``read`` may block (the loop gives every source a thread of its own); it raises `leakwatch.errors.SourceError` where
    it cannot read now, and the loop tries again, later and later.
    """

    @property
    def name(self) -> str:
        """One word for metrics and messages: ``cgroup``, ``process``, ``docker``, ``tf_serving``, ..."""

    @property
    def blind_to(self) -> tuple[str, ...]:
        """What it cannot see from here, a sentence each, with the line that would mend it."""

    def read(self, now_seconds: float) -> Sample:
        """What is true now; ``now_seconds`` is stamped on it."""

    def close(self) -> None:
        """Let go of sockets and files; may be called twice."""


class History(Protocol):
    """A source that knows the past as well, so that an agent that starts late can judge at once."""

    def history(self, since_seconds: float, until_seconds: float) -> Trace:
        """The samples between two moments; raises `leakwatch.errors.SourceError`."""


Labelled = tuple[dict[str, str], Trace | None]
"""A container of a fleet: namespace, pod, container, workload, image, node as far as known, and its trace; None where
the source itself can say that it holds still."""


class Chunk(Protocol):
    """Some containers of a fleet, wherever they lie; it travels to whoever judges them, maybe another machine."""

    @property
    def number(self) -> int:
        """Its place among all chunks, from 0."""

    def read(self) -> Iterator[Labelled | LeakwatchError]:
        """Each container, or what went wrong where others go on."""


@dataclass(frozen=True, slots=True)
class EvidencePart:
    """One file of the evidence bundle: its name in the archive, its bytes, and what went wrong (None: nothing)."""

    name: str
    content: bytes
    error: str | None = None


class Probe(Protocol):
    """Takes one kind of evidence of a container before anything is done to it."""

    @property
    def name(self) -> str:
        """Name of the file that it makes: ``smaps_rollup.txt``."""

    def collect(self, deadline_seconds: float) -> EvidencePart:
        """Take it within so many seconds from now; never raises, what went wrong is the part's error."""


# ---------------------------------------------------------------------------------------------------------------------
# Acting
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done to one target, and why.

    Attributes:
        remedy: reload_model, raise_limit or restart; how a restart is done is the backend's matter.
        target: the target's name in the settings.
        reason: one sentence.
        dry_run: tell what would be done, and do nothing.
        drain_seconds: how long to let requests end before the stop (0: not at all).
        stop_seconds: how long the process may take to end by itself.
        model: which model is to be reloaded; None where the remedy is not about one.
        limit_bytes: the limit to raise to; None where the remedy is not about one.
    """

    remedy: Remedy
    target: str
    reason: str
    dry_run: bool
    drain_seconds: float
    stop_seconds: float
    model: str | None = None
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action ended: whether it was done, one sentence, and how long it took."""

    done: bool
    detail: str
    took_seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What the backend knows of a target before anything is done to it; None is unknown, and unknown means hold.

    A gate that the backend cannot have (replicas with a bare process) is named in ``not_applicable`` and passes.

    Attributes:
        life: names the running instance: another one than before is a restart.
        uptime_seconds: of that instance.
        ready: whether it serves now.
        other_replicas_ready: how many others of its workload serve.
        rollout_in_progress: whether its workload is changing already, or is paused.
        disruptions_allowed: how many pods of its budget may go now; the smallest where several budgets select it.
        workload: names all replicas together; at most one of a workload is acted on at a time.
        not_applicable: names of gates that this backend cannot have: ``life``, ``uptime``, ``replicas``,
            ``disruption_budget``, ``lease``, ``rollout``, and ``drain`` where nothing can be drained from here.
        elsewhere: what the target names has gone for good, as an evicted pod has; the rest is of what stands in its
            place, of which the target's samples say nothing.
    """

    life: str | None
    uptime_seconds: float | None
    ready: bool | None
    other_replicas_ready: int | None = None
    rollout_in_progress: bool | None = None
    disruptions_allowed: int | None = None
    workload: str | None = None
    not_applicable: frozenset[str] = frozenset()
    elsewhere: bool = False


class Lease(Protocol):
    """A claim on one workload that two agents cannot hold at once. Raises `leakwatch.errors.ActError` where unknown."""

    def acquire(self, now_seconds: float) -> bool:
        """Whether it is ours now; False where another holds it."""

    def held(self, now_seconds: float) -> bool:
        """Renews it; False where it was lost, and then nothing more may be done."""

    def release(self) -> None:
        """Give it back; never raises."""


class Restarter(Protocol):
    """One backend for one target: Docker, Kubernetes, a process signal, or a model reload.

    Every method may block for seconds and raises `leakwatch.errors.ActError`.
    """

    @property
    def name(self) -> str:
        """The backend's word in the settings: ``docker``, ``kubernetes``, ``process``, ``tf_serving``."""

    def remedies(self) -> frozenset[Remedy]:
        """What it can do; asks nobody."""

    def standing(self, now_seconds: float) -> Standing:
        """What is known before acting, and afterwards whether a new life is ready; touches nothing."""

    def lease(self) -> Lease | None:
        """The claim on the target's workload; None where the backend has none."""

    def carry_out(self, action: Action, held: Callable[[], bool]) -> Outcome:
        """Act, and wait until it is done or has failed; with ``dry_run`` nothing is touched.

        The traffic was drained before. ``held`` says whether the lease is still ours: it is asked before each change
        that comes late (a second signal, a try after a refusal), and nothing more is done where it says no.
        """


# ---------------------------------------------------------------------------------------------------------------------
# Telling
# ---------------------------------------------------------------------------------------------------------------------


class Severity(StrEnum):
    """How loud: ``info`` never pages."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Stage(StrEnum):
    """Where an incident stands when it is told."""

    OPENED = "opened"
    UPDATED = "updated"
    ACTED = "acted"
    RESOLVED = "resolved"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Notification:
    """What is to be said of one incident at one stage; a channel makes its own form of it.

    Attributes:
        key: one per incident: the same for all its stages.
        number: counts the notifications of the incident from 1, so that nothing is told twice.
        at_seconds: Unix seconds when it came to be.
        stage, severity: as above.
        target: the target's name in the settings.
        title: the first line: what, which, how fast, how long left, and what was done.
        sentences: the reasons, each one sentence with its number and unit.
        news: what happened since the last message, a sentence each; most begin with their time.
        facts: label and value, short, for fields side by side.
        diagnosis: cause and steps; None where there is none.
        action, outcome: what was or would have been done.
        approval: the command that lets the action go ahead, where it waits for a person.
        chart_png: the picture of the trend; None where there is none.
        sparkline: the trend in one line of text.
    """

    key: str
    number: int
    at_seconds: float
    stage: Stage
    severity: Severity
    target: str
    title: str
    sentences: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    diagnosis: Diagnosis | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    approval: str | None = None
    chart_png: bytes | None = None
    sparkline: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How telling went.

    Attributes:
        delivered: whether the channel took it.
        retry: whether another try is worth it.
        after_seconds: the channel asked to wait so long; None where it did not say.
        detail: one sentence, free of secrets.
        thread: what the channel needs to go on in the same thread (Slack's ``ts``), kept by the outbox for the key.
    """

    delivered: bool
    retry: bool
    detail: str
    after_seconds: float | None = None
    thread: Mapping[str, str] | None = None


class Notifier(Protocol):
    """One channel. Never raises: what went wrong is in the delivery."""

    @property
    def name(self) -> str:
        """One word for metrics and messages: ``slack``, ``webhook``, ``alertmanager``, ``kubernetes_events``."""

    @property
    def stages(self) -> frozenset[Stage]:
        """What it wants to hear; a webhook takes no updates."""

    @property
    def repeat_seconds(self) -> float | None:
        """After so long it has to hear of an open incident again, or it forgets it; None where it remembers."""

    def notify(self, notification: Notification, thread: Mapping[str, str], *, again: bool = False) -> Delivery:
        """Say it; ``thread`` is what the last delivery of this incident on this channel returned, or empty.

        ``again``: it was tried before, and nobody knows whether it arrived (no answer came, or the agent was killed).
        """


class Clock(Protocol):
    """The only reader of the clock."""

    def now(self) -> float:
        """Unix seconds; may be set back or forward while we run."""

    def steady(self) -> float:
        """Seconds that only ever rise, for durations and beats."""
