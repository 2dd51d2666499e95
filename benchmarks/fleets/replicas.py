"""Sixteen replicas of one workload over a day: noise of their own, and what they share."""

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

POINTS, STEP_SECONDS, START = 1440, 60.0, 1_790_000_000.0
TIME = START + STEP_SECONDS * np.arange(POINTS)
GRID = Grid(float(TIME[0]), float(TIME[-1]), CELLS)
LIMIT_BYTES = 8e9
DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class World:
    """What disturbs replicas.

    Attributes:
        name: for the tables.
        shared_load: whether all serve one load, whose memory follows it; else each has noise of its own alone.
        requests: whether requests are counted.
    """

    name: str
    shared_load: bool
    requests: bool


WORLDS = (
    World("noise of their own", False, False),
    World("shared load, requests counted", True, True),
    World("shared load, requests unknown", True, False),
)


def replicas(world: World, count: int, slope: float, seed: int) -> list[Judged]:
    """Judged replicas that each grow by ``slope`` bytes per second; a third of them restarts once, and loads anew."""
    random = np.random.default_rng(seed)
    load = _load(random)
    found = []
    for number in range(count):
        level = 2e9 * random.uniform(0.8, 1.2)
        own = lfilter([1.0], [1.0, -0.9], random.normal(0.0, 0.004 * level, POINTS))
        memory = level + own + slope * (TIME - START)
        share = load * random.uniform(0.85, 1.15)
        if world.shared_load:
            memory = memory + 0.06 * level * share
        served = np.cumsum(random.poisson(np.maximum(60.0 * 40.0 * share, 0.0))).astype(float)
        if random.random() < 1 / 3:
            at = int(random.integers(POINTS // 5, 4 * POINTS // 5))
            memory[at:] -= slope * (TIME[at] - START)
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
        trace = Trace(Target("simulated", labels["pod"]), TIME, columns, LIMIT_BYTES)
        found.append(judge(labels, trace, Task(Chunk(0, (), None), GRID)))
    return found


def _load(random: np.random.Generator) -> FloatArray:
    """A daily swing with a phase of its own, slow wandering and bursts; its mean is about 1."""
    phase = random.uniform(0.0, 2.0 * np.pi)
    day = 1.0 + random.uniform(0.2, 0.5) * np.sin(2.0 * np.pi * (TIME - START) / DAY_SECONDS + phase)
    wander = lfilter([1.0], [1.0, -0.98], random.normal(0.0, 0.012, POINTS))
    return np.asarray(np.maximum(day + wander, 0.05))
