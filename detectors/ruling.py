"""From two posteriors to one answer: combine the level's and its floor's, then veto what no longer goes on."""

from dataclasses import dataclass

import numpy as np

from detectors.forecast import trend
from detectors.posterior import Posterior
from detectors.scene import Scene
from detectors.series import median, quantile
from detectors.types import Answer, FloatArray

WEIGHTS = (-1.3, 1.34, 0.56, -1.17)
"""Of the constant and of `features`: a logistic regression on simulated containers and on production pods with and
without added leaks (benchmarks/calibrate.py), so that the probability means what it says."""
LEAK_ABOVE = 0.60
NO_LEAK_BELOW = 0.25
SURE_FLOOR = 0.9
"""A floor this sure of the leak needs no second look at how far it rose."""
OFTEN_KILLED = 0.5
"""Share of the lives that end at the limit from which on they are kills, and the level alone is judged."""
LEAST_SAY = 0.2
MOST_DIFFER = 3.0
"""Bounds of the features: the level's least say, and the most (log) that two rates are taken to differ."""
ONE_SWING_SECONDS = (0.5 * 86_400.0, 1.9 * 86_400.0)
"""Traces that hold one swing of a day, or most of one, and no second one that would tell it from a leak."""
LATE_SHARES = (0.15, 0.25, 0.40)
"""The last shares of a trace over which the growth must go on."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer and what it rests on.

    Attributes:
        answer: leak, no_leak or undecided.
        probability: of a leak.
        lead: the posterior that the slope is read from: the level's or its floor's, whichever is the more certain.
        objection: why a claim was turned down, if it was.
    """

    answer: Answer
    probability: float
    lead: Posterior
    objection: str | None = None


def rule(scene: Scene, level: Posterior, floor: Posterior) -> Ruling:
    """Leak where the level and its floor together say so and nothing objects; undecided in between."""
    if scene.cuts.proven and scene.cuts.at_limit >= OFTEN_KILLED:
        floor = level  # Of lives that end at the limit there are too few low points to judge.
    score = WEIGHTS[0] + float(np.dot(WEIGHTS[1:], features(level, floor)))
    probability = float(1.0 / (1.0 + np.exp(-score)))
    lead = level if level.rate_deviation <= floor.rate_deviation or floor.leak < 0.5 else floor
    if probability <= LEAK_ABOVE:
        return Ruling(Answer.NO_LEAK if probability < NO_LEAK_BELOW else Answer.UNDECIDED, probability, lead)
    if trend(scene, lead).low <= 0:
        return Ruling(Answer.UNDECIDED, probability, lead, "the slope's interval holds zero")
    late = _late_slopes(lead)
    objection = _stopped(late)
    if objection is not None:
        return Ruling(Answer.NO_LEAK, 1.0 - probability, lead, objection)
    objection = (
        _only_the_end(lead)
        or _floor_stays(scene, lead, floor)
        or _ends_low(lead, floor, late)
        or _only_back(scene, lead)
    )
    if objection is not None:
        return Ruling(Answer.UNDECIDED, 0.5, lead, objection)
    return Ruling(Answer.LEAK, probability, lead)


def features(level: Posterior, floor: Posterior) -> tuple[float, float, float]:
    """What the probability of a leak rests on, from the level's and its floor's posterior.

    Returns:
        The log odds of both, each with a say in proportion to how quiet it is (under busy peaks only the floor can show
        a slow leak); how many deviations the steadier of the two rates is from zero, at most
        four; and by what factor (log) the two rates differ, at most a factor of twenty.
    """
    say = float(np.clip(floor.noise / max(level.noise + floor.noise, 1e-9), LEAST_SAY, 0.5))
    odds, odds_floor = _clipped_log_odds(level.leak), _clipped_log_odds(floor.leak)
    certain = max(level.rate / max(level.rate_deviation, 1e-9), floor.rate / max(floor.rate_deviation, 1e-9), 0.0)
    rising = level.rate > 0 and floor.rate > 0
    differ = min(abs(float(np.log(level.rate / floor.rate))), MOST_DIFFER) if rising else MOST_DIFFER
    return say * odds + (1.0 - say) * odds_floor, min(certain, 4.0), differ


def _late_slopes(posterior: Posterior) -> list[tuple[float, float, float]]:
    """(claimed slope, slope, standard error) per trace duration, over the last 15, 25 and 40 %: of the leak's own
    curve, and of the level without what moves it up and down."""
    best, judged = posterior.best_leak, posterior.judged
    if best is None:
        return []
    if best.frame == "restart":
        rows = judged.piece == judged.piece[-1]
        shares: tuple[float, ...] = (LATE_SHARES[-1],)
    else:
        rows = np.ones_like(judged.piece, dtype=bool)
        shares = LATE_SHARES
    explained = best.nuisance + best.growth if best.healthy_family == "load" else best.nuisance
    x, y = judged.position[rows], (judged.level - explained)[rows]
    leak = np.interp(x, judged.position, best.leak)
    rest = y - leak - (0.0 if best.healthy_family == "load" else best.growth[rows])
    out = []
    for share in shares:
        width = share * (x[-1] - x[0])
        late = x >= x[-1] - width
        if late.sum() < 6:
            continue
        slope, error = _slope(x[late], y[late])
        claimed = min(_slope(x[late], leak[late])[0], posterior.rate)
        out.append((claimed, slope, float(np.hypot(error, _wander(x, rest, width)))))
    return out


