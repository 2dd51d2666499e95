"""One trace in, one assessment out: the order of the work."""

from collections.abc import Mapping, Sequence

import numpy as np

from detectors.attribution import attribute
from detectors.contest import contest
from detectors.cuts import Cut
from detectors.forecast import forecast, trend
from detectors.posterior import Posterior
from detectors.reasons import Evidence, reasons
from detectors.ruling import Ruling, rule
from detectors.scene import Scene, prepare
from detectors.series import choose_metric
from detectors.shape import name_shape
from detectors.types import Answer, Assessment, Fit, FloatArray, Shape, Verdict
from detectors.waiting import wait_for_more, wait_for_samples
from detectors.wording import count

MINIMUM_SAMPLES = 20


def assess(
    time_seconds: FloatArray,
    columns: Mapping[str, FloatArray],
    *,
    limit_bytes: float | None,
    replicas: int = 1,
    restarts: Sequence[float] = (),
) -> Assessment:
    """Does it leak, how fast, since when, how long is left, and why we say so.

    Args:
        time_seconds: (n,) Unix seconds, strictly rising.
        columns: by contract name, each (n,), NaN where unknown.
        limit_bytes: the memory limit, None where there is none.
        replicas: of how many like containers this is the mean (`detectors.pooling`): the growth that matters falls with
            the root of their number, as the noise of a mean does.
        restarts: Unix seconds of the first samples of new lives that something beside the numbers proves.

    Raises:
        ValueError: a column's length differs from ``time_seconds``, or the times do not rise.
    """
    for name, column in columns.items():
        if len(column) != len(time_seconds):
            raise ValueError(f"columns[{name!r}] has {len(column)} values for {len(time_seconds)} times")
    if len(time_seconds) > 1 and not (np.diff(time_seconds) > 0).all():
        raise ValueError("time_seconds must rise strictly")
    if not len(time_seconds):
        return _too_short(None, "there are no samples", None)
    metric = choose_metric(columns)
    if metric is None:
        return _too_short(None, "no memory column has half of its cells known", None)
    known = int(np.isfinite(columns[metric]).sum())
    if known < MINIMUM_SAMPLES:
        why = f"{count(known, 'sample')} cannot be judged: at least {MINIMUM_SAMPLES} are needed"
        return _too_short(metric, why, wait_for_samples(time_seconds, known, MINIMUM_SAMPLES))
    scene = prepare(time_seconds, columns[metric], columns, limit_bytes, replicas, restarts)
    level, floor = contest(scene)
    return _tell(scene, metric, level, floor, rule(scene, level, floor), columns)


def _tell(
    scene: Scene,
    metric: str,
    level: Posterior,
    floor: Posterior,
    ruling: Ruling,
    columns: Mapping[str, FloatArray],
) -> Assessment:
    leaks = ruling.answer is Answer.LEAK
    leak = trend(scene, ruling.lead) if leaks else None
    ahead = forecast(scene, ruling.lead, leak) if leak else None
    who = attribute(scene, ruling.lead, level, leak) if leak else None
    wait = wait_for_more(scene, ruling.lead) if ruling.answer is Answer.UNDECIDED else None
    shape = name_shape(scene, level, ruling, metric, columns)
    verdict = Verdict(
        verdict=ruling.answer,
        shape=shape,
        confidence=_confidence(ruling),
        metric=metric,
        trend=leak,
        onset=scene.at(ruling.lead.onset) if leaks else None,
        restarts=tuple(scene.start + t for t in restarts(scene, level)),
        because=reasons(Evidence(scene, columns, metric, shape, level, floor, ruling, leak, who, wait)),
    )
    more = wait.seconds if wait else None
    return Assessment(
        verdict,
        ahead,
        who,
        more,
        level.explanations,
        _fit(scene, level if level.leak > 0.5 or not leaks else ruling.lead, leaks),
    )


def restarts(scene: Scene, level: Posterior) -> tuple[float, ...]:
    """Seconds on the scene's axis: proven restarts, else falls that the best explanation takes for restarts."""
    if scene.cuts.kind is not Cut.LIVES or not (scene.cuts.proven or level.best.frame == "restart"):
        return ()
    return tuple(scene.cuts.time.tolist())


def _fit(scene: Scene, told: Posterior, leaks: bool) -> Fit:
    """The best explanation on the level's bins: the level's own, or its floor's where only that shows the leak."""
    best = told.best_leak if leaks and told.best_leak is not None else told.best
    at = scene.judged.position
    fitted, leak = (
        np.interp(at, told.judged.position, values) for values in (best.nuisance + best.growth + best.leak, best.leak)
    )
    grown = leak - leak[0] if leaks else np.zeros_like(leak)
    return Fit(scene.start + scene.first + scene.span * at, scene.judged.level, fitted, grown)


def _confidence(ruling: Ruling) -> float:
    """The probability that the verdict holds; of an undecided one, how far it is from either side (1 at a half)."""
    if ruling.answer is Answer.LEAK:
        return ruling.probability
    if ruling.answer is Answer.NO_LEAK:
        return 1.0 - ruling.probability
    return 1.0 - abs(2.0 * ruling.probability - 1.0)


def _too_short(metric: str | None, why: str, more: float | None) -> Assessment:
    verdict = Verdict(Answer.UNDECIDED, Shape.TOO_SHORT, 0.0, metric, None, None, (), (why,))
    return Assessment(verdict, undecided_until_seconds=more)
