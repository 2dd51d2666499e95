"""Fits the live detector's score: what counts is the worst look of a healthy day and the best look of a leak so far.

Looks are no independent examples: a container takes hundreds a week, and one of them above the threshold is a false
alarm. So the examples are bags of looks (multiple-instance learning; Dietterich, Lathrop and Lozano-Perez 1997) whose
score is the largest of their looks', softly: a day of one healthy container; and of each leak, what was seen of it up
to each of `WAYS`. The loss of a bag is logistic, so that the sum is a smooth stand-in for false alarms per week and for
the share of leaks not yet found at these points of their way.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from detectors.types import FloatArray

Ints = np.ndarray
WAYS = np.array([0.15, 0.25, 0.35, 0.45, 0.6, 0.75, 0.95])
WAY_WEIGHTS = np.array([0.5, 1.0, 1.0, 1.0, 1.5, 2.0, 2.0]) / 9.0
SHARPNESS = 3.0
"""Of the soft maximum."""
KNOTS = 5
KNOT_QUANTILES = np.array([0.02, 0.2, 0.5, 0.8, 0.98])
RIDGE = 1e-3
ITERATIONS = 80
FIRST_CONSTANT, FAR_BELOW = -3.0, -30.0


def knots_of(evidence: FloatArray) -> FloatArray:
    """(k, `KNOTS`) rising knots for the curve of each column, at quantiles; NaN is left out."""
    out = []
    for column in evidence.T:
        known = column[np.isfinite(column)]
        knots = list(np.unique(np.quantile(known, KNOT_QUANTILES))) if len(known) else [0.0, 1.0]
        if len(knots) == 1:
            knots = sorted({float(known.min()), float(knots[0]), float(known.max())})
        if len(knots) == 1:
            knots.append(knots[0] + 1.0)
        while len(knots) < KNOTS:  # where many are alike: halve the widest gap
            widest = int(np.argmax(np.diff(knots)))
            knots.insert(widest + 1, 0.5 * (knots[widest] + knots[widest + 1]))
        out.append(knots)
    return np.array(out, dtype=np.float64)


def design(evidence: FloatArray, knots: FloatArray) -> FloatArray:
    """(n, 1 + k (`KNOTS` + 1)) the constant; and of each column its line, bends at the inner knots, and whether it is
    unknown. All of it in single precision."""
    columns = [np.ones(len(evidence), dtype=np.float32)]
    for column, at in zip(evidence.T, knots, strict=True):
        unknown = ~np.isfinite(column)
        span = at[-1] - at[0]
        value = np.clip(np.where(unknown, at[0], column), at[0], at[-1])
        columns.append(np.where(unknown, 0.0, (value - at[0]) / span).astype(np.float32))
        for knot in at[1:-1]:
            columns.append(np.where(unknown, 0.0, np.maximum(value - knot, 0.0) / span).astype(np.float32))
        columns.append(unknown.astype(np.float32))
    return np.column_stack(columns)


def curves(weights: FloatArray, knots: FloatArray) -> list[tuple[tuple[float, ...], tuple[float, ...], float]]:
    """Weights as curves: knots, values there, the value where unknown. The constant is left out."""
    out = []
    for at, of in zip(knots, weights[1:].reshape(len(knots), KNOTS), strict=True):
        span = at[-1] - at[0]
        over = np.maximum(at[:, None] - at[None, :-1], 0.0) / span
        out.append((tuple(at.tolist()), tuple((over @ of[:-1]).tolist()), float(of[-1])))
    return out


@dataclass(frozen=True, slots=True)
class Bags:
    """Looks in bags.

    Attributes:
        healthy: (n,) the day's number, or -1 for a look that is not of a healthy container.
        leak: (n,) the leak's number, or -1. way: (n,) how far it had come.
        price: (days,) of a false alarm on each day. worth: (leaks,) of finding each.
    """

    healthy: Ints
    leak: Ints
    way: FloatArray
    price: FloatArray
    worth: FloatArray

    def loss(self, score: FloatArray) -> tuple[float, FloatArray]:
        """The loss and its derivatives by each look's score."""
        slope = np.zeros(len(score))
        at = np.flatnonzero(self.healthy >= 0)
        day = self.healthy[at]
        most, weight = _soft_maximum(day, len(self.price), score[at])
        total = float(self.price @ np.logaddexp(0.0, most))
        slope[at] = (self.price * _logistic(most))[day] * weight
        at = np.flatnonzero((self.leak >= 0) & (self.way <= WAYS[-1]))
        leak, stretch = self.leak[at], np.searchsorted(WAYS, self.way[at])
        count, ways = len(self.worth), len(WAYS)
        highest = np.full(count, FAR_BELOW)
        np.maximum.at(highest, leak, score[at])
        risen = np.exp(SHARPNESS * (score[at] - highest[leak]))
        sums = np.bincount(leak * ways + stretch, risen, minlength=count * ways).reshape(count, ways).cumsum(1)
        seen = sums > 0.0  # nothing was seen of some leaks up to the first points of their way
        sums = np.where(seen, sums, 1.0)
        best = np.where(seen, highest[:, None] + np.log(sums) / SHARPNESS, FAR_BELOW)
        price = self.worth[:, None] * WAY_WEIGHTS
        total += float((price * np.logaddexp(0.0, -best)).sum())
        later = (seen * price * _logistic(-best) / sums)[:, ::-1].cumsum(1)[:, ::-1]
        slope[at] = -later[leak, stretch] * risen
        return total, slope


def _logistic(value: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(value, -50.0, 50.0))))


def _soft_maximum(bag: Ints, bags: int, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    highest = np.full(bags, FAR_BELOW)
    np.maximum.at(highest, bag, score)
    risen = np.exp(SHARPNESS * (score - highest[bag]))
    sums = np.maximum(np.bincount(bag, risen, minlength=bags), 1e-12)
    return highest + np.log(sums) / SHARPNESS, risen / sums[bag]


def fit(designed: FloatArray, bags: Bags) -> FloatArray:
    """The weights of least loss."""
    ridge = np.full(designed.shape[1], RIDGE)
    ridge[0] = 0.0

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        total, slope = bags.loss((designed @ weights.astype(np.float32)).astype(np.float64))
        back = (slope.astype(np.float32) @ designed).astype(np.float64)
        return total + float(ridge @ weights**2), back + 2.0 * ridge * weights

    first = np.zeros(designed.shape[1])
    first[0] = FIRST_CONSTANT
    return np.asarray(minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x)


def opened(
    time: FloatArray,
    lasted: FloatArray,
    least: FloatArray,
    back: FloatArray,
    finds: Ints,
    holds: Ints,
) -> list[int]:
    """Which looks of one container, in their order, open an incident.

    Args:
        lasted, least: how long a look holds it open at least, seconds. back: when its growth had been given back.
    """
    out, until, over = [], -np.inf, np.inf
    for i, now in enumerate(time.tolist()):
        closed = now > until or now > over
        if closed and not finds[i]:
            until = -np.inf
            continue
        if closed:
            out.append(i)
            until = -np.inf
        if finds[i] or holds[i]:
            until, over = max(until, now + max(lasted[i], least[i])), back[i]
    return out
