"""All frames' outcomes put together: how likely a leak is, how fast, since when, and the best explanation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.binning import Judged
from detectors.evidence import Outcome, draw
from detectors.naming import explanation_name
from detectors.types import Explanation, FloatArray


@dataclass(frozen=True, slots=True)
class Best:
    """The explanation with the most weight of its kind, drawn on the bins; all arrays (n,).

    ``periodic`` is the part that comes back by itself (load and cycle), of the nuisance and of a load-following growth.
    """

    frame: str
    names: tuple[str, ...]
    leak_family: str
    healthy_family: str
    healthy_curve: int
    power: float
    weight: float
    nuisance: FloatArray
    periodic: FloatArray
    growth: FloatArray
    leak: FloatArray


@dataclass(frozen=True, slots=True)
class Posterior:
    """What the competition says of one series.

    Attributes:
        leak: probability that there is a leak whose growth is material.
        rate, rate_deviation: of the leak, per trace duration, over the leaking explanations.
        onset: weighed mean onset, 0..1.
        by_requests: share of the belief in leaks, material or not, that grow with each request; None where none such
            competed.
        explanations: kinds that competed, the best first.
        best: the single best explanation of all; best_leak: of those that hold a leak.
        judged: the bins that it was found on.
        noise: root mean square of what the best explanation leaves, in the level's unit.
    """

    leak: float
    rate: float
    rate_deviation: float
    onset: float
    by_requests: float | None
    explanations: tuple[Explanation, ...]
    best: Best
    best_leak: Best | None
    judged: Judged
    noise: float


def combine(outcomes: Sequence[Outcome], judged: Judged, *, named: bool = True) -> Posterior:
    """Normalise over all frames and sum up; the kinds of explanation are listed only where ``named``."""
    top = max(float(o.log_weight.max()) for o in outcomes)
    weights = [np.exp(o.log_weight - top) for o in outcomes]
    believed = [w * o.exceeds for o, w in zip(outcomes, weights, strict=True)]
    total, mass = (float(sum(v.sum() for v in values)) for values in (weights, believed))
    rate = square = onset = 0.0
    for o, b in zip(outcomes, believed, strict=True):
        rate += float(b @ o.rate)
        square += float(b @ (o.rate**2 + o.rate_variance))
        onset += float(b @ np.concatenate([[0.0], o.frame.leaking.onset])[o.chosen[3]])
    rate, square, onset = (v / max(mass, 1e-300) for v in (rate, square, onset))
    best = _best(outcomes, weights, judged.level, total)
    rest = judged.level - best.nuisance - best.growth - best.leak
    return Posterior(
        leak=mass / total,
        rate=rate,
        rate_deviation=float(np.sqrt(max(square - rate**2, 0.0))),
        onset=onset,
        by_requests=_by_requests(outcomes, weights),
        explanations=_kinds(outcomes, weights, total) if named else (),
        best=best,
        best_leak=_best(outcomes, believed, judged.level, total) if mass > 1e-12 * total else None,
        judged=judged,
        noise=float(np.sqrt(np.mean(rest**2))),
    )


def _kinds(outcomes: Sequence[Outcome], weights: Sequence[FloatArray], total: float) -> tuple[Explanation, ...]:
    """Shares of belief by kind of explanation (frame, nuisance groups, healthy curve, leak curve), the best first."""
    kinds: dict[tuple[str, bool], float] = {}
    for o, w in zip(outcomes, weights, strict=True):
        healthy, of_healthy = _numbered(o.frame.healthy.family)
        leaking, of_leaking = _numbered(o.frame.leaking.family)
        s, _, grow, leak = o.chosen
        shape = (len(o.sets), len(healthy), len(leaking))
        key = np.ravel_multi_index((s, of_healthy[grow], of_leaking[leak]), shape)
        sums = np.bincount(key, weights=w, minlength=int(np.prod(shape)))
        present = np.flatnonzero(np.bincount(key))
        for at, s_at, grow_at, leak_at in zip(present, *np.unravel_index(present, shape), strict=True):
            groups = [g.name for g in o.sets[s_at]]
            name = explanation_name(o.frame.name, groups, healthy[grow_at], leaking[leak_at])
            kind = name, bool(leaking[leak_at])
            kinds[kind] = kinds.get(kind, 0.0) + float(sums[at])
    ranked = sorted(kinds.items(), key=lambda kind: -kind[1])
    first = ranked[0][1]
    return tuple(
        Explanation(name, leaks, w / total, float(np.log(first / max(w, 1e-300)))) for (name, leaks), w in ranked
    )


def _by_requests(outcomes: Sequence[Outcome], weights: Sequence[FloatArray]) -> float | None:
    if not any("requests" in o.frame.leaking.family for o in outcomes):
        return None
    leaks = requests = 0.0
    for o, w in zip(outcomes, weights, strict=True):
        names, number = _numbered(o.frame.leaking.family)
        by_family = np.bincount(number[o.chosen[3]], weights=w, minlength=len(names))
        leaks += float(by_family[1:].sum())
        requests += float(by_family[names.index("requests")]) if "requests" in names else 0.0
    return requests / leaks if leaks > 0 else 0.0


def _numbered(family: tuple[str, ...]) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct names, "" for none first, and each curve's number among them."""
    names = list(dict.fromkeys(("", *family)))
    number = {name: i for i, name in enumerate(names)}
    return names, np.array([0, *(number[name] for name in family)])


def _best(outcomes: Sequence[Outcome], weights: Sequence[FloatArray], level: FloatArray, total: float) -> Best:
    which = int(np.argmax([w.max() for w in weights]))
    o, w = outcomes[which], weights[which]
    at = int(np.argmax(w))
    s, law, grow, leak = (int(i) for i in o.chosen[:, at])
    drawn = draw(o.frame, level, o.sets[s], law, grow, leak)
    healthy = ("", *o.frame.healthy.family)[grow]
    periodic = sum((drawn.groups[g] for g in o.sets[s] if g.name in ("load", "cycle")), np.zeros(len(level)))
    return Best(
        o.frame.name,
        tuple(g.name for g in o.sets[s]),
        ("", *o.frame.leaking.family)[leak],
        healthy,
        grow - 1,
        float(np.concatenate([[1.0], o.frame.leaking.power])[leak]),
        float(w[at]) / total,
        drawn.nuisance,
        periodic + drawn.growth if healthy == "load" else periodic,
        drawn.growth,
        drawn.leak,
    )
