"""Trace -> Assessment: the only caller of detectors/."""

from detectors.assess import assess as _assess
from detectors.types import Assessment
from leakwatch.trace import Trace


def assess(trace: Trace) -> Assessment:
    """Judge one trace: does it leak, how fast, since when, how long is left, and why we say so."""
    return _assess(trace.time_seconds, trace.columns, limit_bytes=trace.limit_bytes)
