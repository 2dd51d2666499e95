"""Facts, the tree of questions and findings, and the diagnosis: values that import nothing of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Value = str | float | bool
"""What a fact may hold: a word, a number in the fact's unit, or yes/no."""

Operand = str | float | bool | tuple[str, ...]
"""What a question compares a fact with."""


class Branch(StrEnum):
    """The three answers; ``unknown`` is an answer with a branch of its own, never a guess."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How far a finding may be trusted, in words: no frequency has been measured behind it.

    CERTAIN: the numbers show it. LIKELY: they fit this cause and few others. POSSIBLE: one cause of several.
    """

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Action(StrEnum):
    """The remedies that can be carried out, the cheapest first."""

    RELOAD_MODEL = "reload_model"
    RAISE_LIMIT = "raise_limit"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known, or known to be unknown.

    Attributes:
        name: a name of the vocabulary (``playbooks.vocabulary.FACTS``).
        value: in the vocabulary's type and unit; None means unknown.
        because: one sentence with number and unit that says where the value comes from.
    """

    name: str
    value: Value | None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one fact with one operand: the name of the fact, of the operator, and the operand."""

    fact: str
    operator: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class Question:
    """A node that asks; ``yes``, ``no`` and ``unknown`` name the nodes that follow."""

    ask: str
    when: Condition
    yes: str
    no: str
    unknown: str

    def after(self, answer: Branch) -> str:
        """The name of the node that follows the answer."""
        return {Branch.YES: self.yes, Branch.NO: self.no, Branch.UNKNOWN: self.unknown}[answer]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, in the reader's words, and the exact command, flag or setting where there is one."""

    do: str
    command: str | None = None

    def __str__(self) -> str:
        return self.do if self.command is None else f"{self.do}: {self.command}"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a machine may do about it, and what that risks."""

    action: Action
    risk: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A node that ends the walk: the cause in one sentence, what to do, and at most one remedy.

    ``then`` names a tree that tells more; the walk goes on there, and what that one finds counts.
    """

    cause: str
    confidence: Confidence
    steps: tuple[Step, ...]
    remedy: Remedy | None = None
    then: str | None = None


@dataclass(frozen=True, slots=True)
class Playbook:
    """A decision tree; nodes may be shared, and every walk from ``start`` ends in a finding.

    Attributes:
        name: what the tree is called, as its file is.
        about: one sentence: when to use it.
        start: the name of the first node.
        nodes: read-only; every node is reachable, and no path comes back to a node.
    """

    name: str
    about: str
    start: str
    nodes: Mapping[str, Question | Finding]


@dataclass(frozen=True, slots=True)
class Answered:
    """One question of a walk, its answer, and the sentence with number and unit that the answer rests on."""

    ask: str
    answer: Branch
    evidence: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Where a walk ended, and the way there.

    Attributes:
        cause: one sentence; one more for each tree in which the walk went on.
        confidence: how far to trust it.
        path: the questions in the order in which they were asked.
        steps: what to do, the first thing first.
        playbook: the name of the tree in which the walk began.
        remedy: what a machine may do about it; None where nothing fits.
    """

    cause: str
    confidence: Confidence
    path: tuple[Answered, ...]
    steps: tuple[Step, ...]
    playbook: str
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One line of a server's status page.

    Attributes:
        model, version: as the server names them.
        state: START, LOADING, AVAILABLE, UNLOADING or END (TF Serving's words; END is unloaded or failed).
        error: the gRPC code's name, a colon and words after it or not; OK or empty where there is none.
    """

    model: str
    version: str
    state: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class ServerState:
    """What a model server says about itself; None is unknown everywhere.

    Attributes:
        kind: tf_serving, triton, torchserve or other.
        answers: whether its port takes connections.
        versions: every model version that it lists; empty where it lists none.
        models_missing: models that were asked for and that it does not know (404).
        load_failures: how many loads failed since it started.
    """

    kind: str | None = None
    answers: bool | None = None
    versions: tuple[ModelVersion, ...] | None = None
    models_missing: tuple[str, ...] | None = None
    load_failures: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What the kernel shows of the server's process; None is unknown everywhere.

    Attributes:
        running: whether it lives.
        exit_code: of its last end, as a shell reports it (128 and the signal's number for a signal).
        threads: Threads of /proc/PID/status.
        arenas: anonymous private writable mappings of /proc/PID/maps whose start is a multiple of 64 MiB: glibc
            reserves and aligns the heaps of its arenas so (HEAP_MAX_SIZE in malloc/arena.c).
        libraries: the base names of the files in /proc/PID/maps.
        arguments: /proc/PID/cmdline, the program first.
        environment: /proc/PID/environ.
        cpus: of the affinity mask, or of the CPU quota where that is lower.
        machine: as ``uname -m`` names it.
        io_pressure_ratio: share of the last 10 s in which some task of its cgroup waited for a disk (some avg10).
    """

    running: bool | None = None
    exit_code: int | None = None
    threads: int | None = None
    arenas: int | None = None
    libraries: tuple[str, ...] | None = None
    arguments: tuple[str, ...] | None = None
    environment: Mapping[str, str] | None = None
    cpus: float | None = None
    machine: str | None = None
    io_pressure_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """How the container is deployed; None is unknown everywhere, and ``limit_bytes`` of infinity is no limit."""

    limit_bytes: float | None = None
    request_bytes: float | None = None
    replicas: int | None = None
    startup_probe: bool | None = None
    liveness_probe: bool | None = None
