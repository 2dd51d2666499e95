"""A threshold with hysteresis and a least duration: the one way in which a condition begins and ends."""

from dataclasses import dataclass

LEAVE_SHARE = 0.95
"""A condition ends when its value has stayed under this share of the threshold: what hovers at it is one condition."""

UNSEEN_HOLDS = 5.0
"""A value that is not told for so many times the hold is no longer known to be too high, and the condition ends."""


@dataclass(slots=True)
class Gate:
    """One condition's state; `turn` is called with each sample, in the order of time.

    Attributes:
        enter: the value must stay over it for ``hold_seconds``, seen in two samples at least.
        holds: whether the condition holds now.
        since: Unix seconds since when it holds, or since when the value is over the threshold; None where it is not.
    """

    enter: float
    hold_seconds: float
    holds: bool = False
    since: float | None = None
    _well_since: float | None = None
    _seen: float | None = None

    def turn(self, now: float, value: float | None) -> bool | None:
        """True where the condition begins with this sample, False where it ends, None where nothing changes.

        A clock that was set back starts the wait anew; it never lengthens it beyond ``hold_seconds``.
        """
        if value is None:
            return self._unseen(now)
        self._seen = now
        if not self.holds:
            if value <= self.enter:
                self.since = None
            elif self.since is None or now < self.since:
                self.since = now
            elif now - self.since >= self.hold_seconds:
                self.holds, self._well_since = True, None
                return True
            return None
        if value > self.enter * LEAVE_SHARE:
            self._well_since = None
        elif self._well_since is None or now < self._well_since:
            self._well_since = now
        elif now - self._well_since >= self.hold_seconds:
            return self._end()
        return None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is remembered, so that it may be forgotten."""
        return not self.holds and self.since is None

    def _unseen(self, now: float) -> bool | None:
        if self._seen is None or now < self._seen:
            self._seen = now
        if now - self._seen < UNSEEN_HOLDS * max(self.hold_seconds, 1.0):
            return None
        if self.holds:
            return self._end()
        self.since = None
        return None

    def _end(self) -> bool:
        self.holds, self.since, self._well_since = False, None, None
        return False
