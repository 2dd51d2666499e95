"""The live columns become facts: ratios of the recent past, counts of the last half, the last known level."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leakwatch.diagnose import facts_of_process, page_facts
from leakwatch.diagnose.page_facts import cores_used, facts_of_page
from leakwatch.trace import LIVE_COLUMNS, Trace
from playbooks.types import ProcessState
from playbooks.vocabulary import FACTS


def values(trace: Trace, since: float | None = None) -> dict[str, Any]:
    return {fact.name: fact.value for fact in facts_of_page(trace, since)}


def test_requests_by_status(made: Any) -> None:
    """Shares of requests are those of the last tenth, of all requests, whatever was before."""
    served = [*range(0, 900, 10), *range(900, 990, 9)]
    failed = [0.0] * 90 + [float(i) for i in range(10)]
    trace = made.trace(
        {
            "requests_total": served,
            "requests_failed_total": failed,
            "requests_failed_total:RESOURCE_EXHAUSTED": failed,
            "requests_refused_total": [7.0] * 100,
        }
    )
    found = values(trace)
    assert found["error_ratio"] == pytest.approx(0.1)
    assert found["resource_exhausted_ratio"] == pytest.approx(0.1)
    assert found["unavailable_ratio"] == 0.0


def test_no_requests_no_ratio(made: Any) -> None:
    """A server that nobody asks has no share of errors."""
    trace = made.trace({"requests_total": [5.0] * 20, "requests_failed_total": [1.0] * 20})
    assert "error_ratio" not in values(trace)


def test_latency_queue_and_batches(made: Any) -> None:
    """The slowest model counts; the wait in the queue is a share of it."""
    trace = made.trace(
        {
            "latency_p95_seconds:a/predict": [0.1, 0.2, np.nan],
            "latency_p95_seconds:b/predict": [0.4, 0.4, 0.4],
            "queue_seconds:batching": [0.1, 0.1, 0.3],
            "batch_size:batching": [1.0, 1.0, 1.5],
        }
    )
    found = values(trace)
    assert (found["p95_latency_seconds"], found["queue_share"], found["batch_size"]) == (0.4, pytest.approx(0.75), 1.5)


def test_models(made: Any) -> None:
    """States of models are the last known, and the last load is measured from the end."""
    trace = made.trace(
        {
            "models_loading": [0, 1, np.nan],
            "models_available": [2, 2, 1],
            "model_loads_failed_total": [0, 3, 3],
            "model_loads_total": [2, 3, 3],
        }
    )
    assert values(trace) == {
        "versions_loading": 1.0,
        "models_available": 1.0,
        "load_failures": 3.0,
        "seconds_since_load": 60.0,
    }


def test_late_counts(made: Any) -> None:
    """What was compiled or built during the warm-up does not count."""
    trace = made.trace(
        {
            "xla_compilations_total": [0, 50, 50, 50, 50, 50, 52, 52],
            "graph_builds_total": [0, 1, 2, 3, 4, 5, 6, 7],
            "gpu_wait_seconds_total": [0, 0, 0, 0, 0, 0, 0, 6],
            "cpu_seconds_total": [0, 60, 120, 180, 240, 300, 360, 480],
            "cpu_throttled_seconds_total": [0, 0, 0, 0, 0, 0, 0, 30],
        }
    )
    found = values(trace)
    assert (found["xla_compilations"], found["graph_builds"]) == (2.0, 3.0)
    assert (found["gpu_wait_ratio"], found["throttled_ratio"]) == (0.1, 0.25)
    assert cores_used(trace) == 2.0
    (fact,) = facts_of_process(ProcessState(cpus=4.0), trace)
    assert (fact.name, fact.value) == ("cpu_ratio", 0.5)


def test_a_counter_that_starts_over(made: Any) -> None:
    """A reset is no fall: what was counted after it counts."""
    trace = made.trace({"graph_builds_total": [0, 0, 0, 0, 5, 9, 2, 4]})
    assert values(trace) == {"graph_builds": 6.0}


def test_the_busiest_gpu(made: Any) -> None:
    """The one that computes most, over the recent past."""
    trace = made.trace({"gpu_use_ratio:0": [0.9, 0.1, 0.1], "gpu_use_ratio:1": [0.0, 0.2, 0.4]})
    assert values(trace) == {"gpu_use_ratio": pytest.approx(0.3)}


def test_the_fullest_gpu(made: Any) -> None:
    """Of several GPUs the fullest counts; one whose use is not known does not."""
    trace = made.trace(
        {"gpu_used_bytes:0": [5.0], "gpu_total_bytes:0": [10.0], "gpu_used_bytes:1": [9.0], "gpu_total_bytes:1": [10.0]}
        | {"gpu_total_bytes:2": [10.0]}
    )
    assert values(trace) == {"gpu_memory_ratio": 0.9}


def test_only_since_the_restart(made: Any) -> None:
    """What the life before did is not this one's."""
    trace = made.trace({"xla_compilations_total": [0, 0, 0, 90, 0, 0, 1, 1]})
    assert values(trace, 240.0) == {"xla_compilations": 0.0}


def test_the_columns_are_those_of_live_samples() -> None:
    """Every column that is asked for is one that the sampling side fills, in the same spelling."""
    asked = set(re.findall(r'"([a-z0-9]+_[a-z0-9_]+:?)"', Path(page_facts.__file__).read_text(encoding="utf-8")))
    filled = {name.partition(":")[0] for name in LIVE_COLUMNS} | {"requests_total", "model_loads_total"}
    assert {name.partition(":")[0] for name in asked} - set(FACTS) <= filled
