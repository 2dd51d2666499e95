"""Memory and use of GPUs from the page of NVIDIA's dcgm-exporter.

In MiB and percent there, as its etc/default-counters.csv says.
"""

from collections import defaultdict
from collections.abc import Iterable

from leakwatch.errors import SourceError
from leakwatch.sample.exposition import PageSample, read_page
from leakwatch.sample.serving.page import Page
from leakwatch.trace import Sample

_USED, _FREE, _RESERVED, _TOTAL = (f"DCGM_FI_DEV_FB_{part}" for part in ("USED", "FREE", "RESERVED", "TOTAL"))

_USE = "DCGM_FI_DEV_GPU_UTIL"  # in percent

WANTED = frozenset({_USED, _FREE, _RESERVED, _TOTAL, _USE})

MIB = 1024.0 * 1024.0
BLANK_FROM = 9.0e18
"""DCGM's blank values (DCGM_INT64_BLANK and above in dcgm_structs.h) mean that the field could not be read."""


class GpuSource:
    """The memory of a node's GPUs, from the page of a dcgm-exporter.

    Needs the page's address. Cannot see whose memory it is: the page tells it by GPU.
    """

    name = "dcgm"
    blind_to = ("which container a GPU's memory belongs to",)

    def __init__(self, url: str) -> None:
        self._page = Page(self.name, url)

    def read(self, now_seconds: float) -> Sample:
        """What the page tells now.

        Raises:
            SourceError: no page, or one without the memory of a GPU.
        """
        status, body = self._page.read()
        values = read(read_page(body, WANTED)) if status == 200 else {}
        if not values:
            what = f"{self._page.shown} answers {status}" if status != 200 else f"{self._page.shown} tells of no GPU"
            raise SourceError(self.name, what, "check that a dcgm-exporter answers there; its port is 9400")
        return Sample(now_seconds, values)

    def close(self) -> None:
        """Close the connection."""
        self._page.close()


def read(samples: Iterable[PageSample]) -> dict[str, float]:
    """``gpu_used_bytes:GPU``, ``gpu_total_bytes:GPU`` and ``gpu_use_ratio:GPU``, by its UUID or number."""
    parts: dict[str, dict[str, float]] = defaultdict(dict)
    for sample in samples:
        if 0 <= sample.value < BLANK_FROM:
            gpu = sample.labels.get("UUID") or sample.labels.get("uuid") or sample.labels.get("gpu", "")
            parts[gpu][sample.name] = sample.value * (0.01 if sample.name == _USE else MIB)
    values: dict[str, float] = {}
    for gpu, of in parts.items():
        if _USE in of:
            values[f"gpu_use_ratio:{gpu}"] = of[_USE]
        if _USED in of:
            values[f"gpu_used_bytes:{gpu}"] = of[_USED]
        if _TOTAL in of:
            values[f"gpu_total_bytes:{gpu}"] = of[_TOTAL]
        elif _USED in of and _FREE in of:
            values[f"gpu_total_bytes:{gpu}"] = of[_USED] + of[_FREE] + of.get(_RESERVED, 0.0)
    return values
