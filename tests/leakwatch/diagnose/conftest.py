"""A trace and an assessment made of a few numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from detectors.types import Answer, Assessment, Shape, Trend, Verdict
from leakwatch.trace import Target, Trace


class Made:
    """Makes traces with a sample a minute, and assessments of them."""

    @staticmethod
    def trace(columns: Mapping[str, Sequence[float]], limit_bytes: float | None = None) -> Trace:
        arrays = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
        length = max((len(column) for column in arrays.values()), default=0)
        return Trace(Target("trace.csv"), 60.0 * np.arange(length), arrays, limit_bytes)

    @staticmethod
    def assessment(
        answer: Answer = Answer.LEAK, shape: Shape = Shape.LINEAR, restarts: Sequence[float] = (), **more: Any
    ) -> Assessment:
        trend = Trend(10.0, 9.0, 11.0, 100) if answer is Answer.LEAK else None
        return Assessment(Verdict(answer, shape, 0.9, "anon_bytes", trend, None, tuple(restarts), ("so",)), **more)


@pytest.fixture
def made() -> Made:
    return Made()
