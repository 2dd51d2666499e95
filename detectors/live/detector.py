"""The live detector: one container, sample by sample."""

import math
from collections.abc import Mapping

import numpy as np

from detectors.live.growths import History
from detectors.live.incident import Incidents
from detectors.live.levels import FAST, HELD, LIFE, LOW, RAW, SLOW, TIME, Levels, block_seconds
from detectors.live.lives import Clock, Lives
from detectors.live.load import LoadModel, Rate, total
from detectors.live.rules import LEAK, SUSPECTED
from detectors.live.score import log_odds
from detectors.live.sight import LEAST_SHARE, Room, Sight, look
from detectors.live.telling import tell, tell_quiet
from detectors.series import METRICS
from detectors.types import FloatArray, Level, LiveVerdict

LEARN_SCALE = 9
"""Load is learned from changes between blocks of 4 min, or of the first scale that holds two samples a block."""
LEAST_ROWS = 9
LOWEST_OF = 32
"""Samples after which the lowest of them, and of as many before, is the floor that a raw look needs growth over."""
RAW_REST_LOOKS = 1
METRIC_GONE_SAMPLES = 20


class LiveDetector:
    """Watches one container for ever: `observe` each sample, `judge` when asked.

    All that is concluded is concluded in `observe`, so that a replay of the stored samples ends in the same state,
    whenever and however often `judge` was called. A sample costs O(1) on the average: a look at one scale,
    of at most 64 rows, when a block of that scale closes. The state is bounded (under 50 kB).

    Args:
        limit_bytes: the memory limit where none is observed.
    """

    def __init__(self, *, limit_bytes: float | None = None) -> None:
        self._given_limit = limit_bytes
        self._room = Room(limit_bytes, None)
        self._metric: str | None = None
        self._metric_gone = 0
        self._clock = Clock()
        self._levels: Levels | None = None
        self._lives: Lives | None = None
        self._rate, self._loads = Rate(), 0.0
        self._loads_seen = False
        self._load = LoadModel()
        self._history = History()
        self._incidents = Incidents()
        self._level_bytes = 0.0
        self._lowest, self._lowest_before, self._in_lowest = math.inf, math.inf, 0
        self._raw_rest = 0
        self._paced: float | None = None
        self._samples = 0

    @property
    def level(self) -> Level:
        """The present level, without the reasons that `judge` gives."""
        return self._incidents.level

    def observe(self, time_seconds: float, values: Mapping[str, float]) -> None:
        """Take one sample, by the trace's column names; unknown cells are absent or NaN. Never raises on poor data.

        ``limit_bytes`` of 0, or NaN, is no limit; ``host_available_bytes`` bounds the headroom where there is none. A
        sample that is not later than the one before is left out.
        """
        level = self._memory(values)
        if level is None:
            return
        now = self._clock.accept(time_seconds)
        if now is None:
            return
        levels, lives = self._begin(now)
        self._see_room(values)
        reset = self._see_load(now, values, lives)
        if reset or lives.ended(level, self._level_bytes, self._room.limit):
            self._end_life(now, killed=lives.at_limit)
        self._samples += 1
        self._level_bytes = level
        fast, slow, held = self._rate.views
        a, b, c = self._load.coefficients
        rest = level - a * fast - b * slow - c * held
        row = (now, level, fast, slow, held, level, rest, self._rate.served, float(lives.number))
        closed = levels.add(row, rest)
        self._look_at_samples(now, rest, levels, lives)
        for scale in closed:
            self._look(scale, levels, lives)
        if closed:
            lives.floor(now, float(levels.rows(closed[0])[-1, LOW]))
            if self._rate.seen and (LEARN_SCALE in closed or closed[0] > LEARN_SCALE):
                rows = levels.rows(max(LEARN_SCALE, closed[0]))
                self._load.learn(_of_life(rows, lives.number))

    def restarted(self, time_seconds: float, *, killed: bool = False) -> None:
        """A life ended at this time; ``killed``: for memory. What was learned about the container is kept."""
        if self._lives is not None and math.isfinite(time_seconds):
            self._end_life(max(time_seconds + self._clock.offset, self._clock.newest or 0.0), killed=killed)

    def judge(self, now_seconds: float) -> LiveVerdict:
        """What is true at this time, of all that was observed so far."""
        now, since = now_seconds + self._clock.offset, self._incidents.since
        since = None if since is None else since - self._clock.offset
        incident = self._incidents.current
        if incident is None or self._levels is None or self._metric is None or self._lives is None:
            watched = 0.0 if self._lives is None else now - self._lives.watched_since
            return tell_quiet(self._metric, self._samples, watched, since, self._rate.seen)
        rows = _of_life(self._levels.rows(incident.sight.scale), self._lives.number)
        return tell(
            incident,
            self._incidents.level,
            metric=self._metric,
            rows=rows,
            rest=_rest(rows, self._load.coefficients),
            room=self._room,
            now=now,
            offset=self._clock.offset,
            level_bytes=self._level_bytes,
            since=since,
        )

    def _memory(self, values: Mapping[str, float]) -> float | None:
        """The judged column's value; the column is the best of the first sample, until it is gone for long."""
        value = values.get(self._metric) if self._metric is not None else None
        if value is not None and math.isfinite(value) and value >= 0:
            self._metric_gone = 0
            return float(value)
        self._metric_gone += 1
        if self._metric is not None and self._metric_gone < METRIC_GONE_SAMPLES:
            return None
        for name in METRICS:
            other = values.get(name)
            if other is not None and math.isfinite(other) and other >= 0:
                if self._metric is not None:  # another column is another series
                    self._levels = self._lives = None
                    self._history, self._load = History(), LoadModel()
                self._metric, self._metric_gone = name, 0
                return float(other)
        return None

    def _begin(self, now: float) -> tuple[Levels, Lives]:
        if self._levels is None or self._lives is None:
            self._levels, self._lives = Levels(now), Lives(now)
            self._incidents.start(now)
        if self._clock.pace is not None and self._clock.pace != self._paced:
            self._paced = self._clock.pace
            self._levels.pace(self._clock.pace)
        return self._levels, self._lives

    def _see_room(self, values: Mapping[str, float]) -> None:
        limit, available = values.get("limit_bytes"), values.get("host_available_bytes")
        if limit is not None or available is not None:
            seen = self._room.limit
            if limit is not None:
                seen = float(limit) if math.isfinite(limit) and limit > 0 else self._given_limit
            known = available is not None and math.isfinite(available) and available > 0
            left = float(available) if known and available is not None else self._room.available
            if seen != self._room.limit or left != self._room.available:
                self._room = Room(seen, left)

    def _see_load(self, now: float, values: Mapping[str, float], lives: Lives) -> bool:
        """Take the counters; True where one was reset."""
        requests, loads = total(values, "requests_total"), total(values, "model_loads_total")
        reset = requests is not None and self._rate.count(now, requests)
        if loads is not None:
            if self._loads_seen and loads < self._loads:
                reset = True
            elif self._loads_seen and loads > self._loads:
                lives.loaded = now
            self._loads, self._loads_seen = loads, True
        return reset

    def _end_life(self, now: float, *, killed: bool) -> None:
        levels, lives = self._begin(now)
        leaking = self._incidents.current if self._incidents.level is Level.LEAK else None
        leaked_since = leaking.sight.climb.onset if leaking is not None else None
        if killed and leaked_since is None:
            leaked_since = self._history.newest_onset()
        self._history.cut(leaked_since)
        levels.cut(leaked_since)
        self._incidents.restarted(now)
        lives.begin(now, killed=killed)
        self._lowest = self._lowest_before = math.inf

    def _look_at_samples(self, now: float, rest: float, levels: Levels, lives: Lives) -> None:
        """A look at the samples, where the newest stands far enough over the floor of the last ones."""
        self._in_lowest += 1
        if self._in_lowest == LOWEST_OF:
            self._lowest_before, self._lowest, self._in_lowest = self._lowest, rest, 0
        self._lowest = min(self._lowest, rest)
        rise = rest - min(self._lowest, self._lowest_before)
        if rise <= LEAST_SHARE * self._room.over(self._level_bytes):
            self._miss(RAW, now, rest)
        elif self._raw_rest > 0:
            self._raw_rest -= 1
        else:
            self._raw_rest = RAW_REST_LOOKS
            self._look(RAW, levels, lives)

    def _look(self, scale: int, levels: Levels, lives: Lives) -> None:
        rows = _of_life(levels.rows(scale), lives.number)
        if len(rows) < LEAST_ROWS:
            return
        level = _rest(rows, self._load.coefficients)
        newest, now = float(level[-1]), self._clock.newest or 0.0
        self._history.settle(scale, float(rows[-1, TIME]), newest)
        rise = newest - float(level.min())
        if rise < LEAST_SHARE * self._room.over(float(rows[0, LOW])):
            self._miss(scale, now, newest)
            return
        seen = look(
            scale,
            rows,
            level,
            levels=levels,
            lives=lives,
            room=self._room,
            coefficients=np.asarray(self._load.coefficients),
            history=self._history,
            load_known=self._rate.seen,
            pace=self._clock.pace or 0.0,
        )
        if seen is None:
            self._miss(scale, now, newest)
            return
        if seen.evidence:
            self._weigh(seen, now)
        self._incidents.looked(scale, now, newest)

    def _weigh(self, seen: Sight, now: float) -> None:
        """What one look at growth means for the levels."""
        block = block_seconds(seen.scale, self._clock.pace or 0.0)
        for rule in (SUSPECTED, LEAK):
            score = log_odds(seen.evidence, rule.level)
            if rule.finds(seen, score):
                self._incidents.found(rule.level, seen, now, block)
            elif rule.holds(score):
                self._incidents.held(rule.level, seen, now, block)

    def _miss(self, scale: int, now: float, level_bytes: float) -> None:
        """Nothing grows at this scale."""
        self._history.end(scale)
        self._incidents.looked(scale, now, level_bytes)


def _of_life(rows: FloatArray, life: int) -> FloatArray:
    """Those rows of a ring that belong to this life."""
    return rows[rows[:, LIFE] == life] if len(rows) and rows[0, LIFE] != life else rows


def _rest(rows: FloatArray, coefficients: tuple[float, float, float]) -> FloatArray:
    """(m,) levels without what the load explains."""
    a, b, c = coefficients
    if a == b == c == 0.0:
        return rows[:, LOW].copy()
    return np.asarray(rows[:, LOW] - (a * rows[:, FAST] + b * rows[:, SLOW] + c * rows[:, HELD]))
