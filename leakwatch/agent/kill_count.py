"""Kills for want of memory, each counted once although a cgroup's counter and a log both tell of it. Pure."""

import json
from collections import Counter, deque
from collections.abc import Mapping
from enum import StrEnum

from leakwatch.trace import Sample

SAME_KILL_SECONDS = 120.0
"""What a counter and a log tell within so long of each other is one kill. The kernel writes its line and raises the
counter in the same breath; a log that is read through a runtime can lag by a minute."""

KERNEL_KILL = "kernel_oom_kill"
"""The kind of a kill that a counter tells of: it is the kernel's own."""

COUNTED_ANEW = frozenset({"cgroup"})
"""Sources whose counter begins at 0 with each life; those of the others go on across lives, or begin with the agent."""

_KEPT = 100


class Witness(StrEnum):
    """Who tells of a kill."""

    COUNTER = "counter"
    LOG = "log"


class KillCount:
    """How often memory ran out in one target, by kind, across restarts of target and agent."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._alone: deque[tuple[float, Witness]] = deque(maxlen=_KEPT)  # told by one witness so far
        self._counter: tuple[float, str | None] | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """By kind, the names of `detectors.types.OomEvent.kind`."""
        return dict(self._counts)

    def of_sample(self, sample: Sample, source: str) -> int:
        """How many kills the sample's counter tells that nobody has told of before.

        The very first sample of a target tells of none: what its counter holds already was before our time.
        """
        value = sample.values.get("oom_kills_total")
        if value is None:
            return 0
        before, self._counter = self._counter, (value, sample.life)
        if before is None:
            return 0
        anew = value < before[0] or (source in COUNTED_ANEW and sample.life != before[1])
        told = round(value if anew else value - before[0])
        return sum(self._tell(sample.time_seconds, Witness.COUNTER, KERNEL_KILL) for _ in range(told))

    def of_log(self, at: float, kind: str) -> bool:
        """Whether a log's proof of a kill is news, and no counter has told of it."""
        return self._tell(at, Witness.LOG, kind)

    def shift(self, by_seconds: float) -> None:
        """The clock was set by so much."""
        self._alone = deque(((at + by_seconds, witness) for at, witness in self._alone), _KEPT)

    def as_note(self) -> str:
        """To be kept across restarts of the agent."""
        return json.dumps({"counts": self._counts, "counter": self._counter, "alone": list(self._alone)})

    @classmethod
    def from_note(cls, note: str | None) -> "KillCount":
        """What `as_note` wrote; a note that cannot be read is the same as none."""
        count = cls()
        try:
            kept = json.loads(note or "{}")
            count._counts.update({str(kind): int(number) for kind, number in kept.get("counts", {}).items()})
            counter = kept.get("counter")
            count._counter = (float(counter[0]), counter[1]) if counter else None
            count._alone.extend((float(at), Witness(witness)) for at, witness in kept.get("alone", ()))
        except (ValueError, TypeError, AttributeError, LookupError):
            return cls()
        return count

    def _tell(self, at: float, witness: Witness, kind: str) -> bool:
        for one in self._alone:
            if one[1] is not witness and abs(one[0] - at) <= SAME_KILL_SECONDS:
                self._alone.remove(one)
                return False
        self._alone.append((at, witness))
        self._counts[kind] += 1
        return True
