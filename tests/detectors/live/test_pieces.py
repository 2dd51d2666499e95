"""What the live detector's parts promise each other."""

import math
from pathlib import Path

import numpy as np
import pytest

import detectors.live
from detectors.live.bar import bar, is_new, lacking, weakest
from detectors.live.evidence import NAMES, PIECES
from detectors.live.lives import Clock
from detectors.live.rules import LEAK, SUSPECTED
from detectors.live.score import COLUMNS, FEATURE, LEFT, RIGHT, Trees, log_odds, speaking
from detectors.types import Level


def shipped(name: str) -> np.ndarray:
    """(n, 5) the nodes that stand in a file."""
    return np.fromfile(Path(detectors.live.__file__).with_name(name), dtype="<f4").reshape(-1, COLUMNS)


@pytest.mark.parametrize(("name", "level"), [("suspicion.f32", Level.SUSPECTED), ("leak.f32", Level.LEAK)])
def test_the_trees_that_are_shipped_ask_for_evidence_that_there_is(name: str, level: Level) -> None:
    """A piece that is added without a fit would shift what every tree asks for: each way ends within the table."""
    nodes = shipped(name)
    features, children = nodes[:, FEATURE], nodes[:, [LEFT, RIGHT]]
    assert features.max() < 2 * len(NAMES)
    assert (children >= np.arange(len(nodes))[:, None]).all() and children.max() < len(nodes)
    nothing = [0.0] * len(NAMES)
    assert Trees(nodes, len(NAMES)).score(nothing) == log_odds(nothing, level)


def test_what_speaks_adds_up_to_the_score() -> None:
    """The reasons that are told are the score's own terms, unknown evidence included."""
    for evidence in ([0.3] * len(NAMES), [math.nan] * len(NAMES)):
        told = speaking(evidence)
        mean = Trees(shipped("leak.f32"), len(NAMES)).mean
        assert mean + sum(term for _, term in told) == pytest.approx(log_odds(evidence, Level.LEAK), abs=1e-4)
        assert {words for words, _ in told} == {words for _, words in PIECES}


def test_a_leak_asks_for_more_than_a_suspicion() -> None:
    """Whatever is fitted: what is called a leak is suspected, too."""
    assert LEAK.opens_at > SUSPECTED.opens_at
    assert LEAK.opens_at + LEAK.blind > SUSPECTED.opens_at + SUSPECTED.blind
    assert LEAK.opens_at - LEAK.urgent_credit > SUSPECTED.opens_at - SUSPECTED.urgent_credit


def test_the_bar_is_higher_for_short_climbs_of_few_blocks_that_nothing_was_seen_before() -> None:
    """A week holds many more short windows than long ones."""
    assert bar(3_600.0, 20, True) > bar(7 * 86_400.0, 20, True)
    assert bar(3_600.0, 8, True) > bar(3_600.0, 40, True)
    assert bar(3_600.0, 20, False) > bar(3_600.0, 20, True)


def test_much_of_one_thing_does_not_make_up_for_the_lack_of_another() -> None:
    """Growth twice as large as it has to be, which does not go on, is no better than growth that lacks the same."""
    good = {"straight": 0.95, "late": 1.0, "last": 1.0, "largest_step": 0.1, "real": 1.0, "like": 0.0, "new": True}
    assert lacking(**good) == 0
    stopped = lacking(**{**good, "late": 0.1, "last": 0.0})
    assert stopped == 2 and weakest(0.7, stopped) == weakest(0.0, stopped) < weakest(0.0, 0)


def test_new_territory_is_judged_by_the_window_where_nothing_longer_is_known() -> None:
    """In the first hour there is no usual level yet; nothing at all seen before is no reason against it."""
    assert is_new(None, None) and is_new(-0.5, None) and not is_new(-0.7, None)
    assert is_new(0.1, 0.0) and is_new(-1.0, 0.9) and not is_new(-0.1, 0.5)


def test_one_late_sample_at_the_start_does_not_set_the_pace() -> None:
    """The first gap may be a pause or a burst; the pace is the usual one of the first few."""
    clock = Clock()
    for at in (0.0, 45.0, 50.0, 55.0, 60.0, 65.0):
        clock.accept(at)
    assert clock.pace == 5.0
