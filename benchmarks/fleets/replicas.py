"""Sixteen replicas of one workload over a day or more: noise of their own, and what they share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from leakwatch.fleet.judging import Task, judge
from leakwatch.fleet.run import CELLS
from leakwatch.members import Grid, Judged
from leakwatch.sample.datasets import Chunk
from leakwatch.trace import Target, Trace

FloatArray = NDArray[np.float64]

POINTS_A_DAY, STEP_SECONDS, START = 1440, 60.0, 1_790_000_000.0
LIMIT_BYTES = 8e9
DAY_SECONDS = 86_400.0
REFILLS_SECONDS = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class World:
    """What disturbs replicas.

    Attributes:
        name: for the tables.
        shared_load: whether all serve one load, whose memory follows it; else each has noise of its own alone.
        requests: whether requests are counted.
        daily: whether the load swings with the day; else it only wanders.
        days: how long they are watched.
        restarting: share of the replicas that restart once.
        fresh_is_smaller: whether a restart gives back 1 to 4 % of the level that no leak took, half of it for good.
    """

    name: str
    shared_load: bool
    requests: bool
    daily: bool = True
    days: int = 1
    restarting: float = 1 / 3
    fresh_is_smaller: bool = False

    @property
    def time_seconds(self) -> FloatArray:
        """(n,) Unix seconds."""
        return START + STEP_SECONDS * np.arange(self.days * POINTS_A_DAY)

    @property
    def grid(self) -> Grid:
        """The fleet's, over all of it."""
        time = self.time_seconds
        return Grid(float(time[0]), float(time[-1]), CELLS)


WORLDS = (
    World("noise of their own", False, False),
    World("shared load, requests counted", True, True),
    World("shared load, requests unknown", True, False),
    World("the same, over two days", True, False, days=2),
    World("shared wandering without a day, requests unknown", True, False, daily=False),
    World("shared load, requests unknown, a fresh process is smaller", True, False, fresh_is_smaller=True),
    World("shared load, requests unknown, no restarts", True, False, restarting=0.0),
)


def replicas(world: World, count: int, slope: float, seed: int) -> list[Judged]:
    """Judged replicas that each grow by ``slope`` bytes per second; some restart once, and load anew."""
    random = np.random.default_rng(seed)
    time, points = world.time_seconds, world.days * POINTS_A_DAY
    load = _load(random, time, daily=world.daily)
    found = []
    for number in range(count):
        level = 2e9 * random.uniform(0.8, 1.2)
        own = lfilter([1.0], [1.0, -0.9], random.normal(0.0, 0.004 * level, points))
        memory = level + own + slope * (time - START)
        share = load * random.uniform(0.85, 1.15)
        if world.shared_load:
            memory = memory + 0.06 * level * share
        served = np.cumsum(random.poisson(np.maximum(60.0 * 40.0 * share, 0.0))).astype(float)
        if random.random() < world.restarting:
            at = int(random.integers(points // 5, 4 * points // 5))
            memory[at:] -= slope * (time[at] - START)
            if world.fresh_is_smaller:
                refilled = 0.5 * (1.0 - np.exp(-(time[at:] - time[at]) / REFILLS_SECONDS))
                memory[at:] -= level * random.uniform(0.01, 0.04) * (1.0 - refilled)
            memory[at : at + 3] *= 0.3  # loading its model again
            served[at:] -= served[at]
        columns = {"anon_bytes": memory}
        if world.requests:
            columns["requests_total"] = served
        labels = {
            "namespace": "ml",
            "workload": f"serving{seed}",
            "pod": f"serving{seed}-{number}",
            "container": "server",
        }
        trace = Trace(Target("simulated", labels["pod"]), time, columns, LIMIT_BYTES)
        found.append(judge(labels, trace, Task(Chunk(0, (), None), world.grid)))
    return found


def _load(random: np.random.Generator, time: FloatArray, *, daily: bool) -> FloatArray:
    """A daily swing with a phase of its own, slow wandering and bursts; its mean is about 1."""
    phase = random.uniform(0.0, 2.0 * np.pi)
    swing = random.uniform(0.2, 0.5) if daily else 0.0
    day = 1.0 + swing * np.sin(2.0 * np.pi * (time - START) / DAY_SECONDS + phase)
    wander = lfilter([1.0], [1.0, -0.98], random.normal(0.0, 0.012, len(time)))
    return np.asarray(np.maximum(day + wander, 0.05))
