"""When the level reaches the limit: the leak carries the load's pattern upwards until its first peak touches."""

import numpy as np

from detectors.posterior import Posterior
from detectors.scene import Scene
from detectors.types import FloatArray, Forecast, Trend

DAY_SECONDS = 86400.0
Z95 = 1.96


def trend(scene: Scene, posterior: Posterior) -> Trend:
    """The leak's slope with its 95 % interval.

    The mixture's deviation holds the noise law's, the shape's and the onset's uncertainty; the factor 1.2 and the
    1 % cover the coarseness of the grids and noise that is not Gaussian (calibrated in benchmarks/RESULTS.md).
    """
    slope = posterior.rate / scene.span
    deviation = np.hypot(1.2 * posterior.rate_deviation, 0.01 * posterior.rate) / scene.span
    return Trend(slope, slope - Z95 * deviation, slope + Z95 * deviation, scene.samples)


def forecast(scene: Scene, posterior: Posterior, leak: Trend) -> Forecast | None:
    """Time from the end to the first touch of the limit; None without a limit or without a rising slope."""
    if scene.limit is None or leak.slope_per_second <= 0:
        return None
    time, level = _recent(scene, posterior)
    ahead = time - time[-1]
    pattern = level - leak.slope_per_second * ahead
    peaks = np.minimum(pattern, np.quantile(pattern, 0.98))
    calm = np.minimum(pattern, np.quantile(pattern, 0.75))
    window = float(time[-1] - time[0])
    estimate = _first_touch(ahead, peaks, scene.limit, leak.slope_per_second, window)
    low = _first_touch(ahead, pattern, scene.limit, leak.high, window)
    high = _first_touch(ahead, calm, scene.limit, leak.low, window) if leak.low > 0.02 * leak.slope_per_second else None
    return Forecast(estimate, min(low, estimate), None if high is None else max(high, estimate))


def _recent(scene: Scene, posterior: Posterior) -> tuple[FloatArray, FloatArray]:
    """The stretch whose pattern goes on: the last day of traces that hold one, else the last third, since the last cut."""
    time, level = scene.series.time, scene.series.value
    begin = time[-1] - (DAY_SECONDS if scene.span >= DAY_SECONDS else scene.span / 3.0)
    if len(scene.cut_at) and posterior.best_leak is not None and posterior.best_leak.frame == "restart":
        begin = max(begin, scene.first + scene.span * scene.cut_at[-1])
    keep = time >= begin
    if keep.sum() < 5:
        keep = np.arange(len(time)) >= len(time) - 5
    return time[keep], level[keep]


def _first_touch(ahead: FloatArray, pattern: FloatArray, limit: float, slope: float, window: float) -> float:
    """Seconds until ``pattern`` (m,), repeated every ``window`` and lifted by ``slope``, first reaches the limit.

    The point at ``ahead`` <= 0 comes back at ahead + k * window, at the level pattern + slope * (ahead + k * window).
    """
    rounds = np.ceil(np.maximum((limit - pattern) / slope - ahead, 0.0) / window)
    return float(max(np.min(ahead + np.maximum(rounds, 1.0) * window), 0.0))
