"""From a server's own page over HTTP to the facts that the trees ask for: the names on both sides are the same."""

import numpy as np
import pytest

from leakwatch.diagnose import BUILT_IN, diagnose_by
from leakwatch.diagnose.page_facts import facts_of_page
from leakwatch.sample.serving.source import ServingSource
from leakwatch.settings import ServingKind, ServingSettings
from leakwatch.trace import Sample, Target, Trace
from tests.fakes.tf_serving import PAGE, TfServing


def trace_of(samples: list[Sample]) -> Trace:
    names = {name for sample in samples for name in sample.values}
    columns = {name: np.array([sample.values.get(name, np.nan) for sample in samples]) for name in names}
    return Trace(Target("page"), np.array([sample.time_seconds for sample in samples]), columns, None)


def test_requests_that_fail() -> None:
    """Requests that fail for want of memory, a load that failed and a slow model are facts, and lead to a cause."""
    server = TfServing()
    server.load("resnet", 1)
    server.load("bert", 1, ok=False)
    samples = []
    with server.served():
        source = ServingSource(ServingSettings(ServingKind.TF_SERVING, server.url + PAGE))
        for look in range(4):
            server.request("resnet", 90, seconds=0.4)
            server.fail("resnet", "RESOURCE_EXHAUSTED", 10)
            samples.append(source.read(1000.0 + 5 * look))
        source.close()
    facts = facts_of_page(trace_of(samples))
    told = {fact.name: fact.value for fact in facts}
    assert told["error_ratio"] == pytest.approx(0.1)
    assert told["resource_exhausted_ratio"] == pytest.approx(0.1)
    assert told["load_failures"] == 1.0
    assert 0.2 < told["p95_latency_seconds"] < 1.0
    assert diagnose_by("slow_predictions", facts).cause == (
        BUILT_IN["slow_predictions"].nodes["exhausted_somewhere"].cause  # type: ignore[union-attr]
    )
