"""Time at many scales in bounded memory: blocks four times as long from scale to scale, each with its lowest sample."""

import numpy as np

from detectors.types import FloatArray

RATIO = 4.0
RAW, FIRST, SECOND, LAST = 0, 1, 5, 13
"""Scale 0 holds the samples themselves, scale 1 blocks of 4 ms, and so on by fours: scale 5 blocks of a second, 9 of
4 min, 10 of 17 min, 11 of 68 min, 12 of 4.6 h, and 13 of 18 h, whose ring spans seven weeks."""
KEPT = 64
"""Rows that each ring remembers."""
_ROOM = 66

TIME, LOW, FAST, SLOW, HELD, PEAK, TOP, COUNT, LIFE = range(9)
"""Columns of a row: when its lowest sample was taken, the level then, three views of the request rate and the requests
served by then; the block's highest level, as it is and without the load's part; and the life that it belongs to."""

Row = tuple[float, float, float, float, float, float, float, float, float]


def block_seconds(scale: int, pace: float) -> float:
    """How long one row of this scale lasts where samples come at this pace."""
    return pace if scale == RAW else max(_length(scale), pace)


def _length(scale: int) -> float:
    return float(RATIO ** (scale - SECOND))


def _with(row: Row, peak: float, top: float) -> Row:
    time, low, fast, slow, held, _, _, count, life = row
    return (time, low, fast, slow, held, peak, top, count, life)


class Ring:
    """The last `KEPT` rows, oldest first."""

    __slots__ = ("_end", "_rows")

    def __init__(self) -> None:
        self._rows = np.empty((_ROOM, 9))
        self._end = 0

    def append(self, row: Row) -> None:
        """Remember a row; the oldest is forgotten in time."""
        if self._end == _ROOM:
            self._rows[:KEPT] = self._rows[_ROOM - KEPT :]
            self._end = KEPT
        self._rows[self._end] = row
        self._end += 1

    @property
    def rows(self) -> FloatArray:
        """(m, 9), m at most `KEPT`: a view, valid until the next append."""
        return self._rows[max(self._end - KEPT, 0) : self._end]

    def forget_since(self, time: float) -> None:
        """Drop the rows from this time on."""
        self._end = int(np.searchsorted(self._rows[: self._end, TIME], time))


_EMPTY = np.empty((0, 9))


class Levels:
    """Raw samples and the scales of blocks above them.

    A sample enters the raw ring and the first scale whose blocks hold two or more at the present pace; a block that
    closes enters the scale above. So a sample costs O(1) on the average, and a ring of sparser samples (replayed
    history that was decimated) spans more time with as many rows. The lowest sample of a block is the one with the
    lowest level over what the load explains: pulses of a load, of jobs and of requests in flight do not raise it.
    """

    __slots__ = ("_entry", "_open", "_origin", "_rings", "_until")

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self._rings: list[Ring | None] = [Ring(), *[None] * LAST]
        self._open: list[tuple[float, Row] | None] = [None] * (LAST + 1)
        self._until = [-np.inf] * (LAST + 1)
        self._entry = FIRST

    def rows(self, scale: int) -> FloatArray:
        """(m, 9) the rows of a scale, oldest first."""
        ring = self._rings[scale]
        return _EMPTY if ring is None else ring.rows

    def pace(self, seconds: float) -> None:
        """Choose where samples that come at this pace enter."""
        self._entry = next((k for k in range(FIRST, LAST) if _length(k) >= 2.0 * seconds), LAST)

    def add(self, row: Row, rest: float) -> list[int]:
        """Take a sample, ``rest`` being its level without the load's part; returns the scales that closed a block."""
        self._append(RAW, row)
        closed: list[int] = []
        self._merge(self._entry, row, rest, closed)
        return closed

    def _append(self, scale: int, row: Row) -> None:
        ring = self._rings[scale]
        if ring is None:
            ring = self._rings[scale] = Ring()
        ring.append(row)

    def _merge(self, scale: int, row: Row, rest: float, closed: list[int]) -> None:
        held = self._open[scale]
        if held is None or row[TIME] >= self._until[scale]:
            length = _length(scale)
            self._until[scale] = self._origin + ((row[TIME] - self._origin) // length + 1.0) * length
            self._open[scale] = (rest, row)
            if held is not None:
                closed.append(scale)
                self._append(scale, held[1])
                if scale < LAST:
                    self._merge(scale + 1, held[1], held[0], closed)
            return
        lowest, kept = held
        peak, top = max(kept[PEAK], row[PEAK]), max(kept[TOP], row[TOP])
        if rest < lowest:
            self._open[scale] = (rest, _with(row, peak, top))
        elif peak > kept[PEAK] or top > kept[TOP]:
            self._open[scale] = (lowest, _with(kept, peak, top))

    def cut(self, leaked_since: float | None) -> None:
        """A life ended: open blocks end with it; what was seen from ``leaked_since`` on is forgotten."""
        for scale, held in enumerate(self._open):
            if held is not None:
                self._append(scale, held[1])
        self._open = [None] * (LAST + 1)
        if leaked_since is not None:
            for ring in self._rings:
                if ring is not None:
                    ring.forget_since(leaked_since)
