"""When the level reaches the limit: the leak carries the load's pattern upwards until its first peak touches."""

from dataclasses import dataclass

import numpy as np

from detectors.posterior import Posterior
from detectors.scene import Scene
from detectors.series import quantile
from detectors.types import FloatArray, Forecast, Trend

DAY_SECONDS = 86400.0
Z95 = 1.96
FUTURE_DEVIATIONS = 1.3
"""By how much the slope's interval is widened for the time ahead, whose rate is known less than that so far."""
LEVEL_DEVIATIONS = 2.5
"""How many of the residuals' deviations the level may differ from what was seen, both ways."""


def trend(scene: Scene, posterior: Posterior) -> Trend:
    """The leak's slope with its 95 % interval.

    The mixture's deviation holds the noise law's, the shape's and the onset's uncertainty; the
    1 % covers the coarseness of the grids and noise that is not Gaussian (calibrated in benchmarks/RESULTS.md).
    """
    slope = posterior.rate / scene.span
    deviation = float(np.hypot(1.1 * posterior.rate_deviation, 0.01 * posterior.rate)) / scene.span
    return Trend(slope, slope - Z95 * deviation, slope + Z95 * deviation, scene.samples)


def forecast(scene: Scene, posterior: Posterior, leak: Trend) -> Forecast | None:
    """Time from the end to the first touch of the limit; None without a limit or without a rising slope.

    What the load did lately is taken to come back, lifted by the leak: the estimate touches with the 98 % quantile of
    that pattern, the low end with its peaks and the steepest slope, the high end with its calmer three quarters.
    """
    best = posterior.best_leak
    if scene.limit is None or best is None or leak.slope_per_second <= 0:
        return None
    time, pattern = _recent(scene, posterior)
    curve = _Curve(scene.span, best.power)
    faster, slower = _Curve(scene.span, best.power * 1.2), _Curve(scene.span, max(best.power * 0.8, 1.0))
    if best.power == 1.0:
        faster = slower = curve
    room = scene.limit - pattern
    estimate = _first_touch(time, room.clip(scene.limit - quantile(pattern, 0.98)), curve, leak.slope_per_second)
    unsure = LEVEL_DEVIATIONS * posterior.noise
    steepest = leak.slope_per_second + FUTURE_DEVIATIONS * (leak.high - leak.slope_per_second)
    calmest = leak.slope_per_second - FUTURE_DEVIATIONS * (leak.slope_per_second - leak.low)
    low = _first_touch(time, room - unsure, faster, steepest)
    high = None
    if calmest > 0.02 * leak.slope_per_second:
        high = _first_touch(time, room.clip(scene.limit - quantile(pattern, 0.75)) + unsure, slower, calmest)
    return Forecast(estimate, min(low, estimate), None if high is None else max(high, estimate))


@dataclass(frozen=True, slots=True)
class _Curve:
    """A leak that grew as the ``power`` of time over ``span`` seconds."""

    span: float
    power: float

    def time_for(self, growth: FloatArray, slope: float) -> FloatArray:
        """Seconds until it has grown by as much again, where ``slope`` (bytes per second) was its mean so far."""
        share = np.maximum(growth, 0.0) / (slope * self.span)
        return self.span * ((1.0 + share) ** (1.0 / self.power) - 1.0)


def _recent(scene: Scene, posterior: Posterior) -> tuple[FloatArray, FloatArray]:
    """(m,) seconds before the end, negative, and the level there with the leak's later growth added: the pattern that
    goes on. The last day, or the last half of the trace where that is longer; of a restarted process its last life."""
    time, level, best = scene.series.time, scene.series.value, posterior.best_leak
    begin = time[-1] - max(min(DAY_SECONDS, scene.span), scene.span / 3.0)
    if best is not None and best.frame == "restart":
        begin = max(begin, scene.first + scene.span * scene.cut_at[-1])
    keep = time >= min(begin, time[max(len(time) - 5, 0)])
    leak = np.zeros_like(level)
    if best is not None:
        leak = np.interp(time, scene.first + scene.span * posterior.judged.position, best.leak)
        past_end = (time - scene.first) / scene.span - posterior.judged.position[-1]
        leak += np.maximum(past_end, 0.0) * posterior.rate * best.power
    return time[keep] - time[-1], level[keep] + leak[-1] - leak[keep]


def _first_touch(ahead: FloatArray, room: FloatArray, curve: _Curve, slope: float) -> float:
    """Seconds until the pattern, repeated over and over and lifted by the leak, first fills the ``room`` above it.

    The point at ``ahead`` <= 0 comes back every length of the pattern; it touches at its first return after the leak
    has grown by its room.
    """
    window = max(float(ahead[-1] - ahead[0]), 1e-9)
    rounds = np.ceil((curve.time_for(room, slope) - ahead) / window)
    return float(max(np.min(ahead + np.maximum(rounds, 1.0) * window), 0.0))
