"""Fits the live detector's score: what counts is the worst look of a healthy day and the best look of a leak so far.

Looks are no independent examples: a container takes hundreds a week, and one of them above the threshold is a false
alarm. So the examples are those that would decide (multiple-instance learning with the instances that score most,
Andrews, Tsochantaridis and Hofmann 2002): of each healthy day, and of each stretch of a leak's way, the few looks that
score most; chosen anew with each fit. What they are fitted by is gradient boosting over histograms (Friedman 2001;
scikit-learn's): deep enough for evidence that counts only together.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.types import FloatArray

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

Ints = np.ndarray
TREES, DEPTH, LEAVES = 400, 7, 24
SHRINKAGE, LEAST_EXAMPLES, RIDGE = 0.05, 40, 5.0
EVIDENCE_SHARE = 0.3
"""Of the evidence, drawn anew at each node, one of which decides there: so the trees lean on all of it."""


def highest(group: Ints, score: FloatArray, rows: Ints, count: int) -> Ints:
    """Of these ``rows``, the ``count`` of each group that score most."""
    ordered = rows[np.lexsort((-score[rows], group[rows]))]
    of = group[ordered]
    first = np.concatenate([[True], of[1:] != of[:-1]]) if len(of) else np.zeros(0, dtype=bool)
    place = np.arange(len(ordered))
    return np.asarray(ordered[place - np.maximum.accumulate(np.where(first, place, 0)) < count])


def fit(evidence: FloatArray, leaking: Ints, weight: FloatArray) -> "HistGradientBoostingClassifier":
    """Trees that tell the looks at leaks from the others."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=TREES,
        learning_rate=SHRINKAGE,
        max_depth=DEPTH,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST_EXAMPLES,
        l2_regularization=RIDGE,
        max_features=EVIDENCE_SHARE,
        early_stopping=False,
        random_state=0,
    ).fit(evidence, leaking, sample_weight=weight)


def nodes_of(fitted: Any, pieces: int) -> FloatArray:
    """(n, 5) the nodes of all trees, as `detectors.live.score.Trees` takes them; the constant is in the first tree."""
    out, constant = [], float(np.ravel(fitted._baseline_prediction)[0])
    for (tree,) in fitted._predictors:
        first, nodes = sum(map(len, out)), tree.nodes
        leaf, itself = nodes["is_leaf"].astype(bool), first + np.arange(len(nodes))
        feature = nodes["feature_idx"] + pieces * nodes["missing_go_to_left"]
        table = np.column_stack(
            [
                np.where(leaf, 0, feature),
                np.where(leaf, np.inf, nodes["num_threshold"]),
                np.where(leaf, itself, first + nodes["left"].astype(int)),
                np.where(leaf, itself, first + nodes["right"].astype(int)),
                _means(nodes, leaf) + constant,
            ]
        )
        constant = 0.0
        out.append(table)
    return np.concatenate(out)


def _means(nodes: np.ndarray, leaf: Ints) -> FloatArray:
    """What the leaves below each node add in the mean of the examples."""
    value = nodes["value"].astype(np.float64)
    for i in np.flatnonzero(~leaf)[::-1]:  # children come after their parents
        a, b = int(nodes["left"][i]), int(nodes["right"][i])
        weight = nodes["count"][[a, b]].astype(np.float64)
        value[i] = float(weight @ value[[a, b]]) / float(weight.sum())
    return value


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
