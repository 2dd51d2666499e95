"""What the live detector's score is fitted by."""

import math

import numpy as np
import pytest

from benchmarks.live_fit import fit, highest, nodes_of, opened
from detectors.live.score import Trees


@pytest.fixture(scope="module")
def evidence() -> np.ndarray:
    """(4000, 4): a leak is what is large in the first and in the second; the third is often unknown, and so is a sign
    of health where it is; the fourth says nothing."""
    rng = np.random.default_rng(1)
    drawn = rng.normal(size=(4_000, 4)).astype(np.float32)
    drawn[rng.random(4_000) < 0.3, 2] = np.nan
    return drawn


@pytest.fixture(scope="module")
def fitted(evidence: np.ndarray) -> object:
    """What scikit-learn makes of it."""
    leaking = (evidence[:, 0] > 0.3) & (evidence[:, 1] > 0.3) & ~np.isnan(evidence[:, 2])
    return fit(evidence, leaking.astype(int), np.ones(len(evidence)))


@pytest.fixture(scope="module")
def trees(fitted: object) -> Trees:
    """What is written of that."""
    return Trees(nodes_of(fitted, 4), 4)


def test_the_trees_that_are_written_say_what_was_fitted(evidence: np.ndarray, fitted: object, trees: Trees) -> None:
    """The detector goes down the very same ways, unknown evidence included."""
    few = evidence[:200]
    assert [trees.score(one) for one in few] == pytest.approx(fitted.decision_function(few).tolist(), abs=1e-6)


def test_evidence_that_counts_only_together_is_found(trees: Trees) -> None:
    """Much of one thing does not make up for the lack of another."""
    assert trees.score([1.0, 1.0, 0.0, 0.0]) > 0
    assert max(trees.score([3.0, -1.0, 0.0, 0.0]), trees.score([1.0, 1.0, math.nan, 0.0])) < 0


def test_what_each_piece_adds_comes_to_the_score(evidence: np.ndarray, trees: Trees) -> None:
    """Reasons that do not add up to what was decided would be made up; what says nothing speaks little."""
    for one in evidence[:50]:
        terms = trees.terms(one)
        assert trees.mean + terms.sum() == pytest.approx(trees.score(one))
        assert abs(terms[3]) < np.abs(terms).max()


def test_of_each_group_the_looks_that_score_most_are_taken() -> None:
    """A healthy day counts by its worst looks, whatever else it holds; rows that are not asked for are left out."""
    group, score = np.array([1, 1, 1, 2, 2, 3]), np.array([0.1, 0.9, 0.5, 0.2, 0.3, 0.0])
    assert sorted(highest(group, score, np.array([0, 1, 2, 3, 4]), 2)) == [1, 2, 3, 4]
    assert sorted(highest(group, score, np.arange(6), 1)) == [1, 4, 5]
    assert len(highest(group, score, np.arange(0), 1)) == 0


def test_incidents_open_once_and_again_when_they_had_closed() -> None:
    """Held while looks hold it, closed by time or by growth given back; a look that only holds opens nothing."""
    time = np.array([0.0, 50.0, 140.0, 300.0, 310.0, 320.0])
    lasted, least = np.full(6, 100.0), np.full(6, 10.0)
    never = np.full(6, np.inf)
    finds = [True, False, False, False, True, True]
    assert opened(time, lasted, least, never, finds, [True] * 6) == [0, 4]
    back = np.array([*[np.inf] * 4, 315.0, np.inf])
    assert opened(time, lasted, least, back, finds, [True] * 6) == [0, 4, 5]
