"""A message to try the channels with: it looks like a real one, and says that it is none. Pure."""

from dataclasses import replace

import numpy as np

from detectors.types import Answer, Forecast, Level, LiveVerdict, Shape, Trend
from leakwatch.ports import Notification, Severity, Stage
from leakwatch.tell.chart_png import chart_png
from leakwatch.tell.incident import IncidentState, News
from leakwatch.tell.message import advance
from leakwatch.tell.sparkline import sparkline
from leakwatch.trace import Target, Trace

MIB, GIB = 1024.0**2, 1024.0**3
_RATE = 12.1 * MIB / 3600


def trial(target: str, now: float) -> Notification:
    """An opened incident of ``target`` at ``now`` (Unix seconds), of the lowest severity, with a chart."""
    time_seconds = now - 86_400 + 300 * np.arange(289.0)
    grown = np.maximum(time_seconds - (now - 60_000), 0.0) * _RATE
    level = 3.8 * GIB - 60_000 * _RATE + grown + 3 * MIB * np.sin(time_seconds / 900)
    trace = Trace(Target("trial", target), time_seconds, {"anon_bytes": level}, 4 * GIB)
    left = (4 * GIB - float(level[-1])) / _RATE
    verdict = LiveVerdict(
        Level.LEAK, Answer.LEAK, Shape.LINEAR, "anon_bytes",
        Trend(_RATE, 0.96 * _RATE, 1.05 * _RATE, 289), now - 60_000, Forecast(left, 0.9 * left, 1.1 * left), None,
        ("This is a trial: nothing was measured, and nothing is wrong.",), now,
    )  # fmt: skip
    _, said = advance(IncidentState(target), News(verdict, 4 * GIB), now)
    if said is None:
        raise AssertionError("a leak opens an incident")
    return replace(
        said,
        key=f"trial@{round(now)}",
        stage=Stage.OPENED,
        severity=Severity.INFO,
        title=f"TRIAL {said.title.removeprefix('LEAK ')} (this is a trial)",
        chart_png=chart_png(trace, verdict, 4 * GIB),
        sparkline=sparkline(trace, "anon_bytes"),
    )
