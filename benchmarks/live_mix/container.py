"""A watched container put together: at least four healthy mechanisms at once, and a leak where one is asked for."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.live_mix import load, parts
from benchmarks.live_mix.stage import DAY_SECONDS, FloatArray, Stage

MECHANISMS = ("warm_up", "daily", "batch_jobs", "version_swaps", "sawtooth", "cache_fill", "deploys", "switching")
TO_LIMIT_SECONDS = (1_800.0, 21 * DAY_SECONDS)
"""A leak takes between half an hour and three weeks to the limit, any order of magnitude as likely as any other."""


@dataclass(frozen=True, slots=True)
class Mix:
    """How hard the containers are.

    Attributes:
        name: in the tables.
        mechanisms: fewest and most of `MECHANISMS` that each container carries.
        strength: of their amplitudes.
        peak: the healthy peak as a share of the limit, uniform between the two.
    """

    name: str
    mechanisms: tuple[int, int]
    strength: float
    peak: tuple[float, float]


HARD = Mix("hard", (4, 6), 1.0, (0.35, 0.92))
MILD = Mix("mild", (1, 3), 0.45, (0.30, 0.75))


@dataclass(frozen=True, slots=True)
class Watched:
    """A container as an agent sees it.

    Attributes:
        time_seconds: (n,) Unix seconds, a few samples missing.
        columns: by contract name, each (n,).
        mechanisms: which it carries.
    """

    time_seconds: FloatArray
    columns: Mapping[str, FloatArray]
    mechanisms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaking:
    """A leaking container, up to the sample that reaches the limit.

    Attributes:
        watched: what an agent sees.
        onset_seconds, limit_at_seconds: Unix seconds at which the leak begins and the limit is reached.
        kind: time, requests or accelerating; ``lumpy``: it comes in chunks; ``from_birth``: it begins with a life.
    """

    watched: Watched
    onset_seconds: float
    limit_at_seconds: float
    kind: str
    lumpy: bool
    from_birth: bool


@dataclass(frozen=True, slots=True)
class _Play:
    stage: Stage
    mechanisms: tuple[str, ...]
    rate: FloatArray
    held: FloatArray
    loads: FloatArray
    limit: float


def healthy(mix: Mix, seed: int, *, weeks: float = 3.0, step_seconds: float = 60.0) -> Watched:
    """Draw a container that does not leak; the same for the same mix, seed and clock."""
    rng = _chance(mix, seed, "healthy")
    time = np.arange(0.0, weeks * 7 * DAY_SECONDS, step_seconds)
    return _seen(_play(mix, rng, time, step_seconds, None, False), rng, np.zeros_like(time), len(time))


def leaking(mix: Mix, seed: int, *, step_seconds: float = 60.0) -> Leaking:
    """Draw a container that leaks until it reaches its limit; none of its lives after the onset is cut short."""
    rng = _chance(mix, seed, "leaking")
    while True:
        to_limit = float(np.exp(rng.uniform(*np.log(TO_LIMIT_SECONDS))))
        onset = float(np.exp(rng.uniform(np.log(7_200.0), np.log(10 * DAY_SECONDS))))
        from_birth = bool(rng.random() < 1 / 3)
        if from_birth and rng.random() < 0.25:
            onset = 0.0  # the first life that is watched, from its beginning
        time = np.arange(0.0, onset + 1.8 * to_limit + 1.5 * DAY_SECONDS, step_seconds)
        play = _play(mix, rng, time, step_seconds, onset, from_birth)
        kind = str(rng.choice(["time", "requests", "accelerating"], p=[0.45, 0.45, 0.10]))
        lumpy = bool(rng.random() < 0.3)
        leaked = (play.limit - float(play.held.max())) * _leak(play, rng, onset, to_limit, kind, lumpy)
        at_limit = np.flatnonzero((play.held + leaked >= play.limit) & (time > onset))
        if len(at_limit) and (at_limit[0] - np.searchsorted(time, onset)) >= 20:
            end = int(at_limit[0]) + 1
            watched = _seen(play, rng, leaked, end)
            return Leaking(watched, _START + onset, _START + float(time[end - 1]), kind, lumpy, from_birth)


_START = 1_790_000_000.0


def _chance(mix: Mix, seed: int, what: str) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(f"{mix.name} {what}".encode()), seed])


def _play(
    mix: Mix, rng: np.random.Generator, time: FloatArray, step: float, onset: float | None, from_birth: bool
) -> _Play:
    count = int(rng.integers(mix.mechanisms[0], mix.mechanisms[1] + 1))
    carried = tuple(sorted(map(str, rng.choice(MECHANISMS, count, replace=False)), key=MECHANISMS.index))
    first = (
        0.0 if onset == 0.0 or rng.random() < 0.5 else -float(np.exp(rng.uniform(np.log(600), np.log(5 * DAY_SECONDS))))
    )
    births = np.array([first])
    if "deploys" in carried:
        per_day = float(np.exp(rng.uniform(np.log(0.1), np.log(1.5))))
        births = np.append(births, np.sort(rng.uniform(0.0, time[-1], rng.poisson(per_day * time[-1] / DAY_SECONDS))))
    if onset is not None:  # a life that leaks is not cut short; one that leaks from its birth is born at the onset
        births = births[births <= onset]
        if from_birth and onset > 0.0:
            births = np.append(births, onset)
    stage = Stage(rng, step, time, births, mix.strength)
    rate = load.steady(stage)
    for name, shape in (("daily", load.daily), ("switching", load.switching)):
        if name in carried:
            rate = rate * shape(stage)
    rate = rate / rate.mean() * (stage.age > 20)
    held = parts.heap(stage) + load.memory_of(stage, rate, stage.size(0.02, 0.08))
    loads = (stage.age > 30).astype(np.float64)
    if "daily" in carried or "switching" in carried:
        held += load.memory_of(stage, rate, stage.size(0.1, 0.7))
    if "warm_up" in carried:
        held += parts.warm_up(stage)
    if "cache_fill" in carried:
        held += parts.cache_fill(stage, rate)
    if "sawtooth" in carried:
        held += parts.sawtooth(stage, rate)
    if "batch_jobs" in carried:
        held += parts.batch_jobs(stage)
    if "version_swaps" in carried:
        swapped, loads = parts.version_swaps(stage)
        held += swapped
    held = np.maximum(held + parts.noise(stage), 0.02)
    return _Play(stage, carried, rate, held, loads, float(held.max()) / stage.between(*mix.peak))


def _leak(play: _Play, rng: np.random.Generator, onset: float, to_limit: float, kind: str, lumpy: bool) -> FloatArray:
    """(n,) what has leaked, 1.0 after ``to_limit`` seconds under the mean load."""
    since = np.maximum(play.stage.time - onset, 0.0)
    if kind == "requests":
        since = np.cumsum(play.rate * (since > 0)) * play.stage.step_seconds
    way = since / to_limit
    if kind == "accelerating":
        way = way ** float(rng.uniform(1.4, 2.2))
    if lumpy:
        chunks = float(np.exp(rng.uniform(np.log(12), np.log(80))))
        way = np.floor(way * chunks) / chunks
    return way


def _seen(play: _Play, rng: np.random.Generator, leaked: FloatArray, end: int) -> Watched:
    """The columns, in whole bytes and counts, without the samples that were missed."""
    stage = play.stage
    unit = float(np.exp(rng.uniform(np.log(2.0**28), np.log(2.0**35))))
    per_second = float(np.exp(rng.uniform(np.log(0.5), np.log(200.0))))
    counts = np.cumsum(rng.poisson(per_second * play.rate * stage.step_seconds)).astype(np.float64)
    born = np.searchsorted(stage.time, stage.births)
    counts -= np.where(born > 0, counts[np.maximum(born - 1, 0)], 0.0)[stage.life]
    kept = rng.random(len(stage.time)) > 0.002
    for at in stage.arrivals(1 / 7):
        kept &= (stage.time < at) | (stage.time > at + stage.spread(600, 7_200))
    kept[[0, end - 1]] = True
    kept[end:] = False
    limit = np.full(len(stage.time), np.ceil(unit * play.limit))
    columns = {
        "anon_bytes": np.floor(unit * np.minimum(play.held + leaked, play.limit)),
        "limit_bytes": limit,
        "requests_total": counts,
        "model_loads_total": play.loads,
    }
    return Watched(_START + stage.time[kept], {name: c[kept] for name, c in columns.items()}, play.mechanisms)
