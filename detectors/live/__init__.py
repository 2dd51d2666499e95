"""One container watched for ever: samples in, what is true now out. No clock, no input or output."""

import math
from collections.abc import Mapping
from typing import TypeGuard

import numpy as np

from detectors.series import METRICS
from detectors.types import Answer, Forecast, Level, LiveVerdict, Shape, Trend
from detectors.wording import duration, rate, share, size

POINTS = 128
LEAK_SHARE = 0.35
SUSPECTED_SHARE = 0.15
STRAIGHT = 0.9
LEAST_POINTS = 20
NO_LIMIT_MULTIPLE = 4.0


class LiveDetector:
    """Watches one container: `observe` each sample, `judge` when asked.

    Args:
        limit_bytes: the memory limit where none is observed.
    """

    def __init__(self, *, limit_bytes: float | None = None) -> None:
        self._given_limit = limit_bytes
        self._limit: float | None = limit_bytes
        self._available: float | None = None
        self._metric: str | None = None
        self._points: list[tuple[float, float]] = []
        self._every, self._seen = 1, 0
        self._level = Level.QUIET
        self._since: float | None = None

    def observe(self, time_seconds: float, values: Mapping[str, float]) -> None:
        """Take one sample, by the trace's column names; unknown cells are absent or NaN. Never raises on poor data.

        A sample that is not later than the one before is left out.
        """
        name = next((name for name in METRICS if _known(values.get(name))), None)
        if name is None or not math.isfinite(time_seconds):
            return
        if self._points and time_seconds <= self._points[-1][0]:
            return
        limit = values.get("limit_bytes")
        if limit is not None:
            self._limit = limit if _known(limit) and limit > 0 else self._given_limit
        available = values.get("host_available_bytes")
        self._available = available if _known(available) else self._available
        if self._metric != name:
            self._metric, self._points = name, []
        level = float(values[name])
        if self._points and level < 0.6 * self._points[-1][1]:
            self._points = []
        self._since = time_seconds if self._since is None else self._since
        self._seen += 1
        if self._seen % self._every:
            return
        self._points.append((time_seconds, level))
        if len(self._points) >= 2 * POINTS:
            self._points, self._every = self._points[::2], 2 * self._every

    def restarted(self, time_seconds: float, *, killed: bool = False) -> None:
        """A life ended at this time; ``killed``: by the kernel, for memory."""
        self._points, self._every = [], 1

    def judge(self, now_seconds: float) -> LiveVerdict:
        """What is true at this time, of all that was observed so far."""
        if len(self._points) < LEAST_POINTS:
            return self._tell(now_seconds, Level.QUIET, Answer.UNDECIDED, Shape.TOO_SHORT, None, None)
        time, level = np.array(self._points).T
        clock = time - time.mean()
        spread = float(clock @ clock)
        slope = float(clock @ level) / spread
        rest = level - level.mean() - slope * clock
        total = float(((level - level.mean()) ** 2).sum())
        straight = 1.0 - float(rest @ rest) / total if total > 0 else 0.0
        grown = slope * float(time[-1] - time[0])
        part = grown / self._headroom(float(level[0])) if slope > 0 and straight > STRAIGHT else 0.0
        if part < SUSPECTED_SHARE:
            return self._tell(now_seconds, Level.QUIET, Answer.NO_LEAK, Shape.FLAT, None, None)
        error = 1.96 * math.sqrt(float(rest @ rest) / (len(time) - 2) / spread)
        trend = Trend(slope, slope - error, slope + error, len(time))
        held = Level.LEAK if part >= LEAK_SHARE else Level.SUSPECTED
        answer = Answer.LEAK if held is Level.LEAK else Answer.UNDECIDED
        return self._tell(now_seconds, held, answer, Shape.LINEAR, trend, float(time[0]))

    def _headroom(self, onset_level: float) -> float:
        if self._limit is not None:
            return max(self._limit - onset_level, 1.0)
        room = NO_LIMIT_MULTIPLE * onset_level
        return max(room if self._available is None else min(room, self._available), 1.0)

    def _tell(
        self, now: float, held: Level, answer: Answer, shape: Shape, trend: Trend | None, onset: float | None
    ) -> LiveVerdict:
        if held is not self._level:
            self._level, self._since = held, now
        forecast, because = None, []
        if trend is not None and onset is not None:
            grown = trend.slope_per_second * (self._points[-1][0] - onset)
            room = self._headroom(self._points[0][1])
            because.append(f"it grew by {size(grown)} in {duration(now - onset)}: {rate(trend.slope_per_second)}")
            if self._limit is None:
                because.append(
                    f"no limit was seen: {size(room)} is taken for the headroom, of which {share(grown / room)}"
                )
            else:
                left = max(self._limit - self._points[-1][1], 0.0)
                high = left / trend.low if trend.low > 0 else None
                forecast = Forecast(left / trend.slope_per_second, left / trend.high, high)
        return LiveVerdict(held, answer, shape, self._metric, trend, onset, forecast, None, tuple(because), self._since)


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value) and value >= 0
