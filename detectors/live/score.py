"""From evidence to the log-odds that a leak is going on: boosted regression trees, added up."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from detectors.live.evidence import PIECES
from detectors.types import FloatArray, Level

FEATURE, THRESHOLD, LEFT, RIGHT, VALUE = range(5)
COLUMNS = 5
"""Columns of a node: which evidence it asks for, and up to where one goes left; the nodes to the left and to the right,
a leaf's being itself; what a leaf adds, and of any other node what those beneath it add in the mean. A feature counted
from the number of pieces on is the same evidence, but where it is unknown one goes left instead of right."""


class Trees:
    """Trees over evidence with unknowns (Friedman 2001; fitted by scikit-learn's histogram boosting).

    Args:
        nodes: (n, 5), each tree's root before the rest of it.
        pieces: how many pieces of evidence there are.
    """

    def __init__(self, nodes: FloatArray, pieces: int) -> None:
        self._pieces = pieces
        self._feature, self._left, self._right = (nodes[:, c].astype(np.int32) for c in (FEATURE, LEFT, RIGHT))
        self._threshold, self._value = nodes[:, THRESHOLD].copy(), nodes[:, VALUE].copy()
        itself = np.arange(len(nodes))
        above = np.ones(len(nodes), dtype=bool)
        for children in (self._left, self._right):
            above[children[children != itself]] = False
        self._roots = np.flatnonzero(above)
        self._depth = self._deepest()

    def _deepest(self) -> int:
        depth, at = 0, self._roots
        while (self._left[at] != at).any():
            at = np.unique(np.concatenate([self._left[at], self._right[at]]))
            depth += 1
        return depth

    def score(self, evidence: Sequence[float]) -> float:
        """The sum of the leaves that evidence (NaN: unknown) comes to."""
        both, at = self._both(evidence), self._roots
        for _ in range(self._depth):
            at = self._down(both, at)
        return float(self._value[at].sum(dtype=np.float64))

    def terms(self, evidence: Sequence[float]) -> FloatArray:
        """(pieces,) what each piece adds to the score of the mean example: on each way down to a leaf, each node's
        evidence gets what it changed the mean by (Saabas 2014). Their sum is the score less that of the mean."""
        both, at = self._both(evidence), self._roots
        terms = np.zeros(self._pieces)
        for _ in range(self._depth):
            below = self._down(both, at)
            np.add.at(terms, self._feature[at] % self._pieces, self._value[below] - self._value[at])
            at = below
        return terms

    @property
    def mean(self) -> float:
        """The score of the mean example."""
        return float(self._value[self._roots].sum(dtype=np.float64))

    def _both(self, evidence: Sequence[float]) -> FloatArray:
        known = np.asarray(evidence, dtype=np.float64)
        return np.concatenate([known, np.where(np.isnan(known), -np.inf, known)])  # NaN is up to no threshold

    def _down(self, both: FloatArray, at: np.ndarray) -> np.ndarray:
        left = both[self._feature[at]] <= self._threshold[at]
        return np.asarray(np.where(left, self._left[at], self._right[at]))


def _learned(name: str) -> Trees:
    nodes = np.fromfile(Path(__file__).with_name(name), dtype="<f4").reshape(-1, COLUMNS)
    return Trees(nodes, len(PIECES))


_LEARNED = {Level.SUSPECTED: _learned("suspicion.f32"), Level.LEAK: _learned("leak.f32")}
"""The first were fitted to leaks of which little is seen, the others to those that must not be missed any longer."""


def log_odds(evidence: Sequence[float], level: Level) -> float:
    """Of a leak against everything healthy that climbs, as a level is judged by."""
    return _LEARNED[level].score(evidence)


def speaking(evidence: Sequence[float]) -> list[tuple[str, float]]:
    """What tells of a leak, and by how much it shifts the log-odds from those of the mean climb: most first."""
    of: dict[str, float] = {}
    for (_, words), term in zip(PIECES, _LEARNED[Level.LEAK].terms(evidence).tolist(), strict=True):
        of[words] = of.get(words, 0.0) + term
    return sorted(of.items(), key=lambda one: -one[1])
