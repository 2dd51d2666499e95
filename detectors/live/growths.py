"""What the container has grown by before, in how long, without harm: the measure for what it grows by now."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

PER_OCTAVE, BINS = 3, 96
"""Durations of 1 s, 1.26 s, 1.6 s, ...: the last is longer than a lifetime."""
MOST_PENDING = 12
GIVEN_BACK = 0.5
WENT_ON = 1.3
"""A climb that ended is known to be harmless once it has given half of its growth back, or once as much time again has
passed without the level rising to 1.3 times its growth; otherwise it went on, and is a part of something longer."""


def duration_bin(lasted_seconds: float) -> int:
    """Which third of an octave a duration belongs to."""
    return min(max(round(PER_OCTAVE * math.log2(max(lasted_seconds, 1.0))), 0), BINS - 1)


class Growths:
    """The largest harmless growth of each duration, in bytes, and how many climbs lasted so long."""

    __slots__ = ("_count", "_largest")

    def __init__(self) -> None:
        self._largest, self._count = [0.0] * BINS, [0] * BINS

    def add(self, trail: Mapping[int, float]) -> None:
        """Remember what one climb had grown by when it had lasted each duration."""
        for at, grown in trail.items():
            self._largest[at] = max(self._largest[at], grown)
            self._count[at] += 1

    def largest(self, lasted_seconds: float, longer: int = 0) -> float:
        """The largest growth that took half as long to as long; ``longer`` bins more are counted too."""
        at = duration_bin(lasted_seconds)
        return max(self._largest[max(at - PER_OCTAVE, 0) : at + 1 + longer])

    def count(self, lasted_seconds: float) -> int:
        """How many climbs lasted about so long."""
        at = duration_bin(lasted_seconds)
        return max(self._count[max(at - PER_OCTAVE, 0) : at + 1])


@dataclass(frozen=True, slots=True)
class Likes:
    """The largest harmless growths, over the one that is judged.

    Attributes:
        like: of those that took about as long; ``longer``: up to four times as long.
        birth: of those that began with a life and took up to twice as long.
        count: how many lasted about as long.
    """

    like: float
    longer: float
    birth: float
    count: int


@dataclass(slots=True)
class Going:
    """A climb that is being followed at one scale.

    Attributes:
        onset, end: seconds. base: level at the onset, in bytes. born: it began with its life.
        trail: bytes grown by the time that it had lasted each duration.
    """

    onset: float
    end: float
    base: float
    born: bool
    trail: dict[int, float] = field(default_factory=dict)


class History:
    """Climbs of all scales, from the first look to the judgement that they were harmless.

    Warm-ups, which begin with a life, are kept apart: they are the measure for young lives alone. Kept over restarts.
    """

    __slots__ = ("_births", "_going", "_others", "_pending")

    def __init__(self) -> None:
        self._others, self._births = Growths(), Growths()
        self._going: dict[int, Going] = {}
        self._pending: dict[int, list[Going]] = {}

    def follow(self, scale: int, onset: float, end: float, base: float, grown: float, born: bool) -> None:
        """A climb was seen at this scale: the one that is going on there, or a new one."""
        lasted, going = end - onset, self._going.get(scale)
        if going is not None and abs(going.onset - onset) > 0.5 * max(lasted, going.end - going.onset):
            self.end(scale)
            going = None
        if going is None:
            going = self._going[scale] = Going(onset, end, base, born)
        going.onset, going.end, going.base, going.born = onset, end, base, born
        at = duration_bin(lasted)
        going.trail[at] = max(going.trail.get(at, 0.0), grown)

    def end(self, scale: int) -> None:
        """No climb is seen at this scale any more; whether it was harmless remains to be seen."""
        going = self._going.pop(scale, None)
        if going is not None:
            pending = self._pending.setdefault(scale, [])
            pending.append(going)
            if len(pending) > MOST_PENDING:
                self._keep(pending.pop(0))

    def settle(self, scale: int, now: float, level: float) -> None:
        """Judge what has ended at this scale by where the level is now."""
        waiting = self._pending.get(scale)
        if not waiting:
            return
        left = []
        for one in waiting:
            grown = max(one.trail.values())
            if level < one.base + GIVEN_BACK * grown:
                self._keep(one)
            elif now <= one.end + (one.end - one.onset):
                left.append(one)
            elif level < one.base + WENT_ON * grown:
                self._keep(one)
        self._pending[scale] = left

    def newest_onset(self) -> float | None:
        """When the longest climb that is going on began; None where none is."""
        return min((going.onset for going in self._going.values()), default=None)

    def cut(self, leaked_since: float | None) -> None:
        """A life ended; what grew from ``leaked_since`` on in it was a leak, and is no measure."""
        for scale in list(self._going):
            self.end(scale)
        for waiting in self._pending.values():
            for one in waiting:
                if leaked_since is None or one.end <= leaked_since:
                    self._keep(one)
        self._pending.clear()

    def _keep(self, one: Going) -> None:
        (self._births if one.born else self._others).add(one.trail)

    def like(self, lasted: float, grown: float) -> Likes:
        """What to measure growth by this many bytes in this many seconds by."""
        if grown <= 0.0:
            return Likes(math.inf, math.inf, math.inf, 0)
        return Likes(
            self._others.largest(lasted) / grown,
            self._others.largest(lasted, longer=2 * PER_OCTAVE) / grown,
            self._births.largest(lasted, longer=PER_OCTAVE) / grown,
            self._others.count(lasted),
        )
