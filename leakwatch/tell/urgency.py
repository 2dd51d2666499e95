"""Which trace to look at first: a leak with the least time left, then what is undecided, then the rest."""

import math
from collections.abc import Iterable

from detectors.types import Answer, Assessment
from leakwatch.trace import Trace

_RANK = {Answer.LEAK: 0, Answer.UNDECIDED: 1, Answer.NO_LEAK: 2}


def by_urgency(analyses: Iterable[tuple[Trace, Assessment]]) -> list[tuple[Trace, Assessment]]:
    """Sorted, the most urgent first; equals keep their order.

    Leaks are ordered by the low end of their time to the limit, those without one after them by their slope.
    """
    return sorted(analyses, key=lambda pair: _urgency(pair[1]))


def _urgency(assessment: Assessment) -> tuple[int, float, float]:
    forecast, trend = assessment.forecast, assessment.verdict.trend
    left_seconds = forecast.low if forecast and math.isfinite(forecast.low) else math.inf
    slope = trend.slope_per_second if trend and math.isfinite(trend.slope_per_second) else 0.0
    return _RANK[assessment.verdict.verdict], left_seconds, -slope
