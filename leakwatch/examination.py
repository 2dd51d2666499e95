"""What can be seen from here, and what is missing: the values that ``leakwatch doctor`` finds and shows."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that leakwatch may need.

    Attributes:
        what: a word or two: ``kernel log``, ``signals``.
        fine: whether it is there; None where it is worth knowing and nothing is wrong.
        detail: one sentence of what was found.
        fix: what mends it, with the line for the manifest; None where there is nothing to mend.
    """

    what: str
    fine: bool | None
    detail: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class SourceSight:
    """One look at one source: the columns of its sample, what it cannot see, or why it could not be read."""

    name: str
    took_seconds: float
    values: Mapping[str, float] | None = None
    blind_to: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TargetSight:
    """What can be seen of one target: its sources, the memory's first, and what else it needs."""

    name: str
    place: str
    sources: tuple[SourceSight, ...]
    checks: tuple[Check, ...]

    @property
    def can_be_watched(self) -> bool:
        """Whether every source of it was read."""
        return all(source.error is None for source in self.sources)


@dataclass(frozen=True, slots=True)
class Examination:
    """What this process may do here, and what it sees of each target."""

    here: tuple[Check, ...]
    targets: tuple[TargetSight, ...]
