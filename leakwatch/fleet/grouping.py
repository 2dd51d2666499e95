"""Replicas of one workload, image or node judged together, and what their comparison says."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.types import Answer, Replica, Trend
from leakwatch import detect
from leakwatch.members import Grid, Group, Judged
from leakwatch.tell import units

KINDS = ("workload", "image", "node")
LEAST_REPLICAS = 3
FALSE_DISCOVERIES = 0.05
NEAR_CELLS = 3
"""The growth of a group began with its first start where it began within so many cells of the grid."""

MEMBERS_A_TASK = 600
"""Groups are handed out so many members at a time: some twenty milliseconds a group of sixteen are too little work for
a task, and what a task costs by itself is then most of it."""

MOST_RISE = 0.6
"""A leak of a group is one of at least this share of its replicas; less is the leak of some of them. Noise alone lets
some of those that leak seem not to rise."""


@dataclass(frozen=True, slots=True)
class GroupTask:
    """Members that are judged together, and the grid they are on.

    Attributes:
        called: kind and name of each group that they are; a workload of one image is both.
        still: how many more hold still, and nothing of them was read.
    """

    called: tuple[tuple[str, str], ...]
    members: tuple[Judged, ...]
    still: int
    grid: Grid


def group_tasks(judged: Sequence[Judged], kinds: Sequence[str], grid: Grid) -> Iterator[GroupTask]:
    """Every group with enough members to be judged; the same members once, whatever they are called."""
    called: dict[tuple[tuple[int, ...], int], list[tuple[str, str]]] = defaultdict(list)
    for kind in kinds:
        members: dict[str, list[int]] = defaultdict(list)
        still: Counter[str] = Counter()
        for number, one in enumerate(judged):
            name = _group_name(one, kind)
            if name is None:
                continue
            if one.settled:
                still[name] += 1
            elif np.isfinite(one.levels).any():
                members[name].append(number)
        for name, of in members.items():
            if len(of) >= LEAST_REPLICAS:
                called[tuple(of), still[name]].append((kind, name))
    for (numbers, more), names in called.items():
        yield GroupTask(tuple(names), tuple(judged[number] for number in numbers), more, grid)


def batches(tasks: Iterable[GroupTask]) -> Iterator[tuple[GroupTask, ...]]:
    """As many groups at a time as last about a second."""
    batch: list[GroupTask] = []
    for task in tasks:
        batch.append(task)
        if sum(len(one.members) for one in batch) >= MEMBERS_A_TASK:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)


def judge_groups(tasks: Sequence[GroupTask]) -> tuple[Group, ...]:
    """See `judge_group`."""
    return tuple(group for task in tasks for group in judge_group(task))


def judge_group(task: GroupTask) -> tuple[Group, ...]:
    """The replicas judged as one (`detectors.together`), under each of their names."""
    grid = task.grid
    edges = np.linspace(grid.start_seconds, grid.end_seconds, grid.cells + 1)
    replicas = [
        Replica(
            one.levels.astype(np.float64),
            None if one.request_rates is None else one.request_rates.astype(np.float64),
            one.restarts,
        )
        for one in task.members
    ]
    limits = [one.limit_bytes for one in task.members if one.limit_bytes]
    limit = float(np.median(limits)) if len(limits) == len(task.members) else None
    found = detect.judge_together(0.5 * (edges[1:] + edges[:-1]), replicas, limit)
    leaks = found.trend is not None and found.rising >= MOST_RISE * (len(replicas) + task.still)
    levels = np.array([one.level_bytes for one in replicas])
    seen = np.isfinite(levels).sum(axis=0)
    mean = np.where(seen, np.nansum(levels, axis=0) / np.maximum(seen, 1), np.nan)
    workloads = {one.labels.get("workload") for one in task.members}
    (kind, name), *others = task.called
    group = Group(
        kind=kind,
        name=name,
        within=workloads.pop() if len(workloads) == 1 else None,
        images=tuple(sorted({one.labels["image"] for one in task.members if "image" in one.labels})),
        started=_started(task),
        replicas=len(replicas),
        still=task.still,
        leaking=sum(one.verdict is Answer.LEAK for one in task.members),
        rising=found.rising,
        probability=found.probability if leaks else 0.0,
        claimed=False,
        trend=found.trend if leaks else None,
        onset=found.onset if leaks else None,
        shape=found.shape,
        levels=mean.astype(np.float32),
        because=found.because[:2],
    )
    return group, *(replace(group, kind=kind, name=name) for kind, name in others)


def claim(groups: Sequence[Group], grid: Grid) -> list[Group]:
    """The groups with those claimed that keep the rate of false discoveries, and what their comparison says."""
    if not groups:
        return []
    chosen = detect.claimable(np.array([group.probability for group in groups]), FALSE_DISCOVERIES)
    claimed = [
        replace(group, claimed=bool(yes) and group.trend is not None) for group, yes in zip(groups, chosen, strict=True)
    ]
    return [replace(group, because=(*_compared(group, claimed, grid), *group.because)) for group in claimed]


def _group_name(one: Judged, kind: str) -> str | None:
    """The label; a workload and an image with their namespace, for the same name elsewhere is another."""
    value = one.labels.get(kind)
    if not value or kind == "node":
        return value or None
    namespace = one.labels.get("namespace")
    return f"{namespace}/{value}" if namespace and kind == "workload" else value


def _started(task: GroupTask) -> float | None:
    """When the first of a group that is younger than the data began; None where one is as old as they are."""
    first = min(one.start_seconds for one in task.members)
    return first if not task.still and first > task.grid.start_seconds + NEAR_CELLS * task.grid.cell_seconds else None


def _compared(group: Group, groups: Sequence[Group], grid: Grid) -> Iterator[str]:
    """What the siblings do: other images of the same workload, other nodes; and what that says of the cause."""
    if not group.claimed:
        return
    yield from _began(group, grid)
    if group.kind != "image":
        yield from _of_images(group, groups)
    same: Callable[[Group], bool]
    if group.kind == "image" and group.within is not None:
        same = lambda other: other.kind == "image" and other.within == group.within  # noqa: E731
        of = f"other image of {group.within}"
    else:
        same = lambda other: other.kind == group.kind  # noqa: E731
        of = f"other {group.kind}"
    siblings = [other for other in groups if other is not group and same(other)]
    if not siblings:
        return
    rising = [other for other in siblings if other.claimed]
    if not rising:
        came = ": it came with this image" if group.kind == "image" else ""
        yield f"no {of} rises ({len(siblings)} judged){came}"
    elif len(rising) == len(siblings):
        slopes = [other.trend for other in rising if other.trend is not None]
        if group.trend is not None and all(_alike(group.trend, trend) for trend in slopes):
            yield f"every {of} rises alike: what they share is the cause, not this {group.kind}"
        else:
            yield f"every {of} rises as well, at another rate"
    else:
        yield f"so does an {of}: {len(rising)} of {len(siblings)}"


def _began(group: Group, grid: Grid) -> Iterator[str]:
    """Whether the growth began when the first of them was started."""
    if group.started is None:
        return
    if group.onset is None or abs(group.onset - group.started) <= NEAR_CELLS * grid.cell_seconds:
        yield f"began with the roll-out at {units.moment(group.started)}"
    else:
        yield f"began {units.duration(group.onset - group.started)} after the roll-out"


def _of_images(group: Group, groups: Sequence[Group]) -> Iterator[str]:
    """Whether a workload's or a node's growth is that of a release that it runs."""
    leaking = {other.name for other in groups if other.kind == "image" and other.claimed}
    mine = [image for image in group.images if image in leaking]
    if not group.images:
        return
    if group.kind == "node":
        if len(mine) == len(group.images):
            yield f"it runs nothing but {', '.join(mine[:3])}, which leaks: the release, not the node"
        elif not mine and len(group.images) > 1:
            yield f"{len(group.images)} images rise on it together: the node, or what it serves, not a release"
    elif len(group.images) == 1:
        yield f"it runs {group.images[0]} alone: a release and its traffic cannot be told apart"
    elif len(mine) == 1:
        yield f"of its {len(group.images)} images only {mine[0]} leaks"
    elif not mine or len(mine) == len(group.images):
        yield f"all of its {len(group.images)} images rise: traffic or data, not a release"


def _alike(one: Trend, other: Trend) -> bool:
    return one.low <= other.high and other.low <= one.high
