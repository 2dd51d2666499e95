"""The rules that others judge memory by, as their users run them: each says whether it would raise an alarm.

Every rule takes (n,) Unix seconds, (n,) bytes of finite values, and the limit in bytes or None; a rule that needs a
limit cannot fire without one. The rank tests run on medians of at most 600 points: their cost grows with the square.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Rule = Callable[[FloatArray, FloatArray, float | None], bool]

HOUR_SECONDS = 3_600.0
RANK_TEST_POINTS = 600
SIGNIFICANT_AT = 1.959964  # two-sided 5 % of the normal law


def line(time: FloatArray, level: FloatArray) -> tuple[float, float, float]:
    """Slope per second, value at the last sample, and R squared of least squares (0, last value, 0 where undefined)."""
    clock = time - time.mean()
    spread, around = float(clock @ clock), level - level.mean()
    if len(time) < 2 or spread == 0:
        return 0.0, float(level[-1]), 0.0
    slope = float(clock @ around) / spread
    total = float(around @ around)
    explained = slope * slope * spread / total if total > 0 else 0.0
    return slope, float(level.mean() + slope * clock[-1]), explained


def predict_linear(window_hours: float, ahead_hours: float) -> Rule:
    """Prometheus ``predict_linear(memory[window], ahead) > limit``: least squares on the last samples, extended."""

    def rule(time: FloatArray, level: FloatArray, limit: float | None) -> bool:
        if limit is None:
            return False
        last = time >= time[-1] - window_hours * HOUR_SECONDS
        slope, end, _ = line(time[last], level[last])
        return end + slope * ahead_hours * HOUR_SECONDS >= limit

    return rule


def medians(time: FloatArray, level: FloatArray, most: int = RANK_TEST_POINTS) -> tuple[FloatArray, FloatArray]:
    """Medians of at most ``most`` groups of neighbouring samples, all of one size (the oldest odd ones are dropped)."""
    size = math.ceil(len(level) / most)
    kept = len(level) - len(level) % size
    return (
        np.median(time[-kept:].reshape(-1, size), axis=1),
        np.median(level[-kept:].reshape(-1, size), axis=1),
    )


def mann_kendall_score(level: FloatArray) -> tuple[float, float]:
    """Kendall's S (rising minus falling pairs) and its variance under independence, ties allowed for.

    Source: Mann 1945, Kendall 1975; variance n(n-1)(2n+5)/18 less t(t-1)(2t+5)/18 for each group of t equal values.
    """
    n = len(level)
    _, rank, ties = np.unique(level, return_inverse=True, return_counts=True)
    difference = rank[None, :] - rank[:, None]
    score = float(np.sign(difference[np.triu_indices(n, 1)]).sum())
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    return score, variance


def sen_slope(time: FloatArray, level: FloatArray) -> float:
    """Median of the slopes of all pairs (Sen 1968)."""
    first, second = np.triu_indices(len(time), 1)
    return float(np.median((level[second] - level[first]) / (time[second] - time[first])))


def hamed_rao_inflation(time: FloatArray, level: FloatArray, slope: float) -> float:
    """By how much autocorrelation inflates the variance of S (Hamed and Rao 1998, equation 17).

    From the ranks of the series without its Sen trend, over the lags whose correlation is significant at 5 %.
    """
    n = len(level)
    if n < 4:  # no lag to speak of
        return 1.0
    rank = np.argsort(np.argsort(level - slope * (time - time[0]), kind="stable"), kind="stable").astype(np.float64)
    rank -= rank.mean()
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(rank, size)
    correlation = np.fft.irfft(spectrum * spectrum.conj(), size)[1:n] / float(rank @ rank)
    lag = np.arange(1, n)
    counted = np.abs(correlation) > SIGNIFICANT_AT / math.sqrt(n)
    weights = (n - lag) * (n - lag - 1.0) * (n - lag - 2.0)
    return 1 + 2 / (n * (n - 1.0) * (n - 2.0)) * float((weights * correlation)[counted].sum())


def _rising(time: FloatArray, level: FloatArray, corrected: bool) -> bool:
    time, level = medians(time, level)
    score, variance = mann_kendall_score(level)
    if score <= 0 or variance <= 0:
        return False
    slope = sen_slope(time, level)
    if corrected:
        variance *= max(hamed_rao_inflation(time, level, slope), 1e-9)
    return (score - 1) / math.sqrt(variance) > SIGNIFICANT_AT and slope > 0


def mann_kendall(time: FloatArray, level: FloatArray, limit: float | None) -> bool:
    """Significant at 5 % with a positive Sen slope; samples taken for independent."""
    return _rising(time, level, corrected=False)


def hamed_rao(time: FloatArray, level: FloatArray, limit: float | None) -> bool:
    """The same with the variance corrected for autocorrelation."""
    return _rising(time, level, corrected=True)


def straight_line(time: FloatArray, level: FloatArray, limit: float | None) -> bool:
    """Least squares over the whole trace with a positive slope and R squared over 0.8 (Precog, arXiv 2101.09799)."""
    slope, _, explained = line(time, level)
    return slope > 0 and explained > 0.8


def _unhalved(level: FloatArray) -> slice:
    """The longest run of samples in which the level never falls to less than half of the sample before."""
    cuts = np.flatnonzero(level[1:] < 0.5 * level[:-1]) + 1
    edges = np.concatenate([[0], cuts, [len(level)]])
    longest = int(np.argmax(np.diff(edges)))
    return slice(int(edges[longest]), int(edges[longest + 1]))


def coroot_shape(time: FloatArray, level: FloatArray, limit: float | None) -> bool:
    """Coroot's shape alone: a rising line through the longest run, its last quarter at least 0.3 times as steep."""
    run = _unhalved(level)
    time, level = time[run], level[run]
    slope, _, _ = line(time, level)
    late = time >= time[0] + 0.75 * (time[-1] - time[0])
    return slope > 0 and line(time[late], level[late])[0] >= 0.3 * slope


def coroot(time: FloatArray, level: FloatArray, limit: float | None) -> bool:
    """Coroot's rule: its shape, and 5 % of the limit (without one: of the level) per hour."""
    run = _unhalved(level)
    slope, _, _ = line(time[run], level[run])
    size = float(level.mean()) if limit is None else limit
    return slope * HOUR_SECONDS >= 0.05 * size and coroot_shape(time, level, limit)


def share_of_limit(time: FloatArray, level: FloatArray, limit: float | None) -> bool:
    """The commonest alert of all: the last level above 90 % of the limit."""
    return limit is not None and float(level[-1]) > 0.9 * limit


RULES: Mapping[str, Rule] = {
    "predict_linear, 1 h to 4 h ahead": predict_linear(1, 4),
    "predict_linear, 6 h to 24 h ahead": predict_linear(6, 24),
    "predict_linear, 24 h to 96 h ahead": predict_linear(24, 96),
    "Mann-Kendall and Sen": mann_kendall,
    "Hamed-Rao and Sen": hamed_rao,
    "OLS with R2 > 0.8": straight_line,
    "Coroot": coroot,
    "Coroot's shape, any size": coroot_shape,
    "90 % of the limit": share_of_limit,
}
