"""A trend in one line of text, where no picture can be shown. Pure."""

import numpy as np

from leakwatch.tell import units
from leakwatch.tell.sentences import metric_name
from leakwatch.trace import Trace

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(trace: Trace, metric: str | None, width: int = 32) -> str | None:
    """``▁▁▂▃▄▅▆▇█ anon 1.8 to 3.4 GiB over 24 h``; None where the trace has nothing to show of that column."""
    column = trace.columns.get(metric or "")
    if column is None or not np.isfinite(column).any():
        return None
    known = np.isfinite(column)
    time, level = trace.time_seconds[known], column[known]
    edges = np.linspace(time[0], max(time[-1], time[0] + 1.0), min(width, time.size) + 1)
    inside = np.clip(np.searchsorted(edges, time, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(inside, minlength=len(edges) - 1)
    means = np.bincount(inside, level, minlength=len(edges) - 1) / np.maximum(counts, 1)
    low, high = float(level.min()), float(level.max())
    # Noise on a level line is not blown up: at least 5 % of the level lies between the lowest and the highest bar.
    bottom, spread = low, max(high - low, 0.05 * abs(high), 1.0)
    steps = np.clip(((means - bottom) / spread * len(_BARS)).astype(int), 0, len(_BARS) - 1)
    bars = "".join(_BARS[step] if count else " " for step, count in zip(steps, counts, strict=True))
    span = units.duration(float(time[-1] - time[0]))
    extent = units.size(high) if units.size(low) == units.size(high) else units.size_range(low, high, high)
    return f"{bars} {metric_name(metric)} {extent} over {span}"
