"""Where lives begin and end: told, or seen from the numbers alone; and clocks that jump."""

import math
from statistics import median_low

FAR_BELOW = 0.7
"""A level under this share of the life's lowest floor is a new process."""
START_UP_SECONDS = 300.0
NEAR_LIMIT = 0.97
FALL = 0.6
"""A fall to under this share right after the limit was touched is a kill."""
FIRST_GAPS = 7
"""The pace is the median of the first gaps, of so many once there are."""
ODD_SAMPLES = 8
"""So many samples in a row at another pace, or before the newest one, and the new pace, or clock, is believed."""


class Lives:
    """The life that is being watched.

    Attributes:
        number: counts up from 0.
        watched_since: seconds of the first sample. born: when this life began; None: before watching.
        loaded: when a model was last loaded in this life; None: not seen.
    """

    __slots__ = ("_after_kill", "_at_limit", "_lowest", "born", "loaded", "number", "watched_since")

    def __init__(self, now: float) -> None:
        self.number = 0
        self.watched_since = now
        self.born: float | None = None
        self.loaded: float | None = None
        self._lowest = math.inf
        self._at_limit = self._after_kill = False

    def age(self, at: float) -> float:
        """How long this life had been watched by then."""
        return at - (self.watched_since if self.born is None else self.born)

    def since_load(self, at: float) -> float:
        """Seconds since the last model load; infinite where none was seen."""
        return math.inf if self.loaded is None else at - self.loaded

    def since_birth(self, onset: float, end: float) -> float:
        """Seconds from the birth of this life to the end of a climb; infinite where it is no excuse.

        Watching may have begun with a birth: a climb whose onset was watched for less time than it has lasted is taken
        to follow one. After a kill growth is no surprise, and a birth excuses nothing.
        """
        if self.born is None:
            return end - self.watched_since if onset - self.watched_since < end - onset else math.inf
        return math.inf if self._after_kill else end - self.born

    def floor(self, now: float, level: float) -> None:
        """A block of several samples closed with this lowest level."""
        if self.born is None or now - self.born > START_UP_SECONDS:
            self._lowest = min(self._lowest, level)

    def ended(self, level: float, before: float, limit: float | None) -> bool:
        """Whether this level can only be another process's: far below all floors, or a fall from the limit."""
        if limit is not None:
            fell = self._at_limit and level < FALL * before
            self._at_limit = level > NEAR_LIMIT * limit or (self._at_limit and level >= FALL * before)
            if fell:
                return True
        return self._lowest < math.inf and level < FAR_BELOW * self._lowest

    @property
    def at_limit(self) -> bool:
        """Whether the level has touched the limit in this life."""
        return self._at_limit

    def begin(self, now: float, *, killed: bool) -> None:
        """The next life begins; ``killed``: the one before was killed for memory."""
        self.number += 1
        self.born, self.loaded = now, None
        self._lowest, self._at_limit, self._after_kill = math.inf, False, killed


class Clock:
    """A time that always rises, from one that may stand, jump back or leap; and the usual pace of the samples.

    What lies at or before the newest sample is left out, until `ODD_SAMPLES` in a row do: then the clock was set back,
    and what follows is taken to follow the newest sample by one pace.
    """

    __slots__ = ("_behind", "_gaps", "_odd", "newest", "offset", "pace")

    def __init__(self) -> None:
        self.newest: float | None = None
        self.pace: float | None = None
        self.offset = 0.0
        self._behind = self._odd = 0
        self._gaps: list[float] = []

    def accept(self, time: float) -> float | None:
        """The sample's time on the detector's axis; None where it is to be left out."""
        if not math.isfinite(time):
            return None
        now = time + self.offset
        if self.newest is None:
            self.newest = now
            return now
        if now <= self.newest:
            self._behind += 1
            if self._behind < ODD_SAMPLES:
                return None
            self.offset += self.newest + (self.pace or 1.0) - now
            now = self.newest + (self.pace or 1.0)
        self._behind = 0
        gap, self.newest = now - self.newest, now
        if self.pace is None or len(self._gaps) < FIRST_GAPS:
            self._gaps.append(gap)
            self.pace = median_low(self._gaps)
        elif 0.5 < gap / self.pace < 2.0:
            self._odd = 0
        else:
            self._odd += 1
            if self._odd >= ODD_SAMPLES:
                self.pace, self._odd = gap, 0
        return now
