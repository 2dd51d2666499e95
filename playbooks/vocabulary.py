"""The closed vocabulary: every fact that a tree may ask about, with its type, unit, and how to come by it.

``python -m playbooks.vocabulary`` prints the table of docs/facts.md.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from playbooks.types import Value


class Kind(StrEnum):
    """The types that a fact may have."""

    WORD = "word"
    NUMBER = "number"
    FLAG = "yes/no"


@dataclass(frozen=True, slots=True)
class FactType:
    """What one fact means.

    Attributes:
        kind: word, number or flag.
        unit: of a number ("s", "bytes", "1" for a ratio or a count); empty for the others.
        words: every word that the fact can take; empty unless ``kind`` is WORD.
        meaning: one clause that says what is measured.
        collect: what to record where the fact is unknown.
    """

    kind: Kind
    meaning: str
    collect: str
    unit: str = ""
    words: tuple[str, ...] = ()

    def fits(self, value: object) -> bool:
        """Whether a value is of this type: numbers are finite, words are among those listed."""
        if self.kind is Kind.FLAG:
            return isinstance(value, bool)
        if self.kind is Kind.NUMBER:
            if isinstance(value, float):
                return math.isfinite(value)
            return isinstance(value, int) and not isinstance(value, bool)
        return value in self.words

    def say(self, name: str, value: Value) -> str:
        """A plain sentence for a value that came without one."""
        if self.kind is Kind.FLAG:
            return f"{name} is {'yes' if value else 'no'}"
        unit = "" if self.unit in ("", "1") else f" {self.unit}"
        return f"{name} is {value}{unit}"


_MEMORY_COLUMNS = (
    "anon_bytes",
    "working_set_bytes",
    "rss_bytes",
    "usage_bytes",
    "file_bytes",
    "shmem_bytes",
    "kernel_bytes",
)
_SHAPES = (
    "flat",
    "linear",
    "accelerating",
    "plateau",
    "load_following",
    "steps",
    "sawtooth",
    "cycles",
    "page_cache",
    "decelerating",
    "irregular",
    "too_short",
)

FACTS: Mapping[str, FactType] = MappingProxyType(
    {
        "verdict": FactType(Kind.WORD, "whether it leaks", "a longer trace", words=("leak", "no_leak", "undecided")),
        "shape": FactType(Kind.WORD, "what the memory does", "a longer trace", words=_SHAPES),
        "metric": FactType(
            Kind.WORD,
            "the column that the verdict rests on",
            "anon_bytes (anon in memory.stat of the container's cgroup)",
            words=_MEMORY_COLUMNS,
        ),
        "restarts": FactType(
            Kind.NUMBER, "how many times the memory fell back as after a restart", "a longer trace", unit="1"
        ),
        "oom_like_restarts": FactType(
            Kind.NUMBER,
            "how many of those came with the memory at 92 % of the limit or above; likeness, no proof of an OOM kill",
            "the limit (--limit, or a limit_bytes column)",
            unit="1",
        ),
        "limit_known": FactType(Kind.FLAG, "whether a memory limit was seen", "the limit (--limit)"),
        "peak_limit_ratio": FactType(
            Kind.NUMBER,
            "the highest level of the metric, as a share of the limit",
            "the limit (--limit, or a limit_bytes column)",
            unit="1",
        ),
        "time_to_limit_seconds": FactType(
            Kind.NUMBER,
            "the low end of the time from the trace's end to the limit",
            "the limit (--limit, or a limit_bytes column)",
            unit="s",
        ),
        "leak_follows": FactType(
            Kind.WORD,
            "whether the growth follows the request count or the clock",
            "requests_total (the server's cumulative inference count)",
            words=("requests", "time", "unclear"),
        ),
        "bytes_per_request": FactType(
            Kind.NUMBER,
            "what each request leaves behind",
            "requests_total (the server's cumulative inference count)",
            unit="bytes",
        ),
        "leaking_model_share": FactType(
            Kind.NUMBER,
            "the largest share of the leak that one model's requests hold",
            "requests_total:MODEL for each model",
            unit="1",
        ),
        "model_loads": FactType(
            Kind.NUMBER,
            "how many model versions were loaded during the trace",
            "model_loads_total (on TF Serving the sum of :tensorflow:cc:saved_model:load_attempt_count)",
            unit="1",
        ),
        "threads_ratio": FactType(
            Kind.NUMBER,
            "threads at the end of the trace, as a multiple of those at its start",
            "threads (Threads in /proc/PID/status)",
            unit="1",
        ),
        "page_cache_share": FactType(
            Kind.NUMBER, "the share of the growth that is page cache", "file_bytes beside usage_bytes", unit="1"
        ),
        "shmem_share": FactType(
            Kind.NUMBER,
            "the share of the growth that is shared memory and tmpfs",
            "shmem_bytes beside usage_bytes",
            unit="1",
        ),
    }
)


def as_markdown() -> str:
    """The table of docs/facts.md."""
    rows = [
        f"| `{name}` | {fact.kind} | {fact.unit or ', '.join(fact.words)} | {fact.meaning} | {fact.collect} |"
        for name, fact in FACTS.items()
    ]
    return "\n".join(
        [
            "# Facts",
            "",
            "Every fact that a playbook may ask about. A fact that a trace does not hold is *unknown*, an answer",
            "with a branch of its own. The unit 1 marks counts and ratios.",
            "Generated by `python -m playbooks.vocabulary`.",
            "",
            "| fact | type | unit or words | meaning | record this where it is unknown |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    print(as_markdown(), end="")