def _wander(x: FloatArray, rest: FloatArray, width: float) -> float:
    """How much slopes over windows of this width wander where nothing is left to explain: their root mean square over
    the windows before the last. A load that is explained imperfectly bends the end of a trace as it bends the rest."""
    slopes = []
    for end in np.arange(x[-1] - width, x[0] + width, -width / 2.0):
        rows = (x > end - width) & (x <= end)
        if rows.sum() >= 6:
            slopes.append(_slope(x[rows], rest[rows])[0])
    return float(np.sqrt(np.mean(np.square(slopes)))) if len(slopes) >= 2 else 0.0


def _slope(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Least-squares slope and its standard error, inflated for first-order autocorrelation of the residuals."""
    x = x - x.mean()
    spread = float(x @ x)
    slope = float(x @ y) / spread
    rest = y - y.mean() - slope * x
    power = float(rest @ rest)
    rho = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), 0.9) if power > 0 else 0.0
    variance = power / max(len(x) - 2, 1) / spread * (1.0 + rho) / (1.0 - rho)
    return slope, float(np.sqrt(variance)) + 1e-12


def _stopped(late: list[tuple[float, float, float]]) -> str | None:
    """Growth well below the claim at the end of the trace: it has stopped or is stopping."""
    short = [(0.3 * claimed - slope) / error for claimed, slope, error in late]
    if not short:
        return None
    if sum(z > 1.8 for z in short) >= 2 or (len(short) == 1 and short[0] > 3.5):
        return "the growth does not go on to the end of the trace"
    return None


def _only_the_end(posterior: Posterior) -> str | None:
    """Growth that only the last eighth shows: a peak that has just begun looks the same."""
    best = posterior.best_leak
    if best is None or best.frame != "plain":
        return None
    x = posterior.judged.position
    rows = (x > posterior.onset) & (x < 0.875)
    if rows.sum() < 6:
        return None
    claimed = _slope(x[rows], best.leak[rows])[0]
    slope, error = _slope(x[rows], (posterior.judged.level - best.nuisance)[rows])
    return "only the last eighth of the trace shows the growth" if slope + 2.0 * error < 0.5 * claimed else None


def _floor_stays(scene: Scene, posterior: Posterior, lowest: Posterior) -> str | None:
    """The floor of the last fifth hardly above that after the onset: what grew were peaks."""
    best = posterior.best_leak
    if best is None or best.frame != "plain" or len(scene.cut_at) or lowest.leak > SURE_FLOOR:
        return None
    x, floor = lowest.judged.position, lowest.judged.level
    early = (x >= posterior.onset) & (x < posterior.onset + 0.2)
    last = x > 0.8
    if not early.any() or not last.any():
        return None
    grown = quantile(floor[last], 0.2) - quantile(floor[early], 0.2)
    leak = np.interp(x, posterior.judged.position, best.leak)
    claimed = float(leak[last].mean() - leak[early].mean())
    return "the floor does not rise with the level" if grown < 0.35 * claimed else None


def _ends_low(posterior: Posterior, lowest: Posterior, late: list[tuple[float, float, float]]) -> str | None:
    """A level that ends well below where it has been: falling steps must not pay for a rising line.

    It counts for nothing where the level goes on rising as claimed after it fell."""
    best = posterior.best_leak
    if best is None or best.frame != "plain" or {"load", "cycle"} & set(best.names):
        return None
    if late and late[0][1] > max(0.5 * late[0][0], 2.5 * late[0][2]):
        return None
    x, floor = lowest.judged.position, lowest.judged.level
    last = x >= min(0.9, x[-1])
    if last.all():
        return None
    end = median(floor[last])
    before = quantile(floor[~last], 0.8)
    claimed = float(best.leak[-1] - best.leak[0])
    return "the level has been higher before" if before - end > 0.5 * claimed else None


def _only_back(scene: Scene, posterior: Posterior) -> str | None:
    """A level that fell and only comes back to where it was, within about a day and without a request count: half of a
    daily swing looks the same."""
    best = posterior.best_leak
    if best is None or best.frame != "plain" or "load" in best.names or scene.requests is not None:
        return None
    if not ONE_SWING_SECONDS[0] <= scene.span <= ONE_SWING_SECONDS[1]:
        return None
    x, level = posterior.judged.position, posterior.judged.level
    before, lowest, last = level[x <= posterior.onset], level[np.abs(x - posterior.onset) <= 0.1], level[x >= 0.95]
    if len(before) < 6 or not len(lowest) or not len(last):
        return None
    claimed = float(best.leak[-1] - best.leak[0])
    highest = quantile(before, 0.9)
    fell, new = highest - quantile(lowest, 0.2), median(last) - highest
    swings = fell > 0.6 * claimed and new < 0.15 * claimed
    return "it only comes back to where it was, as a daily swing does" if swings else None


def _clipped_log_odds(p: float) -> float:
    return float(np.clip(np.log(max(p, 1e-12) / max(1.0 - p, 1e-12)), -3.0, 3.0))
