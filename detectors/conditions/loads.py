"""Model loads that take longer than a model of their size should."""

from collections import deque
from collections.abc import Mapping

from detectors.conditions.readings import by_name, known, unreclaimable_bytes
from detectors.wording import duration, size

LEAST_LOAD_SECONDS = 60.0
LOAD_BYTES_PER_SECOND = 20 * 2.0**20
"""A load may take a minute, and the time in which its bytes come at this rate: that of a cold network volume."""

TOLD_SECONDS = 600.0
"""A load that has ended is too slow for so long; after that it is history."""

_LEVEL_EVERY_SECONDS, _LEVELS = 15.0, 240
"""The level is remembered so often, and so many times: for an hour, in which 70 GiB come at that rate."""


class SlowLoads:
    """How long loads take against what they may take, as a ratio: over 1 is too long."""

    def __init__(self, load_seconds: float | None) -> None:
        self._allowed_seconds = load_seconds
        self._since: float | None = None
        self._level_before: float | None = None
        self._level: float | None = None
        self._levels: deque[tuple[float, float]] = deque(maxlen=_LEVELS)
        self._ended: dict[str, tuple[float, float, tuple[float, str]]] = {}
        self._looked = False

    def observe(self, now: float, values: Mapping[str, float]) -> tuple[float | None, str]:
        """The load that is going on: None where the server does not tell, 0 where there is none."""
        loading, level = known(values, "models_loading"), unreclaimable_bytes(values)
        before, self._level = self._level, level if level is not None else self._level
        self._remember(now, level)
        if loading is None:
            return None, "loads of models are not told"
        if loading == 0:
            self._since = None
            return 0.0, "no model is being loaded any more"
        if self._since is None or now < self._since:
            self._since, self._level_before = now, before if before is not None else level
        took, grown = now - self._since, max((level or 0.0) - (self._level_before or 0.0), 0.0)
        return self._judged(took, grown, f"a model has been loading for {duration(took)}")

    def ended(self, now: float, values: Mapping[str, float]) -> dict[str, tuple[float, str]]:
        """By model, the last load that ended since we look, where the server tells how long it took."""
        found = {}
        for name, took in by_name(values, "load_seconds"):
            before, at, judged = self._ended.get(name, (None, now, (0.0, "")))
            if took != before or now < at:
                at = now if self._looked else -TOLD_SECONDS  # what lies before the first look is history
                judged = self._judged(took, self._grown(now, took), f"the last load of {name} took {duration(took)}")
                self._ended[name] = (took, at, judged)
            ratio, said = judged
            found[name] = (ratio if now - at < TOLD_SECONDS else 0.0, said)
        self._looked = True
        return found

    def restarted(self) -> None:
        """A life ended: the next one's loads fill a memory that is empty."""
        self._levels.clear()
        self._since = self._level = None

    def _remember(self, now: float, level: float | None) -> None:
        if self._levels and now < self._levels[-1][0]:
            self._levels.clear()  # the clock was set back
        if level is not None and (not self._levels or now - self._levels[-1][0] >= _LEVEL_EVERY_SECONDS):
            self._levels.append((now, level))

    def _grown(self, now: float, took: float) -> float:
        """What memory grew by in a load that has just ended: from before it began to its highest level."""
        begun = now - took - _LEVEL_EVERY_SECONDS  # it may have ended a look ago
        earlier = [level for at, level in self._levels if at <= begun]
        during = [level for at, level in self._levels if at > begun]
        highest = max([*during, *([self._level] if self._level is not None else [])], default=0.0)
        base = earlier[-1] if earlier else during[0] if during else highest
        return max(highest - base, 0.0)

    def _judged(self, took: float, grown_bytes: float, said: str) -> tuple[float, str]:
        allowed = self._allowed_seconds or LEAST_LOAD_SECONDS + grown_bytes / LOAD_BYTES_PER_SECOND
        size_words = f" for {size(grown_bytes)}" if grown_bytes and self._allowed_seconds is None else ""
        return took / allowed, f"{said}; {duration(allowed)} are expected{size_words}"
