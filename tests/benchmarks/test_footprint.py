"""The agent's footprint, held to its budget with real processes; figures are in benchmarks/RESULTS.md."""

import pytest

from benchmarks import footprint
from detectors.types import Answer
from leakwatch import detect

BUDGET_BYTES = 50 * 2**20
"""52 MiB are promised; what is measured is 47, and a library more would be seen."""


@pytest.mark.slow
def test_a_thousand_beats_stay_within_the_budget_and_the_agent_does_not_leak() -> None:
    """One target with page, logs and metrics page: less than is promised, and leakwatch sees no leak in it."""
    with footprint.one_target() as targets:
        cost = footprint.measured(targets, 0.05, 1_000)
    assert cost.beats > 500
    assert cost.peak_bytes <= BUDGET_BYTES
    assert detect.assess(cost.own).verdict.verdict is not Answer.LEAK
