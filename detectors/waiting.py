"""How much more trace would decide what this one leaves open.

Three things must have happened by then, and the slowest of them says how long to wait:

- the slope's interval excludes zero. At one pace of sampling a slope's standard error falls as T^-1.5 in the length T
  of the trace where noise is white (12 s^2 / n T^2 is its variance) and as T^-0.5 where noise is a random walk (its two
  ends tell all: s^2 T / T^2); what the best explanation leaves tells where between the two this trace lies;
- a leak would have added what matters, and three times the noise: then a plateau and a leak have parted;
- where load or a cycle is in play and less than two days were seen, one more day has passed.

It is never under a tenth of the trace, and never over four times the trace: beyond that a guess would be a promise.
"""

from dataclasses import dataclass

import numpy as np

from detectors.forecast import DAY_SECONDS, Z95
from detectors.posterior import Posterior
from detectors.scene import Scene
from detectors.wording import duration, number, rate, rates, size

LEAST_SHARE, MOST_SHARE = 0.1, 4.0
NOISES_APART = 3.0
SHORTEST_DAILY_SHARE = 0.25
"""A trace under this share of a day shows too little of the day to wait for another."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How many more seconds of trace, and what they are for."""

    seconds: float
    why: str


def wait_for_more(scene: Scene, lead: Posterior) -> Wait:
    """How long until this trace, gone on as it does, would be decided."""
    span, growth = scene.span, max(lead.rate, 1e-9)
    apart = max(scene.material, NOISES_APART * lead.noise)
    longer = {
        "slope": (Z95 * lead.rate_deviation / growth) ** (1.0 / error_exponent(lead)) - 1.0,
        "growth": apart / growth,
        "day": _day(scene, lead) / span,
    }
    slowest = max(longer, key=lambda reason: longer[reason])
    share = float(np.clip(longer[slowest], LEAST_SHARE, MOST_SHARE))
    low, high = ((lead.rate + sign * Z95 * lead.rate_deviation) / span for sign in (-1.0, 1.0))
    holds = "holds" if low <= 0.0 else "almost holds"
    why = {
        "slope": f"the slope's interval, {rates(low, high)}, {holds} zero and narrows as the trace grows",
        "growth": f"at {rate(lead.rate / span)} a leak would add {size(lead.rate * share)} by then, a plateau nothing",
        "day": f"only {duration(span)} were seen, and a whole day more shows what load and time of day do",
    }[slowest]
    if longer[slowest] > MOST_SHARE:
        why = f"growth is so slow against its noise that {number(1.0 + MOST_SHARE)} times this trace may be needed"
    return Wait(span * share, f"another {duration(span * share)} would tell: {why}")


def error_exponent(posterior: Posterior) -> float:
    """How fast a slope's error falls with the trace's length: 1.5 for white noise, 0.5 for a random walk, between them
    by the lag-one autocorrelation of what the best explanation leaves."""
    best, level = posterior.best, posterior.judged.level
    rest = level - best.nuisance - best.growth - best.leak
    power = float(rest @ rest)
    rho = float(rest[1:] @ rest[:-1]) / power if power > 0 else 0.0
    return 1.5 - min(max(rho, 0.0), 1.0)


def wait_for_samples(time_seconds: np.ndarray, known: int, needed: int) -> float | None:
    """Seconds until ``needed`` samples are known, at the trace's own median pace; None where it has no pace."""
    if len(time_seconds) < 2:
        return None
    return float(np.median(np.diff(time_seconds))) * (needed - known)


def _day(scene: Scene, lead: Posterior) -> float:
    """Seconds that are missing to one more daily period; 0 where nothing periodic is in play or two days were seen."""
    best = lead.best_leak if lead.best_leak is not None else lead.best
    periodic = bool({"load", "cycle"} & {*best.names, *lead.best.names}) or lead.best.healthy_family == "load"
    if not periodic or not SHORTEST_DAILY_SHARE * DAY_SECONDS < scene.span < 2.0 * DAY_SECONDS:
        return 0.0
    return DAY_SECONDS
