"""From two posteriors to one answer: combine the level's and its floor's, then veto what no longer goes on."""

from dataclasses import dataclass

import numpy as np

from detectors.posterior import Posterior
from detectors.scene import Scene
from detectors.types import Answer, FloatArray

LEAK_ABOVE = 0.70
NO_LEAK_BELOW = 0.40
BOTH_ABOVE = 0.25
SURE = 0.98
LATE_SHARES = (0.15, 0.25, 0.40)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer, the probability of a leak behind it, and why a claim was turned down, if it was."""

    answer: Answer
    probability: float
    objection: str | None


def rule(scene: Scene, level: Posterior, floor: Posterior) -> Ruling:
    """Leak where both the level and its floor say so and nothing objects; undecided in between."""
    odds = 0.5 * _clipped_log_odds(level.leak) + 0.5 * _clipped_log_odds(floor.leak)
    probability = float(1.0 / (1.0 + np.exp(-odds)))
    late = _late_slopes(scene, level)
    claim = level.rate
    steady = level.leak > SURE and all(0.7 * claim < s < 1.5 * claim and s > 4.0 * e for s, e in late)
    if steady:
        probability = max(probability, 0.95)
    elif min(level.leak, floor.leak) < BOTH_ABOVE:
        probability = min(probability, LEAK_ABOVE)
    if probability <= LEAK_ABOVE:
        answer = Answer.NO_LEAK if probability < NO_LEAK_BELOW else Answer.UNDECIDED
        return Ruling(answer, probability, None)
    objection = _stopped(claim, late)
    if objection is not None:
        return Ruling(Answer.NO_LEAK, 0.2, objection)
    objection = None if steady else (_floor_stays(scene, level) or _ends_low(scene, level))
    if objection is not None:
        return Ruling(Answer.UNDECIDED, 0.5, objection)
    return Ruling(Answer.LEAK, probability, None)


def _late_slopes(scene: Scene, posterior: Posterior) -> list[tuple[float, float]]:
    """(slope, standard error) per trace duration, of the level without its nuisance part, over the last 15, 25, 40 %."""
    best = posterior.best_leak
    if best is None:
        return []
    if best.frame == "restart":
        rows = scene.judged.piece == scene.judged.piece[-1]
        shares: tuple[float, ...] = (LATE_SHARES[-1],)
    else:
        rows = np.ones_like(scene.judged.piece, dtype=bool)
        shares = LATE_SHARES
    x, y = scene.judged.position[rows], (scene.judged.level - best.nuisance)[rows]
    out = []
    for share in shares:
        late = x >= x[-1] - share * (x[-1] - x[0])
        if late.sum() >= 6:
            out.append(_slope(x[late], y[late]))
    return out


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


def _stopped(claim: float, late: list[tuple[float, float]]) -> str | None:
    """Growth well below the claim at the end of the trace: it has stopped or is stopping."""
    short = [(0.3 * claim - slope) / error for slope, error in late]
    if not short:
        return None
    if max(short) > 4.5 or sum(z > 1.8 for z in short) >= 2 or (len(short) == 1 and short[0] > 2.5):
        return "the growth does not go on to the end of the trace"
    return None


def _floor_stays(scene: Scene, posterior: Posterior) -> str | None:
    """The floor of the last fifth hardly above that after the onset: what grew were peaks."""
    best = posterior.best_leak
    if best is None or best.frame != "plain" or len(scene.cut_at):
        return None
    x, floor = scene.judged.position, scene.judged.floor
    early = (x >= posterior.onset) & (x < posterior.onset + 0.2)
    last = x > 0.8
    if not early.any() or not last.any():
        return None
    grown = float(np.quantile(floor[last], 0.2) - np.quantile(floor[early], 0.2))
    claimed = float(best.leak[last].mean() - best.leak[early].mean())
    return "the floor does not rise with the level" if grown < 0.35 * claimed else None


def _ends_low(scene: Scene, posterior: Posterior) -> str | None:
    """A level that ends well below where it has been: falling steps must not pay for a rising line."""
    best = posterior.best_leak
    if best is None or best.frame != "plain" or {"load", "cycle"} & set(best.names):
        return None
    x, floor = scene.judged.position, scene.judged.floor
    end = float(np.median(floor[x > 0.9]))
    before = float(np.quantile(floor[x <= 0.9], 0.8))
    claimed = float(best.leak[-1] - best.leak[0])
    return "the level has been higher before" if before - end > 0.5 * claimed else None


def _clipped_log_odds(p: float) -> float:
    return float(np.clip(np.log(max(p, 1e-12) / max(1.0 - p, 1e-12)), -3.0, 3.0))
