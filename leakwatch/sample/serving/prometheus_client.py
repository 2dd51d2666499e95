"""Any page of the Prometheus client libraries: the request counter and the latency histogram are found by their names.

Names follow https://prometheus.io/docs/practices/naming/: ``*_requests_total``, ``*_request_duration_seconds``. What
a page calls otherwise is not seen. A failed request is one whose ``status``, ``code`` or ``status_code`` begins with 5.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from leakwatch.sample.exposition import PageSample
from leakwatch.sample.serving.collecting import Histogram
from leakwatch.sample.serving.reading import Reading

_REQUESTS = re.compile(r"(?:.*[_:])?(?:requests?|request_success|predictions?|inferences?)(?:_total|_created_total)")
_LATENCY = re.compile(r"(?:.*[_:])?(?:request|inference|predict(?:ion)?)s?_(?:duration|latency)_seconds")
_STATUS = ("status", "code", "status_code", "http_status")
_MODEL = ("model_name", "model", "handler", "path")
_OPEN_FDS = "process_open_fds"


class _Wanted:
    """The names that the patterns know."""

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        histogram = name.removesuffix("_bucket").removesuffix("_sum")
        return name == _OPEN_FDS or bool(_REQUESTS.fullmatch(name) or _LATENCY.fullmatch(histogram))


WANTED = _Wanted()


def read(samples: Iterable[PageSample], types: frozenset[str]) -> Reading:
    """A reading of the page; of several request counters the one with the shortest name is taken."""
    counters: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    latency: dict[str, dict[str, Histogram]] = defaultdict(lambda: defaultdict(Histogram))
    values: dict[str, float] = {}
    for sample in samples:
        model = next((sample.labels[label] for label in _MODEL if label in sample.labels), "")
        if sample.name == _OPEN_FDS:
            values["open_fds"] = sample.value
        elif _REQUESTS.fullmatch(sample.name):
            counted = counters[sample.name]
            status = next((sample.labels[label] for label in _STATUS if label in sample.labels), "")
            counted["requests_total"] += sample.value
            if model:
                counted[f"requests_total:{model}"] += sample.value
            if status[:1] == "5":
                counted["requests_failed_total"] += sample.value
                counted[f"requests_failed_total:{status}"] += sample.value
            elif status[:1] == "4":
                counted["requests_refused_total"] += sample.value
            elif status:
                counted.setdefault("requests_failed_total", 0.0)
        else:
            family = sample.name.removesuffix("_bucket").removesuffix("_sum")
            latency[family][model].take(sample)
    counted = counters[min(counters, key=lambda name: (len(name), name))] if counters else {}
    histograms = latency[min(latency, key=lambda name: (len(name), name))] if latency else {}
    return Reading(
        values={**values, **counted},
        quantiles={
            f"latency_p95_seconds:{model}".removesuffix(":"): b for model, h in histograms.items() if (b := h.buckets())
        },
        models=frozenset(name.partition(":")[2] for name in counted if name.startswith("requests_total:")),
    )
