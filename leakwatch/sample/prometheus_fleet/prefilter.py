"""Which containers could leak, from a handful of floors that the server computes: the rest is never transferred.

A floor is the least memory within a stretch of time. A container's full series is asked for where

    (a) its floor of each of the last two quarters of a day exceeds that of the same quarter a day before by theta,
    (b) its floor of the last half hour exceeds all that it had before by theta (new ground: a young, fast leak),
    (c) it restarted within the window (a leak that is cut off again and again has no high floor), or
    (d) it is younger than a day and a half, and its floor of the last three hours exceeds that of the three before by
        theta, or that of the last six that of the six before, or it is younger than that too.

theta is `THETA` of its highest level, at least `LEAST_BYTES`.

What this cannot lose. Let the memory be m(t) = b(t) + L(t): a base and a leak, L never falling. ASSUMPTION: at no
moment of the last half day is the base lower than a day before by more than d (what noise, caches that are given back
and a quieter day take off it). Now let L grow at r or faster during the last 36 hours. For t in the last quarter, with
D for a day, m(t) = b(t) + L(t) >= b(t - D) - d + L(t - D) + r D = m(t - D) + r D - d. The least over t of the left side
is the last floor; that of the right is the floor of the same quarter a day before, plus r D - d. The same holds for the
quarter before. So (a) passes every container with

    r D > theta + d,    that is r > (theta + d) / 86,400 s,

whatever its daily pattern, its bursts and its noise: both sides have them. A leak that began only T ago, 12 h < T < 36
h, has grown by r min(D, T - 12 h) at every moment of the last half day, and passes where that exceeds theta + d. One
younger passes by (b) where r (T - 0.5 h) exceeds theta and what the base swings between its floor and its peak. A
container younger than a day and a half has no day before; with d taken over three hours instead, the same argument
gives r 3 h > theta + d for (d). Restarts pass by (c), which needs no argument. What may be lost is a leak whose base
sinks as fast as it grows, a leak slower than that rate, and a young slow one, until it is older.

A leak that one container cannot show, replicas can: where the median rise of a workload's floors, each as a share of
its theta, exceeds `OF_A_GROUP`, all of the workload is asked for. And where a third of a workload passes, all of it
does, for replicas are judged together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

QUARTER, DAY = 6 * 3600, 86_400
THETA = 0.005
"""Share of a container's level that its floors have to rise within a day."""

LEAST_BYTES = 2**20
OF_A_GROUP, LEAST_GROUP, GROUP_PASSES = 1 / 3, 3, 1 / 3

FLOORS: Mapping[str, str] = {
    "last": "min_over_time({0}[6h])",
    "last_a_day_before": "min_over_time({0}[6h] offset 1d)",
    "previous": "min_over_time({0}[6h] offset 6h)",
    "previous_a_day_before": "min_over_time({0}[6h] offset 30h)",
    "recent": "min_over_time({0}[30m])",
    "three_hours": "min_over_time({0}[3h])",
    "three_before": "min_over_time({0}[3h] offset 3h)",
}
"""PromQL by the name of the floor; {0} is a selector."""

HIGHEST = "max_over_time({0}[%ds] offset 30m)"
SERIES_SEEN = "last_over_time({0}[%ds])"
KEYS = "cluster,namespace,pod,container"


@dataclass(frozen=True, slots=True)
class Floors:
    """What the server told of one container, bytes; NaN where it had no sample then.

    Attributes:
        highest: the most it had before the last half hour.
        series: how many container ids bore its name within the window; more than one is a restart.
    """

    last: float = np.nan
    last_a_day_before: float = np.nan
    previous: float = np.nan
    previous_a_day_before: float = np.nan
    recent: float = np.nan
    three_hours: float = np.nan
    three_before: float = np.nan
    highest: float = np.nan
    series: float = 1.0

    @property
    def theta(self) -> float:
        """By how much a floor has to rise, bytes."""
        known = [level for level in (self.highest, self.recent) if np.isfinite(level)]
        return max(THETA * max(known, default=0.0), float(LEAST_BYTES))

    @property
    def rise(self) -> float:
        """The lesser rise of the two quarters over a day, bytes; NaN where there was no day before."""
        return float(
            np.minimum(self.last - self.last_a_day_before, self.previous - self.previous_a_day_before)
        )  # NaN where any is


def query(selector: str, window_seconds: float) -> str:
    """One instant query that tells all `Floors` of the selected containers, each value labelled by its name."""
    window = max(int(window_seconds), 2 * DAY)
    parts = [
        *((name, f"min by ({KEYS}) ({text.format(selector)})") for name, text in FLOORS.items()),
        ("highest", f"max by ({KEYS}) ({(HIGHEST % (window - 1800)).format(selector)})"),
        ("series", f"count by ({KEYS}) (max by ({KEYS},id) ({(SERIES_SEEN % window).format(selector)}))"),
    ]
    return " or ".join(f'label_replace({text}, "floor", "{name}", "", "")' for name, text in parts)


def could_leak(floors: Floors) -> bool:
    """Whether its full series is worth asking for; see the module's proof."""
    theta = floors.theta
    if floors.series > 1:
        return True
    if floors.recent > floors.highest + theta:
        return True
    if np.isfinite(floors.rise):
        return floors.rise > theta
    if not np.isfinite(floors.three_before):
        return True
    return floors.three_hours > floors.three_before + theta or floors.last > floors.previous + theta


def chosen(floors: Sequence[Floors], workloads: Sequence[str | None]) -> list[bool]:
    """Which of the containers of a chunk are asked for, alone or with their workload."""
    passes = [could_leak(one) for one in floors]
    of: dict[str, list[int]] = {}
    for at, workload in enumerate(workloads):
        if workload is not None:
            of.setdefault(workload, []).append(at)
    for members in of.values():
        rises = np.array([floors[at].rise / max(floors[at].theta, 1.0) for at in members])
        known = rises[np.isfinite(rises)]
        together = len(known) >= LEAST_GROUP and float(np.median(known)) > OF_A_GROUP
        if len(members) >= LEAST_GROUP and (
            together or sum(passes[at] for at in members) >= GROUP_PASSES * len(members)
        ):
            for at in members:
                passes[at] = True
    return passes
