"""What each request leaves behind, and whether the leak follows the requests or the clock."""

import numpy as np

from detectors.forecast import Z95
from detectors.posterior import Posterior
from detectors.scene import Scene
from detectors.types import Attribution, FloatArray, Interval, ModelShare, Trend

CLEARLY = 0.9


def attribute(scene: Scene, posterior: Posterior, leak: Trend) -> Attribution | None:
    """Bytes per request, and per model where the models' own counts exist; None without a request count."""
    if scene.requests is None:
        return None
    begin = scene.first + scene.span * posterior.onset
    end = scene.first + scene.span
    passed = float(scene.requests.at(np.array([end]))[0] - scene.requests.at(np.array([begin]))[0])
    if passed <= 0:
        return None
    follows = _follows(posterior)
    rate = passed / (end - begin)
    whole = Interval(leak.slope_per_second / rate, leak.low / rate, leak.high / rate)
    return Attribution(None if follows == "time" else whole, _by_model(scene, posterior), follows)


def _follows(posterior: Posterior) -> str:
    """Requests or time, by the weight of the explanations that are one or the other."""
    share = posterior.by_requests
    if share is None:
        return "unclear"
    return "requests" if share > CLEARLY else "time" if share < 1.0 - CLEARLY else "unclear"


def _by_model(scene: Scene, posterior: Posterior) -> tuple[ModelShare, ...]:
    """Regress what is left of the level on every model's cumulative count, dropping those that come out negative."""
    best = posterior.best_leak
    if best is None:
        return ()
    at = scene.first + scene.span * posterior.judged.position
    counts = {model: count.at(at) for model, count in scene.model_requests.items()}
    rest = posterior.judged.level - best.nuisance - best.growth
    kept = list(counts)
    while kept:
        estimate, deviation = _regress(rest, [counts[m] for m in kept])
        if estimate.min() >= 0 or len(kept) == 1:
            break
        kept.pop(int(np.argmin(estimate)))
    if not kept:
        return ()
    grown = np.array([max(e, 0.0) * (counts[m][-1] - counts[m][0]) for m, e in zip(kept, estimate, strict=True)])
    shares = grown / grown.sum() if grown.sum() > 0 else grown
    found_shares = [
        ModelShare(m, Interval(float(e), float(e - Z95 * d), float(e + Z95 * d)), float(s))
        for m, e, d, s in zip(kept, estimate, deviation, shares, strict=True)
    ]
    silent = [ModelShare(m, Interval(0.0, 0.0, 0.0), 0.0) for m in counts if m not in kept]
    return tuple(sorted(found_shares, key=lambda s: -s.share) + silent)


def _regress(level: FloatArray, counts: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Least squares with a constant; deviations inflated for the residuals' first-order autocorrelation."""
    design = np.stack([np.ones_like(level), *counts], axis=1)
    scale = np.maximum(np.abs(design).max(axis=0), 1e-12)
    inverse = np.linalg.pinv(design / scale)
    solution = inverse @ level
    rest = level - design / scale @ solution
    power = float(rest @ rest)
    rho = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), 0.95) if power > 0 else 0.0
    variance = power / max(len(level) - design.shape[1], 1) * (1.0 + rho) / (1.0 - rho)
    deviation = np.sqrt(variance * np.einsum("ij,ij->i", inverse, inverse))
    return (solution / scale)[1:], (deviation / scale)[1:]
