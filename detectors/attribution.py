"""What each request leaves behind, and whether the leak follows the requests or the clock."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.forecast import Z95
from detectors.posterior import Posterior
from detectors.scene import Scene
from detectors.series import distinct
from detectors.types import Attribution, FloatArray, Interval, ModelShare, Trend

CLEARLY = 0.9


def attribute(scene: Scene, lead: Posterior, level: Posterior, leak: Trend) -> Attribution | None:
    """Bytes per request, and per model where the models' own counts exist; None without a request count.

    Args:
        scene: the trace.
        lead: whose slope ``leak`` is.
        level: of the level, on whose bins the models are told apart: its floor's have the load taken off already.
        leak: the slope.
    """
    if scene.requests is None:
        return None
    begin = scene.first + scene.span * lead.onset
    end = scene.first + scene.span
    passed = float(scene.requests.at(np.array([end]))[0] - scene.requests.at(np.array([begin]))[0])
    if passed <= 0:
        return None
    follows = _follows(lead)
    rate = passed / (end - begin)
    whole = Interval(leak.slope_per_second / rate, leak.low / rate, leak.high / rate)
    return Attribution(None if follows == "time" else whole, _by_model(scene, level), follows)


def _follows(posterior: Posterior) -> str:
    """Requests or time, by the weight of the explanations that are one or the other."""
    share = posterior.by_requests
    if share is None:
        return "unclear"
    return "requests" if share > CLEARLY else "time" if share < 1.0 - CLEARLY else "unclear"


def _by_model(scene: Scene, posterior: Posterior) -> tuple[ModelShare, ...]:
    """Regress the level on every model's cumulative count, alone or beside what else moves it, whichever tells more.

    All nuisance and all growth are one curve of free height each: they were drawn beside a leak of one shape, and may
    hold part of what several models together draw.
    """
    if not scene.model_requests:
        return ()
    best, judged = posterior.best_leak or posterior.best, posterior.judged
    at = scene.first + scene.span * judged.position
    counts = {model: count.at(at) for model, count in scene.model_requests.items()}
    levels = [(judged.piece == piece).astype(float) for piece in distinct(judged.piece)]
    fits = [_rising(judged.level, counts, beside) for beside in (levels, [*levels, best.nuisance, best.growth])]
    found = min(fits, key=lambda fit: fit.information)
    grown = {m: max(e, 0.0) * float(counts[m][-1] - counts[m][0]) for m, (e, _) in found.by_model.items()}
    total = max(sum(grown.values()), 1e-300)
    told = [
        ModelShare(m, Interval(e, e - Z95 * d, e + Z95 * d), grown[m] / total) for m, (e, d) in found.by_model.items()
    ]
    silent = [ModelShare(m, Interval(0.0, 0.0, 0.0), 0.0) for m in counts if m not in found.by_model]
    return tuple(sorted(told, key=lambda s: -s.share) + silent)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Estimate and deviation by model, and the information criterion (Schwarz 1978) of the fit."""

    by_model: Mapping[str, tuple[float, float]]
    information: float


def _rising(level: FloatArray, counts: Mapping[str, FloatArray], beside: list[FloatArray]) -> _Fit:
    """Least squares on the counts, dropping one after another that comes out negative."""
    kept = list(counts)
    while True:
        estimate, deviation, power = _regress(level, [counts[m] for m in kept], beside)
        if estimate.min() >= 0 or len(kept) == 1:
            break
        kept.pop(int(np.argmin(estimate)))
    n = len(level)
    information = n * float(np.log(max(power, 1e-300) / n)) + (len(kept) + len(beside)) * float(np.log(n))
    by_model = dict(zip(kept, zip(estimate.tolist(), deviation.tolist(), strict=True), strict=True))
    return _Fit(by_model, information)


def _regress(
    level: FloatArray, counts: list[FloatArray], beside: list[FloatArray]
) -> tuple[FloatArray, FloatArray, float]:
    """Each count's coefficient and its deviation, and the squares left, beside columns that may be collinear or zero;
    deviations inflated for the residuals' first-order autocorrelation."""
    design = np.stack([*counts, *beside], axis=1)
    scale = np.maximum(np.abs(design).max(axis=0), 1e-12)
    inverse = np.linalg.pinv(design / scale, rcond=1e-9)
    solution = inverse @ level
    rest = level - design / scale @ solution
    power = float(rest @ rest)
    rho = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), 0.95) if power > 0 else 0.0
    variance = power / max(len(level) - design.shape[1], 1) * (1.0 + rho) / (1.0 - rho)
    deviation = np.sqrt(variance * np.einsum("ij,ij->i", inverse, inverse))
    return (solution / scale)[: len(counts)], (deviation / scale)[: len(counts)], power
