"""All frames' outcomes put together: how likely a leak is, how fast, since when, and the best explanation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.binning import Judged
from detectors.evidence import Outcome, draw
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
        explanations: kinds that competed, the best first.
        best: the single best explanation of all; best_leak: of those that hold a leak.
        judged: the bins that it was found on.
        noise: root mean square of what the best explanation leaves, in the level's unit.
    """

    leak: float
    rate: float
    rate_deviation: float
    onset: float
    explanations: tuple[Explanation, ...]
    best: Best
    best_leak: Best | None
    judged: Judged
    noise: float


def combine(outcomes: Sequence[Outcome], judged: Judged) -> Posterior:
    """Normalise over all frames and sum up."""
    top = max(float(o.log_weight.max()) for o in outcomes)
    weights = [np.exp(o.log_weight - top) for o in outcomes]
    total = sum(float(w.sum()) for w in weights)
    leak = rate = square = onset = mass = 0.0
    kinds: dict[tuple[str, bool], float] = {}
    for o, w in zip(outcomes, weights, strict=True):
        believed = w * o.exceeds
        leak += float(believed.sum())
        mass += float(believed.sum())
        rate += float((believed * o.rate).sum())
        square += float((believed * (o.rate**2 + o.rate_variance)).sum())
        onset += float(believed.sum(axis=(0, 1, 2)) @ np.concatenate([[0.0], o.frame.leaking.onset]))
        _add_kinds(kinds, o, w)
    rate, square, onset = (v / max(mass, 1e-300) for v in (rate, square, onset))
    kept = sorted(kinds.items(), key=lambda k: -k[1])
    first = kept[0][1]
    explanations = tuple(
        Explanation(name, leaks, w / total, float(np.log(first / max(w, 1e-300)))) for (name, leaks), w in kept
    )
    best = _best(outcomes, weights, judged.level, total)
    rest = judged.level - best.nuisance - best.growth - best.leak
    return Posterior(
        leak=leak / total,
        rate=rate,
        rate_deviation=float(np.sqrt(max(square - rate**2, 0.0))),
        onset=onset,
        explanations=explanations,
        best=best,
        best_leak=_best(outcomes, [w * o.exceeds for o, w in zip(outcomes, weights, strict=True)], judged.level, total)
        if mass > 1e-12 * total
        else None,
        judged=judged,
        noise=float(np.sqrt(np.mean(rest**2))),
    )


def _add_kinds(kinds: dict[tuple[str, bool], float], o: Outcome, w: FloatArray) -> None:
    """Weights by kind of explanation: frame, nuisance groups, healthy curve, leak curve."""
    healthy, in_healthy = _families(o.frame.healthy.family)
    leaking, in_leaking = _families(o.frame.leaking.family)
    by_family = in_healthy @ w.sum(axis=1) @ in_leaking.T
    for s, chosen in enumerate(o.sets):
        for h, growth in enumerate(healthy):
            for l, leak in enumerate(leaking):
                parts = [o.frame.name if o.frame.name != "plain" else "", *(g.name for g in chosen), growth, leak]
                key = (" + ".join(p for p in parts if p) or "flat", bool(leak))
                kinds[key] = kinds.get(key, 0.0) + float(by_family[s, h, l])


def _families(family: tuple[str, ...]) -> tuple[list[str], FloatArray]:
    """Names of the families, "" for none first, and the (families, k+1) matrix that sums their members."""
    names = list(dict.fromkeys(("", *family)))
    return names, (np.array(names)[:, None] == np.array(("", *family))).astype(float)


def _best(outcomes: Sequence[Outcome], weights: Sequence[FloatArray], level: FloatArray, total: float) -> Best:
    which = int(np.argmax([w.max() for w in weights]))
    o, w = outcomes[which], weights[which]
    s, law, h, l = np.unravel_index(int(np.argmax(w)), w.shape)
    drawn = draw(o.frame, level, o.sets[s], int(law), int(h), int(l))
    healthy = ("", *o.frame.healthy.family)[h]
    periodic = sum((drawn.groups[g] for g in o.sets[s] if g.name in ("load", "cycle")), np.zeros(len(level)))
    return Best(
        o.frame.name,
        tuple(g.name for g in o.sets[s]),
        ("", *o.frame.leaking.family)[l],
        healthy,
        float(np.concatenate([[1.0], o.frame.leaking.power])[l]),
        float(w[s, law, h, l]) / total,
        drawn.nuisance,
        periodic + drawn.growth if healthy == "load" else periodic,
        drawn.growth,
        drawn.leak,
    )
