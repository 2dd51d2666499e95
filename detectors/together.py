"""Replicas judged together by two witnesses: what all of them do in time, and what their restarts give back.

The first is their mean, judged as one trace; load that nobody counts moves it as a leak does. The second is blind to
all that follows the clock, and needs restarts. They are independent, so their odds multiply.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.assess import assess
from detectors.forecast import DAY_SECONDS, Z95
from detectors.given_back import GivenBack
from detectors.pooling import Pooled, pool
from detectors.ruling import LEAK_ABOVE, ONE_SWING_SECONDS
from detectors.scene import material_growth
from detectors.series import median
from detectors.types import Answer, FloatArray, Replica, Shape, Trend, Verdict
from detectors.wording import count, rate, rates

LEAST_BELIEF, MOST_BELIEF = 0.05, 0.995
"""However sure of itself the mean is, the restarts are heard: it does not know what all replicas share."""

CONTRADICTS = 3.0
"""Standard errors between the two slopes from which on the mean's growth is something else than a leak."""

AGREE = 2.0
"""Standard errors between the two slopes up to which they are one."""

NEVER_CAME_BACK = 0.5
"""Share of the claimed growth by which a single day must end above where it began: by the same hour of the next day a
swing has come back."""

HOUR_SECONDS = 3600.0
MOST_LOG_ODDS = 20.0


@dataclass(frozen=True, slots=True)
class Together:
    """What a group does.

    Attributes:
        probability: that it leaks.
        trend: of the leak in each replica; None where there is none. onset: Unix seconds; None where the restarts alone
            show it, or nothing does.
        shape: of the mean, a line where the restarts alone show the leak.
        rising: how many replicas share the leak, 0 without one.
        because: sentences, the most telling first.
    """

    probability: float
    trend: Trend | None
    onset: float | None
    shape: Shape
    rising: int
    because: tuple[str, ...]


def judge_together(time_seconds: FloatArray, replicas: Sequence[Replica], limit_bytes: float | None) -> Together:
    """Judge replicas of one workload, image or node as one.

    Args:
        time_seconds: (m,) the shared grid.
        replicas: at least one.
        limit_bytes: of each; None where there is none.

    Raises:
        ValueError: as `detectors.pooling.pool`.
    """
    pooled = pool(time_seconds, replicas)
    found = assess(pooled.time_seconds, pooled.columns, limit_bytes=limit_bytes, replicas=len(replicas))
    verdict, restarts = found.verdict, pooled.given_back
    probability, because = _by_mean(pooled, verdict), verdict.because
    trend = verdict.trend if probability > LEAK_ABOVE else None
    alone = False
    if restarts is not None:
        if trend is not None and _contradicts(trend, restarts):
            probability, trend = 0.5, None
        belief = min(max(probability, LEAST_BELIEF), MOST_BELIEF)
        odds = belief / (1.0 - belief) * _odds_by_restarts(pooled, restarts, limit_bytes, len(replicas))
        probability = odds / (1.0 + odds)
        shown = _trend(restarts)
        told = (_told(shown),) if shown.low > 0 else ()
        because = told if trend is None else (because[0], *told, *because[1:])
        alone = trend is None
        trend = shown if trend is None else _of_both(trend, restarts)
    if probability <= LEAK_ABOVE or trend is None or trend.low <= 0:
        return Together(min(probability, LEAK_ABOVE), None, None, verdict.shape, 0, verdict.because)
    return Together(
        probability,
        trend,
        None if alone else verdict.onset,
        Shape.LINEAR if alone else verdict.shape,
        pooled.rise_with(trend.slope_per_second),
        because,
    )


def _by_mean(pooled: Pooled, verdict: Verdict) -> float:
    """Probability of a leak that the mean alone gives; of an undecided one the lesser of the two that it may mean."""
    if verdict.verdict is Answer.LEAK:
        return 0.5 if _only_swings(pooled, verdict) else verdict.confidence
    return 1.0 - verdict.confidence if verdict.verdict is Answer.NO_LEAK else 0.5 * verdict.confidence


def _only_swings(pooled: Pooled, verdict: Verdict) -> bool:
    """Growth in about a day of load that nobody counts, most of which is not there at the same hour a day later."""
    time, level = pooled.time_seconds, pooled.columns["anon_bytes"]
    span = float(time[-1] - time[0])
    if verdict.trend is None or verdict.onset is None or "requests_total" in pooled.columns:
        return False
    if not 0.9 * DAY_SECONDS <= span <= ONE_SWING_SECONDS[1]:
        return False
    early = time[time <= time[-1] - min(DAY_SECONDS, span - HOUR_SECONDS)]
    late = early + (time[-1] - early[-1])
    grown = np.interp(late, time, level) - np.interp(early, time, level)
    leaked = np.maximum(late - verdict.onset, 0.0) - np.maximum(early - verdict.onset, 0.0)
    return median(grown) < NEVER_CAME_BACK * verdict.trend.slope_per_second * median(leaked)


def _odds_by_restarts(pooled: Pooled, restarts: GivenBack, limit_bytes: float | None, replicas: int) -> float:
    """Odds that what restarts give back shows a leak whose growth over the trace is material.

    Under the logistic law, whose tails are those of Student's t with nine degrees of freedom (Mudholkar and George,
    Biometrika 65 (1978) 667): the error comes from a handful of restarts and peers.
    """
    span = float(pooled.time_seconds[-1] - pooled.time_seconds[0])
    material = material_growth(pooled.columns["anon_bytes"], limit_bytes) / np.sqrt(replicas) / span
    above = np.pi / np.sqrt(3.0) * (restarts.slope - material) / restarts.deviation
    return float(np.exp(np.clip(above, -MOST_LOG_ODDS, MOST_LOG_ODDS)))


def _contradicts(trend: Trend, restarts: GivenBack) -> bool:
    """Whether restarts give back less than the mean's growth would have them do."""
    deviation = float(np.hypot(restarts.deviation, (trend.high - trend.low) / (2.0 * Z95)))
    return trend.slope_per_second - restarts.slope > CONTRADICTS * deviation


def _trend(restarts: GivenBack) -> Trend:
    width = Z95 * restarts.deviation
    return Trend(restarts.slope, restarts.slope - width, restarts.slope + width, restarts.restarts)


def _of_both(mean: Trend, restarts: GivenBack) -> Trend:
    """The slope that mean and restarts agree on. Load that nobody counts bends the mean and not the restarts: by what
    the two lie further apart than `AGREE` allows, the mean is the less certain (as the moments' estimate of a variance
    between studies, DerSimonian and Laird 1986, all of it the mean's)."""
    own = ((mean.high - mean.low) / (2.0 * Z95)) ** 2
    other = restarts.deviation**2
    bent = max((mean.slope_per_second - restarts.slope) ** 2 - AGREE**2 * (own + other), 0.0)
    weights = np.array([1.0 / max(own + bent, 1e-300), 1.0 / max(other, 1e-300)])
    slope = float(weights @ [mean.slope_per_second, restarts.slope] / weights.sum())
    width = Z95 * float(weights.sum()) ** -0.5
    return Trend(slope, slope - width, slope + width, mean.points)


def _told(shown: Trend) -> str:
    restarts = count(shown.points, "restart")
    return (
        f"what {restarts} gave back grows with the time since the one before, by {rate(shown.slope_per_second)} "
        f"({rates(shown.low, shown.high)}): a leak begins anew, load does not"
    )
