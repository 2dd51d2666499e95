"""What a plan proposes, with the arithmetic and the ground of every number. Values only."""

from dataclasses import dataclass
from enum import StrEnum


class Basis(StrEnum):
    """What a number rests on."""

    GIVEN = "given"
    MEASURED = "measured"
    SERVER = "TF Serving"
    THUMB = "rule of thumb"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the memory: what it is, its bytes, how they are reckoned, and what that rests on."""

    name: str
    value_bytes: float
    arithmetic: str
    basis: Basis
    source: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that went in: its name, the number in words, what it rests on, and the flag that replaces it."""

    name: str
    value: str
    basis: Basis
    source: str
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Batching:
    """Batching parameters, in the words of TF Serving's file."""

    max_batch_size: int
    batch_timeout_micros: int
    max_enqueued_batches: int
    num_batch_threads: int
    allowed_batch_sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """Money a month: of the whole limit, and of the memory that is kept for the leak alone."""

    price_per_gib_hour: float
    memory_per_month: float
    leak_per_month: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan.

    Attributes:
        parts: what adds up to the limit, before it is rounded up.
        limit_bytes, request_bytes: whole MiB.
        request_because: one sentence.
        batching: None where nothing is known of the clients.
        seconds_to_limit: how long the leak that was measured takes to fill what is kept for it; None without one.
        notes: what the reader should know, a sentence each.
    """

    parts: tuple[Part, ...]
    assumptions: tuple[Assumption, ...]
    limit_bytes: int
    request_bytes: int
    request_because: str
    batching: Batching | None
    cost: Cost | None
    seconds_to_limit: float | None
    notes: tuple[str, ...]
