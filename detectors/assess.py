"""Placeholder to unblock work on the other verbs; the real detector replaces this file."""

from collections.abc import Mapping

import numpy as np

from detectors.types import Answer, Assessment, Explanation, Fit, FloatArray, Forecast, Shape, Trend, Verdict


def assess(time_seconds: FloatArray, columns: Mapping[str, FloatArray], limit_bytes: float | None) -> Assessment:
    """Ordinary least squares on the first memory column."""
    metric = next((c for c in ("anon_bytes", "working_set_bytes", "rss_bytes", "usage_bytes") if c in columns), None)
    if metric is None or len(time_seconds) < 20:
        return Assessment(Verdict(Answer.UNDECIDED, Shape.TOO_SHORT, 0.0, metric, None, None, (), ("too few samples",)))
    ok = np.isfinite(columns[metric])
    t, y = time_seconds[ok], columns[metric][ok]
    slope, base = np.polyfit(t - t[0], y, 1)
    fit = base + slope * (t - t[0])
    leak = bool(np.corrcoef(fit, y)[0, 1] ** 2 > 0.8 and slope > 0)
    head = (limit_bytes - y[-1]) / slope if limit_bytes and leak else None
    return Assessment(
        Verdict(
            Answer.LEAK if leak else Answer.NO_LEAK,
            Shape.LINEAR if leak else Shape.FLAT,
            0.9,
            metric,
            Trend(slope, slope * 0.9, slope * 1.1, len(t)) if leak else None,
            float(t[0]) if leak else None,
            (),
            (f"{metric} grows by {slope * 3600 / 2**20:.1f} MiB/h",),
        ),
        forecast=None if head is None else Forecast(head, head * 0.9, head * 1.1),
        explanations=(Explanation("line", True, 0.9, 0.0), Explanation("flat", False, 0.1, 2.2)),
        fit=Fit(t, y, fit, slope * (t - t[0]) if leak else np.zeros_like(t)),
    )
