"""From evidence to the log-odds that a leak is going on: one curve for each piece of evidence, added up."""

from collections.abc import Sequence

import numpy as np

from detectors.live.evidence import PIECES
from detectors.live.weights import CURVES
from detectors.types import FloatArray


class Curves:
    """Piecewise-linear curves, flat beyond their ends, one for each piece of evidence.

    Args:
        curves: for each its knots (rising), the curve's values there, and its value where the evidence is unknown.
    """

    def __init__(self, curves: Sequence[tuple[Sequence[float], Sequence[float], float]]) -> None:
        self._knots = np.array([knots for knots, _, _ in curves])
        values = np.array([values for _, values, _ in curves])
        slopes = np.diff(values, axis=1) / np.diff(self._knots, axis=1)
        self._first = values[:, 0]
        self._bends = np.diff(slopes, axis=1, prepend=0.0)
        self._unknown = np.array([unknown for _, _, unknown in curves])

    def terms(self, evidence: Sequence[float]) -> FloatArray:
        """(k,) what each piece of evidence (NaN: unknown) adds to the log-odds."""
        at = np.asarray(evidence)[:, None]
        over = np.clip(at, self._knots[:, :1], self._knots[:, -1:]) - self._knots[:, :-1]
        terms = self._first + (self._bends * np.maximum(over, 0.0)).sum(axis=1)
        return np.where(np.isnan(at[:, 0]), self._unknown, terms)


_LEARNED = Curves([(knots, values, unknown) for _, knots, values, unknown in CURVES])


def log_odds(evidence: Sequence[float]) -> float:
    """Of a leak against everything healthy that climbs."""
    return float(_LEARNED.terms(evidence).sum())


def speaking(evidence: Sequence[float]) -> list[tuple[str, float]]:
    """What tells of a leak, and by how much it shifts the log-odds from those of the mean healthy climb: most first."""
    of: dict[str, float] = {}
    for (_, words), term in zip(PIECES, _LEARNED.terms(evidence).tolist(), strict=True):
        of[words] = of.get(words, 0.0) + term
    return sorted(of.items(), key=lambda one: -one[1])
