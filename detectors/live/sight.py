"""One look at one scale: the growth that is seen there, beside all that could explain it."""

from dataclasses import dataclass

import numpy as np

from detectors.live.climb import LEAST_BLOCKS, Climb, find_climb
from detectors.live.evidence import WIDER_SCALE, seen_before, weigh
from detectors.live.growths import History
from detectors.live.levels import FAST, HELD, LAST, LOW, PEAK, SLOW, TIME, TOP, Levels
from detectors.live.lives import Lives
from detectors.types import FloatArray

LEAST_SHARE = 0.04
"""Growth below this share of the room above it is not looked at any closer."""
LEAST_FOUND = 0.07
"""Growth below this share is remembered, but not weighed."""
LEAST_STRAIGHT = 0.5
LEAST_ROOM = 0.03
"""Headroom is taken for at least this share of the limit: peaks may come close to it without harm."""
HIGH_QUANTILE = 0.9
LEAST_BLOCKS_KNOWN = 3
NO_LIMIT_MULTIPLE = 4.0
"""Without a visible limit, headroom is this many times the target's own level at the onset."""
START_UP_SECONDS, START_UP_JUMP = 600.0, 10.0
"""In the first ten minutes of a life steps ten times as large as the typical one are its start, and no growth."""


@dataclass(frozen=True, slots=True)
class Room:
    """How far memory may rise, in bytes: the limit (None: none is seen), and what the host has left (None: unknown)."""

    limit: float | None
    available: float | None

    def over(self, level: float) -> float:
        """From this level to the limit; without one, to as many times the level as headroom is taken for."""
        return (NO_LIMIT_MULTIPLE * level if self.limit is None else self.limit - level) + 1.0

    def above(self, level: float, peak: float) -> float:
        """Headroom over the usual peaks of a container whose level is this; without a limit a multiple of the level."""
        if self.limit is not None:
            return max(self.limit - peak, LEAST_ROOM * self.limit)
        room = NO_LIMIT_MULTIPLE * level
        return max(room if self.available is None else min(room, self.available), 1.0)


@dataclass(frozen=True, slots=True)
class Sight:
    """Growth at one scale, and what is to be held against it.

    Attributes:
        scale: which level of blocks; `RAW` for the samples.
        climb: the hinge that fits it.
        grown: bytes of it that the level itself rose by; less than ``climb.grown`` where the rest only stands for load
            that fell without memory following.
        share: ``grown`` over the headroom at the onset; ``room``: that headroom in bytes, under the ``limit`` of then.
        watched: seconds of watching before the onset.
        like: the largest harmless growth that took about as long, over ``grown``.
        since_load: seconds since a model load; infinite: none.
        load_known: whether a request rate is seen.
        level: bytes without the load's part, of the newest block.
        evidence: as `detectors.live.evidence.NAMES`, NaN: unknown; empty for growth that is too small to be weighed.
    """

    scale: int
    climb: Climb
    grown: float
    share: float
    room: float
    limit: float | None
    watched: float
    like: float
    since_load: float
    load_known: bool
    level: float
    evidence: tuple[float, ...]


BORN = 0.25
BIRTH_SECONDS = 120.0
"""A climb begins with its life where this share of it, and two minutes, or less lie between the two."""


def after_start_up(time: FloatArray, level: FloatArray, born: float | None, least: int) -> int:
    """How many of the first blocks belong to the jump by which a process starts: far steeper than what follows."""
    if born is None or time[0] - born > START_UP_SECONDS:
        return 0
    steps = level[1:] - level[:-1]
    typical = START_UP_JUMP * float(np.partition(np.abs(steps), len(steps) // 2)[len(steps) // 2])
    first = 0
    while first < len(steps) - least and steps[first] > typical:
        first += 1
    return first


def look(
    scale: int,
    rows: FloatArray,
    level: FloatArray,
    *,
    levels: Levels,
    lives: Lives,
    room: Room,
    coefficients: FloatArray,
    history: History,
    load_known: bool,
    pace: float,
) -> Sight | None:
    """Look at the rows of one scale; None where nothing grows there that is worth a closer look.

    Args:
        rows: (m, 9) of this life. level: (m,) their levels without the load's part. levels: longer blocks,
            from which the usual peaks are taken. coefficients: (3,) of the load. history: is told of the climb.
    """
    time = rows[:, TIME]
    first = after_start_up(time, level, lives.born, LEAST_BLOCKS + 1)
    climb = find_climb(time[first:], level[first:], rows[first:, SLOW] if load_known else None)
    if climb is None or climb.straight < LEAST_STRAIGHT:
        return None
    lasted = climb.end - climb.onset
    at = int(np.searchsorted(time, climb.onset))
    explained = float((rows[-1, FAST : HELD + 1] - rows[at, FAST : HELD + 1]) @ coefficients)
    grown = max(climb.grown + min(explained, 0.0), 0.0)
    own, wider = rows[: at + 1], levels.rows(min(max(WIDER_SCALE, scale + 1), LAST))
    before = wider[wider[:, TIME] < climb.onset]
    known = len(before) >= LEAST_BLOCKS_KNOWN
    headroom = room.above(climb.base, max(_high(before[:, PEAK]) if known else 0.0, _high(own[:, PEAK])))
    if climb.grown < LEAST_SHARE * headroom:
        return None
    likes = history.like(lasted, grown)
    history.follow(
        scale, climb.onset, climb.end, climb.base, grown, lives.age(climb.onset) < BORN * lasted + BIRTH_SECONDS
    )
    newest, above_usual, above_floors = float(level[-1]), None, None
    if known:
        floors = before[:, LOW] - before[:, FAST : HELD + 1] @ coefficients
        above_usual = (newest - _high(before[:, TOP])) / climb.grown
        above_floors = (newest - float(floors.max())) / climb.grown
    elif len(own) >= LEAST_BLOCKS_KNOWN:
        above_usual = (newest - float(own[:, TOP].max())) / climb.grown
    watched, since_load = climb.onset - lives.watched_since, lives.since_load(climb.end)
    evidence: tuple[float, ...] = ()
    if grown >= LEAST_FOUND * headroom:
        evidence = weigh(
            scale=scale,
            climb=climb,
            rows=rows,
            level=level,
            at=at,
            before=seen_before(levels, scale, own, level[: at + 1], climb.onset, coefficients),
            levels=levels,
            coefficients=coefficients,
            likes=likes,
            grown=grown,
            headroom=headroom,
            limit=room.limit,
            explained=explained,
            above_usual=above_usual,
            above_floors=above_floors,
            watched=watched,
            since_load=since_load,
            since_birth=lives.since_birth(climb.onset, climb.end),
            load_known=load_known,
            pace=pace,
        )
    return Sight(
        scale=scale,
        climb=climb,
        grown=grown,
        share=grown / headroom,
        room=headroom,
        limit=room.limit,
        watched=watched,
        like=likes.like,
        since_load=since_load,
        load_known=load_known,
        level=newest,
        evidence=evidence,
    )


def _high(values: FloatArray) -> float:
    """The level that one block in ten exceeds."""
    at = int(HIGH_QUANTILE * (len(values) - 1))
    return float(np.partition(values, at)[at])
