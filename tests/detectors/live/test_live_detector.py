"""The live detector's promises."""

from detectors.types import Answer, Level, Shape
from leakwatch.detect import live_detector

GIB = 2.0**30


def test_a_container_that_was_never_seen_is_undecided() -> None:
    """Before the first sample nothing is claimed."""
    verdict = live_detector().judge(0.0)
    assert (verdict.level, verdict.verdict, verdict.shape) == (Level.QUIET, Answer.UNDECIDED, Shape.TOO_SHORT)
    assert verdict.metric is None and verdict.since is None


def test_a_straight_climb_to_the_limit_is_a_leak_with_its_slope() -> None:
    """What grows through most of its headroom is a leak."""
    detector = live_detector()
    for minute in range(120):
        detector.observe(60.0 * minute, {"anon_bytes": GIB * (1 + minute / 60), "limit_bytes": 4 * GIB})
    verdict = detector.judge(60.0 * 120)
    assert verdict.level is Level.LEAK and verdict.verdict is Answer.LEAK
    assert verdict.trend is not None and abs(verdict.trend.slope_per_second * 3600 / GIB - 1) < 0.1
    assert verdict.forecast is not None and 2400 < verdict.forecast.seconds_to_limit < 4800
