"""Numbers that came from anywhere, by name -> facts."""

import math
from collections.abc import Iterator, Mapping

from playbooks.types import Fact
from playbooks.vocabulary import FACTS, Kind


def facts_of_values(values: Mapping[str, float]) -> tuple[Fact, ...]:
    """What the latest values of a sample say; a name that is neither a fact's nor listed here says nothing.

    Args:
        values: by column name, in the unit of the name. A number fact of the vocabulary under its own name; a yes/no
            fact under its own name as 1 or 0; and what facts are made of: ``gpu_used_bytes`` with ``gpu_total_bytes``,
            ``threads`` with ``cpus``, and ``limit_bytes`` (0 or infinite is no limit). NaN is unknown.
    """
    return (*_derived(values), *_named(values))


def _named(values: Mapping[str, float]) -> Iterator[Fact]:
    for name, value in values.items():
        meant = FACTS.get(name)
        if meant is None or not math.isfinite(value):
            continue
        if meant.kind is Kind.NUMBER:
            yield Fact(name, float(value), f"{name} is {value:.4g}{'' if meant.unit == '1' else f' {meant.unit}'}")
        elif meant.kind is Kind.FLAG and value in (0, 1):
            yield Fact(name, bool(value))


def _derived(values: Mapping[str, float]) -> Iterator[Fact]:
    limit = values.get("limit_bytes", math.nan)
    if not math.isnan(limit):
        limited = math.isfinite(limit) and limit >= 1
        yield Fact("limit_known", limited, f"the limit is {_gib(limit)}" if limited else "there is no limit")
    used, total = values.get("gpu_used_bytes", math.nan), values.get("gpu_total_bytes", math.nan)
    if math.isfinite(used) and math.isfinite(total) and total >= 1:
        yield Fact("gpu_memory_ratio", used / total, f"{_gib(used)} of the GPU's {_gib(total)} are in use")
    threads, cpus = values.get("threads", math.nan), values.get("cpus", math.nan)
    if math.isfinite(threads) and math.isfinite(cpus) and cpus > 0:
        yield Fact("threads_per_cpu", threads / cpus, f"{threads:.0f} threads on {cpus:g} CPUs")


def _gib(size_bytes: float) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"
