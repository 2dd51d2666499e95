"""What the container has grown by before, in how long, without harm: the measure for what it grows by now."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

OCTAVES = 32
"""Durations of 1 s, 2 s, 4 s, ...: the last is longer than a lifetime."""
MOST_PENDING = 12
GIVEN_BACK = 0.5
WENT_ON = 1.3
"""A climb that ended is known to be harmless once it has given half of its growth back, or once as much time again has
passed without the level rising to 1.3 times its growth; otherwise it went on, and is a part of something longer."""


def octave(lasted_seconds: float) -> int:
    """Which octave a duration belongs to."""
    return min(max(round(math.log2(max(lasted_seconds, 1.0))), 0), OCTAVES - 1)


class Growths:
    """The largest harmless growth of each octave of duration, in bytes."""

    __slots__ = ("_largest",)

    def __init__(self) -> None:
        self._largest = [0.0] * OCTAVES

    def add(self, trail: Mapping[int, float]) -> None:
        """Remember what one climb had grown by when it had lasted each octave."""
        for at, grown in trail.items():
            self._largest[at] = max(self._largest[at], grown)

    def largest(self, lasted_seconds: float, longer: int = 0) -> float:
        """The largest growth that took about as long or half as long; ``longer`` octaves more are counted too."""
        at = octave(lasted_seconds)
        return max(self._largest[max(at - 1, 0) : at + 1 + longer])


@dataclass(slots=True)
class Going:
    """A climb that is being followed at one scale.

    Attributes:
        onset, end: seconds. base: level at the onset, in bytes. born: it began with its life.
        trail: bytes grown by the time that it had lasted each octave.
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
        at = octave(lasted)
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

    def like(self, lasted: float, grown: float, *, young: bool) -> tuple[float, float]:
        """The largest harmless growths that took about as long, over ``grown``: of any time, and of young lives."""
        if grown <= 0.0:
            return math.inf, math.inf
        births = self._births.largest(lasted, longer=1) / grown if young else 0.0
        return self._others.largest(lasted) / grown, births
