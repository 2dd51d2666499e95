"""Containers for the live detector's tests."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pytest

from detectors.types import Level
from leakwatch.detect import live_detector

GIB = 2.0**30
START = 1_790_000_000.0

Columns = Mapping[str, np.ndarray]
Watch = Callable[..., list[tuple[float, Level]]]


@pytest.fixture
def feed() -> Callable[..., object]:
    """Feed columns to a detector (a new one unless given); returns it."""

    def feed(time: np.ndarray, columns: Columns, detector: object | None = None) -> object:
        watched = detector if detector is not None else live_detector()
        for i, at in enumerate(time.tolist()):
            watched.observe(at, {name: float(column[i]) for name, column in columns.items()})
        return watched

    return feed


@pytest.fixture
def levels() -> Watch:
    """Feed columns to a new detector; returns each change of level as (seconds, level)."""

    def levels(time: np.ndarray, columns: Columns, restarts: Iterable[float] = ()) -> list[tuple[float, Level]]:
        detector, seen, level = live_detector(), [], Level.QUIET
        told = sorted(restarts)
        for i, at in enumerate(time.tolist()):
            while told and told[0] <= at:
                detector.restarted(told.pop(0))
            detector.observe(at, {name: float(column[i]) for name, column in columns.items()})
            if detector.level is not level:
                level = detector.level
                seen.append((at, level))
        return seen

    return levels


@pytest.fixture
def server() -> Callable[..., tuple[np.ndarray, dict[str, np.ndarray]]]:
    """A settled server of 2 GiB under a limit of 8 GiB and a daily load, to which growth may be added.

    ``leak_hours`` is the time from onset to limit; ``counters`` False leaves the requests out.
    """

    def server(
        *,
        hours: float = 48.0,
        step: float = 60.0,
        onset_hours: float | None = None,
        leak_hours: float = 12.0,
        limit: float | None = 8 * GIB,
        seed: int = 1,
        counters: bool = True,
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        rng = np.random.default_rng(seed)
        time = np.arange(0.0, hours * 3_600, step)
        rate = 40.0 * (1.0 + 0.5 * np.sin(2 * np.pi * time / 86_400.0))
        level = 2 * GIB * (1.0 + 0.1 * (rate / 40.0 - 1.0) + 0.004 * rng.standard_normal(len(time)))
        if onset_hours is not None:
            level += 6 * GIB * np.maximum(time - onset_hours * 3_600, 0.0) / (leak_hours * 3_600)
        if limit is not None:
            level = np.minimum(level, limit)
        columns = {"anon_bytes": np.floor(level)}
        if limit is not None:
            columns["limit_bytes"] = np.full(len(time), limit)
        if counters:
            columns["requests_total"] = np.cumsum(rng.poisson(rate * step)).astype(float)
            columns["model_loads_total"] = np.ones(len(time))
        return START + time, columns

    return server
