"""Cutting a trace and giving it another limit."""

import numpy as np

from leakwatch.trace import Target, Trace, between, with_limit


def trace() -> Trace:
    time_seconds = np.arange(0.0, 100.0, 10.0)
    columns = {"anon_bytes": time_seconds * 2, "limit_bytes": time_seconds + 1}
    return Trace(Target("t.csv"), time_seconds, columns, limit_bytes=91.0, dropped_rows=3)


def test_a_cut_keeps_both_ends() -> None:
    """--since and --until name the first and the last sample that is kept, in every column."""
    part = between(trace(), 20.0, 50.0)
    assert part.time_seconds.tolist() == [20, 30, 40, 50]
    assert part.columns["anon_bytes"].tolist() == [40, 60, 80, 100]


def test_a_cut_has_the_limit_that_held_then() -> None:
    """A limit raised after the incident does not count in the analysis of the time before it."""
    assert between(trace(), 20.0, 50.0).limit_bytes == 51.0
    assert between(trace(), since=1e9).limit_bytes == 91.0


def test_an_open_or_empty_cut_is_no_error() -> None:
    """Without bounds everything stays; a window outside, or upside down, is a trace without samples."""
    assert len(between(trace()).time_seconds) == 10
    assert len(between(trace(), since=1e9).time_seconds) == 0
    assert len(between(trace(), 50.0, 20.0).columns["anon_bytes"]) == 0


def test_another_limit_stands_in_place_of_every_stated_one() -> None:
    """--limit overrides the last limit and the column of earlier ones."""
    assert with_limit(trace(), 7.0).limit_bytes == 7.0
    assert set(with_limit(trace(), 7.0).columns) == {"anon_bytes"}
