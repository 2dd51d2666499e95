"""When a level begins and when it ends: opened at once by a rule that has held on, closed with hysteresis."""

from dataclasses import dataclass

from detectors.live.sight import Sight
from detectors.types import Level

HOLD = 3.0
"""An incident stays open until no look has found it true for so many times the time that it had grown for."""
LEAST_HOLD_BLOCKS = 8.0
GIVEN_BACK = 0.5
GIVEN_BACK_LOOKS = 3
"""It ends at once when as many looks in a row have found this share of the growth given back."""
AS_MUCH, STALE, WELL_KNOWN, FEW_BLOCKS = 0.8, 0.25, 0.1, 16
"""A look is told until one comes that tells about as much, or until this share of its growth's length later. It tells
the more the longer the growth that it sees, if it knows the slope to a tenth and sees it in so many blocks: in
the fewest that a line needs the onset is hardly free."""


@dataclass(slots=True)
class Incident:
    """One level of one container that is open.

    Attributes:
        sight: the look that found it true and that is told.
        until: seconds when it ends unless it is found true again.
        given_back: looks in a row that found the growth given back.
        after_restart: a restart ended the life in which it was found; the new life is being watched.
    """

    sight: Sight
    until: float
    given_back: int = 0
    after_restart: bool = False


def _lasted(sight: Sight) -> float:
    return sight.climb.end - sight.climb.onset


def _hold(sight: Sight, block_seconds: float) -> float:
    return max(HOLD * _lasted(sight), LEAST_HOLD_BLOCKS * block_seconds)


def _tells(sight: Sight) -> float:
    climb = sight.climb
    unsure = max(climb.error / (WELL_KNOWN * climb.slope), 1.0)
    return _lasted(sight) * min(climb.blocks / FEW_BLOCKS, 1.0) ** 4 / unsure


class Incidents:
    """The levels of one container: suspected and leak, each open or not."""

    __slots__ = ("_open", "level", "since")

    def __init__(self) -> None:
        self._open: dict[Level, Incident] = {}
        self.level = Level.QUIET
        self.since: float | None = None

    def start(self, now: float) -> None:
        """Watching begins."""
        self.since = now

    def found(self, level: Level, sight: Sight, now: float, block_seconds: float) -> None:
        """A rule of this level holds: open it, or hold it open."""
        held = self._open.get(level)
        if held is None or held.after_restart:
            self._open[level] = Incident(sight, now + _hold(sight, block_seconds))
            self._settle(now)
        else:
            self.held(level, sight, now, block_seconds)

    def held(self, level: Level, sight: Sight, now: float, block_seconds: float) -> None:
        """A look holds what was found at this level to be true still; nothing where nothing was."""
        held = self._open.get(level)
        if held is None or held.after_restart:
            return
        held.until, held.given_back = max(held.until, now + _hold(sight, block_seconds)), 0
        outdated = sight.climb.end - held.sight.climb.end > STALE * _lasted(held.sight)
        if outdated or _tells(sight) >= AS_MUCH * _tells(held.sight):
            held.sight = sight

    def looked(self, scale: int, now: float, level_bytes: float) -> None:
        """A look at this scale, whatever it found: has the growth been given back, has the time run out?"""
        for level, one in list(self._open.items()):
            climb = one.sight.climb
            if one.sight.scale == scale and not one.after_restart:
                back = level_bytes < climb.base + GIVEN_BACK * climb.grown
                one.given_back = one.given_back + 1 if back else 0
            if one.given_back >= GIVEN_BACK_LOOKS or now > one.until:
                del self._open[level]
        self._settle(now)

    def restarted(self, now: float) -> None:
        """A life ended: nothing grows now, but the new life is watched for as long as the old one had grown."""
        for one in self._open.values():
            lasted = one.sight.climb.end - one.sight.climb.onset
            one.after_restart, one.until = True, now + lasted
        self._settle(now)

    @property
    def current(self) -> Incident | None:
        """The incident that the present level rests on; None while quiet."""
        return self._open.get(Level.LEAK) or self._open.get(Level.SUSPECTED)

    def _settle(self, now: float) -> None:
        leak = self._open.get(Level.LEAK)
        level = Level.QUIET
        if leak is not None and not leak.after_restart:
            level = Level.LEAK
        elif self._open:
            level = Level.SUSPECTED
        if level is not self.level:
            self.level, self.since = level, now
