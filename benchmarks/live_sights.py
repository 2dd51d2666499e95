"""Every look at growth that the live detector takes of simulated containers, written down: what its score is fitted to.

    python -m benchmarks.live_sights FOLDER [--only hard,...]

It takes some two hours of a core; each part is a file of its own, and those that are there already are not made again.
"""

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.live_mix import HARD, Leaking, Watched, healthy, leaking
from benchmarks.live_mix.incident import fast_leak, model_load, slow_leak
from benchmarks.live_mix.stage import DAY_SECONDS, WEEK_SECONDS
from benchmarks.live_runs import memory_alone
from detectors.live.detector import LiveDetector
from detectors.live.evidence import NAMES
from detectors.live.sight import Sight

PART = 20
LEAKS_PER_CONTAINER = 3
FINE_SECONDS, COARSE_SECONDS, FINE_WEEKS = 5.0, 300.0, 0.5
FINE_LEAK_DAYS = 3.0
"""At 5 s only those leaks are watched that end within so many days; the others are as dear as they are slow."""
FACTS = ("time", "onset", "end", "level", "base", "grown", "scale", "seen")
"""Columns before the evidence: when the look was taken; its climb's onset and end, seconds; the newest level, the level
at the onset and the growth, bytes; the scale; 1, or 0 for a look that saw nothing after one that did."""


class Recorder(LiveDetector):
    """Writes down each look at growth, and the first that sees none after it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[float, ...]] = []
        self._seen_at: set[int] = set()

    def _weigh(self, seen: Sight, now: float) -> None:
        climb = seen.climb
        self._seen_at.add(seen.scale)
        facts = (now, climb.onset, climb.end, seen.level, climb.base, climb.grown, float(seen.scale), 1.0)
        self.rows.append((*facts, *seen.evidence))

    def _miss(self, scale: int, now: float, level_bytes: float) -> None:
        super()._miss(scale, now, level_bytes)
        self._nothing(scale, now, level_bytes)

    def _end_life(self, now: float, *, killed: bool) -> None:
        super()._end_life(now, killed=killed)
        for scale in list(self._seen_at):
            self._nothing(scale, now, 0.0)

    def _nothing(self, scale: int, now: float, level_bytes: float) -> None:
        if scale in self._seen_at:
            self._seen_at.remove(scale)
            self.rows.append((now, now, now, level_bytes, 0.0, 0.0, float(scale), 0.0, *[math.nan] * len(NAMES)))


@dataclass(frozen=True, slots=True)
class Job:
    """A container to watch; ``onset``, ``limit_at``: seconds after the first sample, infinite where nothing leaks."""

    watched: Watched
    onset: float
    limit_at: float


def _well(watched: Watched) -> Job:
    return Job(watched, math.inf, math.inf)


def _ill(leak: Leaking) -> Job:
    start = float(leak.watched.time_seconds[0])
    return Job(leak.watched, leak.onset_seconds - start, leak.limit_at_seconds - start)


def _blind(job: Job) -> Job:
    return Job(memory_alone(job.watched), job.onset, job.limit_at)


def _leaks_of(seed: int) -> range:
    return range(LEAKS_PER_CONTAINER * seed, LEAKS_PER_CONTAINER * (seed + 1))


def _hard(seed: int) -> Iterator[Job]:
    yield _well(healthy(HARD, seed))
    yield from (_ill(leaking(HARD, one)) for one in _leaks_of(seed))


def _alone(seed: int) -> Iterator[Job]:
    yield from map(_blind, _hard(seed))


def _fine(seed: int) -> Iterator[Job]:
    yield _well(healthy(HARD, seed, weeks=FINE_WEEKS, step_seconds=FINE_SECONDS))
    for one in _leaks_of(seed):
        coarse = leaking(HARD, one, step_seconds=COARSE_SECONDS)
        if coarse.limit_at_seconds - coarse.watched.time_seconds[0] < FINE_LEAK_DAYS * DAY_SECONDS:
            yield _ill(leaking(HARD, one, step_seconds=FINE_SECONDS))


def _coarse(seed: int) -> Iterator[Job]:
    yield _well(healthy(HARD, seed, step_seconds=COARSE_SECONDS))
    yield from (_ill(leaking(HARD, one, step_seconds=COARSE_SECONDS)) for one in _leaks_of(seed))


def _incident(seed: int) -> Iterator[Job]:
    for hours in (1.5, 6.0, 24.0):
        for scenario in (fast_leak(seed, hours), model_load(seed, hours)):
            start = float(scenario.watched.time_seconds[0])
            ends = scenario.limit_at_seconds
            if ends is None:
                yield _well(scenario.watched)
            else:
                yield Job(scenario.watched, scenario.onset_seconds - start, ends - start)
    slow = slow_leak(seed)
    start = float(slow.watched.time_seconds[0])
    yield Job(slow.watched, slow.onset_seconds - start, (slow.limit_at_seconds or math.inf) - start)


MATERIALS: dict[str, tuple[Callable[[int], Iterator[Job]], Sequence[int]]] = {
    "hard": (_hard, (*range(100, 280), *range(350, 430), *range(500, 1_080), *range(1_300, 1_480))),
    "fine": (_fine, range(1_100, 1_260)),
    "alone": (_alone, range(2_100, 2_200)),
    "coarse": (_coarse, range(3_100, 3_120)),
    "incident": (_incident, range(4_100, 4_120)),
}
"""By name: what is drawn for each seed, and the seeds; the benchmark's own are others."""


def record(jobs: Iterable[Job]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Watch them: looks (n, facts and evidence), seconds after the first sample; (n,) which container each is of; and
    of the containers (k, 3) weeks watched, onset, limit reached."""
    looks, which, containers = [], [], []
    for number, job in enumerate(jobs):
        recorder, time = Recorder(), job.watched.time_seconds
        columns = {name: column.tolist() for name, column in job.watched.columns.items()}
        for i, at in enumerate(time.tolist()):
            recorder.observe(at, {name: column[i] for name, column in columns.items()})
        rows = np.array(recorder.rows).reshape(-1, len(FACTS) + len(NAMES))
        rows[:, :3] -= time[0]
        looks.append(rows.astype(np.float32))
        which.append(np.full(len(rows), number))
        containers.append(((time[-1] - time[0]) / WEEK_SECONDS, job.onset, job.limit_at))
    return np.concatenate(looks), np.concatenate(which), np.array(containers)


def main() -> None:
    """Write what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default=",".join(MATERIALS))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in given.only.split(","):
        draw, seeds = MATERIALS[name]
        for part in (seeds[at : at + PART] for at in range(0, len(seeds), PART)):
            file = given.folder / f"{name}_{part[0]}.npz"
            if not file.exists():
                looks, container, containers = record(job for seed in part for job in draw(seed))
                np.savez(file, looks=looks, container=container, containers=containers)


if __name__ == "__main__":
    main()
