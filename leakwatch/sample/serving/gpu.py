"""Memory of GPUs from the page of NVIDIA's dcgm-exporter, in MiB there (its etc/default-counters.csv says so)."""

from collections import defaultdict
from collections.abc import Iterable

from leakwatch.sample.exposition import PageSample

_USED, _FREE, _RESERVED, _TOTAL = (f"DCGM_FI_DEV_FB_{part}" for part in ("USED", "FREE", "RESERVED", "TOTAL"))

WANTED = frozenset({_USED, _FREE, _RESERVED, _TOTAL})

MIB = 1024.0 * 1024.0
BLANK_FROM = 9.0e18
"""DCGM's blank values (DCGM_INT64_BLANK and above in dcgm_structs.h) mean that the field could not be read."""


def read(samples: Iterable[PageSample]) -> dict[str, float]:
    """``gpu_used_bytes:GPU`` and ``gpu_total_bytes:GPU``, GPUs named by their UUID, else by their number."""
    parts: dict[str, dict[str, float]] = defaultdict(dict)
    for sample in samples:
        if 0 <= sample.value < BLANK_FROM:
            gpu = sample.labels.get("UUID") or sample.labels.get("uuid") or sample.labels.get("gpu", "")
            parts[gpu][sample.name] = sample.value * MIB
    values: dict[str, float] = {}
    for gpu, of in parts.items():
        if _USED in of:
            values[f"gpu_used_bytes:{gpu}"] = of[_USED]
        if _TOTAL in of:
            values[f"gpu_total_bytes:{gpu}"] = of[_TOTAL]
        elif _USED in of and _FREE in of:
            values[f"gpu_total_bytes:{gpu}"] = of[_USED] + of[_FREE] + of.get(_RESERVED, 0.0)
    return values
