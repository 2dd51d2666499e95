"""The whole run: survey, chunks through an engine into a store, groups, what is claimed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from detectors.types import Answer
from leakwatch.fleet.engine import Engine
from leakwatch.fleet.grouping import batches, claim, group_tasks, judge_groups
from leakwatch.fleet.judging import ChunkResult, Task, judge_chunk
from leakwatch.fleet.store import Store
from leakwatch.members import Change, Grid, Group, Judged
from leakwatch.sample.datasets import Dataset

CELLS = 144
"""Cells of the shared grid: ten minutes of a day. A group is judged on them as a trace is on its bins."""


@dataclass(frozen=True, slots=True)
class Judging:
    """How every container is judged: Unix seconds, bytes (0: no limit; None: the data's)."""

    since: float | None = None
    until: float | None = None
    limit_bytes: float | None = None

    def grid(self, dataset: Dataset) -> Grid | None:
        """The axis for all containers; None where the data do not tell their times before they are read."""
        start = self.since if self.since is not None else dataset.start_seconds
        end = self.until if self.until is not None else dataset.end_seconds
        return None if start is None or end is None or end <= start else Grid(start, end, CELLS)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that was found.

    Attributes:
        containers: how many were judged; counts: by verdict.
        leaks: the leaking containers, the most urgent first.
        groups: all that were judged, those claimed first, then by probability.
        errors: a line for each thing that could not be read.
        grid: of the levels; None where containers are on their own.
    """

    containers: int
    counts: dict[Answer, int]
    leaks: tuple[Judged, ...]
    groups: tuple[Group, ...]
    errors: tuple[str, ...]
    grid: Grid | None


def judge_all(
    dataset: Dataset, judging: Judging, engine: Engine, store: Store, told: Callable[[ChunkResult], None]
) -> None:
    """Judge every chunk that the store does not hold yet; ``told`` hears of each result as it comes."""
    done = store.done()
    grid = judging.grid(dataset)
    tasks = (
        Task(chunk, grid, judging.since, judging.until, judging.limit_bytes)
        for chunk in dataset.chunks
        if chunk.number not in done
    )
    for result in engine.run(judge_chunk, tasks):
        store.write(result.number, result.judged, result.errors)
        told(result)


def conclude(dataset: Dataset, store: Store, engine: Engine, kinds: Sequence[str], grid: Grid | None) -> Fleet:
    """Read the store, judge the groups, claim what may be claimed."""
    judged = [one if one.verdict is Answer.LEAK else replace(one, because=()) for one in store.read()]
    groups: list[Group] = []
    if grid is not None:
        found = engine.run(judge_groups, batches(group_tasks(judged, kinds, grid)))
        groups = claim([group for together in found for group in together], grid)
    counts = {answer: sum(one.verdict is answer for one in judged) for answer in Answer}
    return Fleet(
        containers=len(judged),
        counts=counts,
        leaks=tuple(sorted((one for one in judged if one.verdict is Answer.LEAK), key=urgency)),
        groups=tuple(sorted(groups, key=lambda group: (not group.claimed, -group.probability, group.kind, group.name))),
        errors=(*dataset.unreadable, *store.errors()),
        grid=grid,
    )


def urgency(one: Judged) -> tuple[float, float]:
    """Sorts the container that is first at its limit to the front, then the fastest."""
    left = one.forecast.low if one.forecast is not None else float("inf")
    return left, -(one.trend.slope_per_second if one.trend is not None else 0.0)


def plan_of(dataset: Dataset, judging: Judging) -> dict[str, object]:
    """What a store's results are of, as `Store` compares it."""
    grid = judging.grid(dataset)
    return {
        "data": dataset.fingerprint,
        "chunks": len(dataset.chunks),
        "grid": None if grid is None else [grid.start_seconds, grid.end_seconds, grid.cells],
        "limit_bytes": judging.limit_bytes,
    }


def differences(before: Sequence[Judged], after: Sequence[Judged]) -> Iterator[Change]:
    """Workloads (or containers without one) whose leak is new, gone, or of a rate whose interval has moved away."""
    worst: list[dict[str, Judged]] = []
    for judged in (before, after):
        leaks = sorted((one for one in judged if one.verdict is Answer.LEAK), key=urgency)
        worst.append({})
        for one in leaks:
            worst[-1].setdefault(one.labels.get("workload") or one.name, one)
    was, now = worst
    for name in dict.fromkeys((*now, *was)):
        old, new = was.get(name), now.get(name)
        if old is None or new is None or _moved(old, new):
            yield Change(old, new)


def _moved(old: Judged, new: Judged) -> bool:
    if old.trend is None or new.trend is None:
        return False
    return old.trend.high < new.trend.low or new.trend.high < old.trend.low
