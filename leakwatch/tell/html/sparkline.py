"""A trace's memory as one small SVG path, for a row of the table."""

import numpy as np

from detectors.types import Assessment
from leakwatch.tell.html.reduction import reduce
from leakwatch.trace import FloatArray, Trace

WIDTH, HEIGHT = 120, 28
_POINTS = 120
_MARGIN = 2


def sparkline(trace: Trace, assessment: Assessment) -> str:
    """The ``d`` of a path in a box of WIDTH x HEIGHT, over the judged column's own range; empty without values."""
    values = trace.columns.get(assessment.verdict.metric or "")
    if values is None or not np.isfinite(values).any():
        return ""
    known = np.isfinite(values)
    time, columns = reduce(trace.time_seconds[known], {"level": values[known]}, _POINTS)
    drawn = np.isfinite(columns["level"])
    x = _into(time[drawn], _MARGIN, WIDTH - _MARGIN)
    y = _into(columns["level"][drawn], HEIGHT - _MARGIN, _MARGIN)
    return "M" + "L".join(f"{left:.0f} {top:.1f}" for left, top in zip(x, y, strict=True))


def _into(values: FloatArray, start: float, end: float) -> FloatArray:
    """Stretch to start..end; the middle where there is nothing to stretch."""
    low, span = float(values.min()), float(np.ptp(values))
    if span == 0:
        return np.full(len(values), (start + end) / 2)
    return start + (values - low) / span * (end - start)
