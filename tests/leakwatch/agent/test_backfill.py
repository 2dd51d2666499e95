"""The past of a target is fetched beside the loop: it comes late, or never, and delays nothing."""

import threading
import time
from collections.abc import Callable

import numpy as np

from leakwatch.agent.backfill import BACKFILL_SECONDS, Backfill
from leakwatch.errors import SourceError
from leakwatch.trace import Sample, Target, Trace

DEADLINE_SECONDS = 60.0


class Past:
    """A source that knows the past, after what a function does first."""

    def __init__(self, first: Callable[[], object] = lambda: None) -> None:
        self._first = first
        self.asked: list[tuple[float, float]] = []
        self.done = threading.Event()

    def history(self, since_seconds: float, until_seconds: float) -> Trace:
        self.asked.append((since_seconds, until_seconds))
        try:
            self._first()
        finally:
            self.done.set()
        cells = {"anon_bytes": np.array([1.0, np.nan]), "working_set_bytes": np.array([2.0, 3.0])}
        return Trace(Target("past"), np.array([10.0, 20.0]), cells, limit_bytes=9.0)


def taken(backfill: Backfill) -> tuple[Sample, ...]:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (samples := backfill.take()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return samples


def test_the_past_is_taken_once() -> None:
    """A week of it, its rows as samples with what is known of each; the second time there is nothing."""
    past = Past()
    backfill = Backfill("serving", past, 1_000_000.0)
    first, second = taken(backfill)
    assert past.asked == [(1_000_000.0 - BACKFILL_SECONDS, 1_000_000.0)]
    assert (first.time_seconds, first.values) == (
        10.0,
        {"limit_bytes": 9.0, "anon_bytes": 1.0, "working_set_bytes": 2.0},
    )
    assert (second.time_seconds, second.values) == (20.0, {"limit_bytes": 9.0, "working_set_bytes": 3.0})
    assert first.life is None
    assert backfill.take() == ()


def test_a_server_that_hangs_delays_nobody() -> None:
    """Asking whether it has come returns at once."""
    hang = threading.Event()
    past = Past(hang.wait)
    backfill = Backfill("serving", past, 1_000_000.0)
    assert backfill.take() == ()
    hang.set()
    assert len(taken(backfill)) == 2


def test_a_past_that_cannot_be_read_is_none() -> None:
    """It is a warning, and the agent goes on with what it sees itself."""

    def refuse() -> None:
        raise SourceError("prometheus", "no connection", "check the address")

    past = Past(refuse)
    backfill = Backfill("serving", past, 1_000_000.0)
    assert past.done.wait(DEADLINE_SECONDS)
    assert backfill.take() == ()
