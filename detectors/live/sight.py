"""One look at one scale: the growth that is seen there, beside all that could explain it."""

from dataclasses import dataclass

import numpy as np

from detectors.live.climb import LEAST_BLOCKS, Climb, find_climb
from detectors.live.growths import History
from detectors.live.levels import FAST, HELD, LOW, PEAK, SLOW, TIME, TOP
from detectors.live.lives import Lives
from detectors.types import FloatArray

LEAST_SHARE = 0.04
"""Growth below this share of the room above it is not looked at any closer."""
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
        watched: seconds of watching before the onset; ``age``: of this life's.
        like, like_birth: the largest harmless growths that took about as long, over ``grown``: of any time, of young
            lives (0 unless this one is young).
        above: by how much the newest block stands over the usual highest levels before the onset, load explained, as a
            share of the climb; None where nothing was seen before it.
        above_floors: over the highest floor of longer blocks before the onset; None where too few of them were.
        since_load: seconds since a model load; since_birth: since a birth that would explain it. Infinite: none.
        pace: seconds between samples.
        load_known: whether a request rate is seen.
        level: bytes without the load's part, of the newest block.
    """

    scale: int
    climb: Climb
    grown: float
    share: float
    room: float
    limit: float | None
    watched: float
    age: float
    like: float
    like_birth: float
    above: float | None
    above_floors: float | None
    since_load: float
    since_birth: float
    pace: float
    load_known: bool
    level: float


YOUNG = 3.0
"""A life is young to a climb that has lasted longer than the life's age at the onset over this."""
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
    wider: FloatArray,
    lives: Lives,
    room: Room,
    coefficients: tuple[float, float, float],
    history: History,
    load_known: bool,
    pace: float,
) -> Sight | None:
    """Look at the rows of one scale; None where nothing grows there that is worth a closer look.

    Args:
        rows: (m, 9) of this life. level: (m,) their levels without the load's part. wider: (k, 9) longer blocks, of any
            life, from which the usual peaks are taken. history: is told of the climb.
    """
    time = rows[:, TIME]
    first = after_start_up(time, level, lives.born, LEAST_BLOCKS + 1)
    climb = find_climb(time[first:], level[first:], rows[first:, SLOW] if load_known else None)
    if climb is None or climb.straight < LEAST_STRAIGHT:
        return None
    lasted = climb.end - climb.onset
    at = int(np.searchsorted(time, climb.onset))
    explained = float((rows[-1, FAST : HELD + 1] - rows[at, FAST : HELD + 1]) @ np.asarray(coefficients))
    grown = max(climb.grown + min(explained, 0.0), 0.0)
    own = rows[: at + 1]
    before = wider[wider[:, TIME] < climb.onset]
    peak = max(_high(before[:, PEAK]) if len(before) >= LEAST_BLOCKS_KNOWN else 0.0, _high(own[:, PEAK]))
    headroom = room.above(climb.base, peak)
    if climb.grown < LEAST_SHARE * headroom:
        return None
    age = lives.age(climb.onset)
    like, like_birth = history.like(lasted, grown, young=age < YOUNG * lasted)
    history.follow(scale, climb.onset, climb.end, climb.base, grown, age < BORN * lasted + BIRTH_SECONDS)
    tops = before if len(before) >= LEAST_BLOCKS_KNOWN else own
    above = None
    if len(tops) >= LEAST_BLOCKS_KNOWN:
        usual = _high(tops[:, TOP]) if tops is before else float(tops[:, TOP].max())
        above = (float(level[-1]) - usual) / climb.grown
    above_floors = None
    if len(before) >= LEAST_BLOCKS_KNOWN:
        floors = before[:, LOW] - before[:, FAST : HELD + 1] @ np.asarray(coefficients)
        above_floors = (float(level[-1]) - float(floors.max())) / climb.grown
    return Sight(
        scale=scale,
        climb=climb,
        grown=grown,
        share=grown / headroom,
        room=headroom,
        limit=room.limit,
        watched=climb.onset - lives.watched_since,
        age=age,
        like=like,
        like_birth=like_birth,
        above=above,
        above_floors=above_floors,
        since_load=lives.since_load(climb.end),
        since_birth=lives.since_birth(climb.onset, climb.end),
        pace=pace,
        load_known=load_known,
        level=float(level[-1]),
    )


def _high(values: FloatArray) -> float:
    """The level that one block in ten exceeds."""
    at = int(HIGH_QUANTILE * (len(values) - 1))
    return float(np.partition(values, at)[at])
