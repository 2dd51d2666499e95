"""The incident that leakwatch was asked for, replayed: 8 GB to 32 GB in ten minutes; and its two neighbours."""

from dataclasses import dataclass

import numpy as np

from benchmarks.live_mix.container import Watched
from benchmarks.live_mix.stage import DAY_SECONDS, FloatArray

GB = 1e9
START = 1_790_000_000.0
LEVEL_BYTES, LIMIT_BYTES, RISE_SECONDS = 8 * GB, 32 * GB, 600.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One replay: what is seen, when the growth begins, and when the limit is reached (None: never)."""

    name: str
    watched: Watched
    onset_seconds: float
    limit_at_seconds: float | None


def fast_leak(seed: int, watched_hours: float = 6.0) -> Scenario:
    """At 5 s a steady server under load, which then grows from 8 GB to its limit of 32 GB within ten minutes."""
    time, rng, onset = _clock(watched_hours, 5.0, RISE_SECONDS, seed)
    grown = (LIMIT_BYTES - LEVEL_BYTES) * np.maximum(time - onset, 0.0) / RISE_SECONDS
    seen = _seen(time, rng, grown, np.ones_like(time))
    return Scenario("8 to 32 GB in 10 min, at 5 s", seen, START + onset, START + onset + RISE_SECONDS)


def model_load(seed: int, watched_hours: float = 6.0, stops_after: float = 0.6) -> Scenario:
    """The same rise beginning with a model load; it stops after a share of the way, and the model stays."""
    time, rng, onset = _clock(watched_hours, 5.0, 2 * 3_600.0, seed)
    way = np.clip((time - onset) / RISE_SECONDS, 0.0, stops_after)
    loads = 1.0 + (time >= onset)
    return Scenario(
        "the same rise with a model load, which stops",
        _seen(time, rng, (LIMIT_BYTES - LEVEL_BYTES) * way, loads),
        START + onset,
        None,
    )


def slow_leak(seed: int, watched_days: float = 3.0, share_per_day: float = 0.05) -> Scenario:
    """At 60 s a server under daily load that loses a share of its limit each day."""
    to_limit = (LIMIT_BYTES - 1.1 * LEVEL_BYTES) / (share_per_day * LIMIT_BYTES) * DAY_SECONDS
    time, rng, onset = _clock(24 * watched_days, 60.0, to_limit, seed)
    leaked = share_per_day * LIMIT_BYTES * np.maximum(time - onset, 0.0) / DAY_SECONDS
    seen = _seen(time, rng, leaked, np.ones_like(time))
    return Scenario("5 % of the limit a day, at 60 s", seen, START + onset, START + onset + to_limit)


def _clock(hours: float, step: float, after: float, seed: int) -> tuple[FloatArray, np.random.Generator, float]:
    onset = hours * 3_600.0
    return np.arange(0.0, onset + after, step), np.random.default_rng([seed, round(step)]), onset


def _seen(time: FloatArray, rng: np.random.Generator, grown: FloatArray, loads: FloatArray) -> Watched:
    """A settled server under a daily load: a tenth of its level follows the requests, a hundredth is noise."""
    rate = 50.0 * (1.0 + 0.5 * np.sin(2 * np.pi * (time / DAY_SECONDS + rng.random())))
    step = float(time[1] - time[0])
    requests = np.cumsum(rng.poisson(rate * step)).astype(np.float64)
    held = LEVEL_BYTES * (1.0 + 0.1 * (rate / 50.0 - 1.0) + 0.004 * rng.standard_normal(len(time)))
    memory = np.floor(np.minimum(held + grown, LIMIT_BYTES))
    columns = {"anon_bytes": memory, "limit_bytes": np.full(len(time), LIMIT_BYTES)}
    return Watched(START + time, {**columns, "requests_total": requests, "model_loads_total": loads}, ())
