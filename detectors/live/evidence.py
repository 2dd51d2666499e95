"""What speaks for a leak, and what against it, in one look: numbers that know neither bytes nor the sampling period."""

import math
from dataclasses import dataclass

import numpy as np

from detectors.live.bar import bar, is_new, lacking, weakest
from detectors.live.climb import Climb
from detectors.live.growths import Likes
from detectors.live.levels import COUNT, FAST, HELD, LAST, LOW, PEAK, RAW, SLOW, TIME, TOP, Levels
from detectors.types import FloatArray

DAY_SECONDS = 86_400.0
DAY_SCALE, DAY_LEAST_SECONDS = 11, 3_000.0
"""Yesterday's growth at the same time of day is read from blocks of 68 min, for climbs of about as long or longer."""
WIDER_SCALE = 10
"""What was usual before is read from blocks of 17 min, or of the scale above the one that is looked at, and longer."""
LEAST_RATIO = 1e-3
NEWEST_ROWS = 4
MOST_LIKE = 9.0
"""Ratios over this are no more than this."""
LEAST_UNEXPLAINED = 1e-6
UNKNOWN = math.nan


@dataclass(frozen=True, slots=True)
class Before:
    """What was seen before the onset, at this scale in this life and in longer blocks of any life.

    Attributes:
        top: highest level, load explained; ``floor``: highest floor of longer blocks; ``low``: lowest floor; ``peak``:
            highest level as it was; all in bytes, infinite where nothing was seen.
        busiest: the highest request rate in longer blocks, per second.
    """

    top: float
    floor: float
    low: float
    peak: float
    busiest: float


def seen_before(
    levels: Levels, scale: int, own: FloatArray, level: FloatArray, onset: float, coefficients: FloatArray
) -> Before:
    """Look back.

    Args:
        own: (m, 9) rows of the scale and life up to the onset. level: (m,) theirs, without the load's part.
    """
    top, floor, low, peak, busiest = -math.inf, -math.inf, math.inf, -math.inf, 0.0
    for wider in range(max(WIDER_SCALE, min(scale + 1, LAST)), LAST + 1):
        rows = levels.rows(wider)
        rows = rows[: rows[:, TIME].searchsorted(onset)]
        if len(rows):
            floors = rows[:, LOW] - rows[:, FAST : HELD + 1] @ coefficients
            highest = rows.max(axis=0)
            top, peak = max(top, float(highest[TOP])), max(peak, float(highest[PEAK]))
            floor, low = max(floor, float(floors.max())), min(low, float(floors.min()))
            busiest = max(busiest, float(highest[SLOW]))
    if len(own) > 2:
        top, peak = max(top, float(own[:-1, TOP].max())), max(peak, float(own[:-1, PEAK].max()))
        low = min(low, float(level[:-1].min()))
    return Before(top, floor, low, peak, busiest)


PIECES = (
    ("share", "how much of the headroom it took"),
    ("blocks", "how long it has lasted"),
    ("before", "how long it has lasted"),
    ("lasted", "how long it has lasted"),
    ("straight", "how straight it is"),
    ("late", "whether it goes on as steeply"),
    ("last", "whether it goes on as steeply"),
    ("largest_step", "how even its steps are"),
    ("certain", "how far it stands out of the noise"),
    ("like", "what it grew by in a like time before"),
    ("like_longer", "what it grew by in a like time before"),
    ("like_birth", "how it grew when it was young"),
    ("known", "how often it climbed for so long before"),
    ("watched", "how often it climbed for so long before"),
    ("above_top", "how high it stands over its former levels"),
    ("above_usual", "how high it stands over its former levels"),
    ("above_floors", "how high it stands over its former levels"),
    ("above_floor", "how high it stands over its former levels"),
    ("above_peak", "how high it stands over its former levels"),
    ("base_over_low", "how high it stands over its former levels"),
    ("day_before", "what it did a day before"),
    ("load_within", "when a model was loaded"),
    ("since_load", "when a model was loaded"),
    ("since_birth", "when it was started"),
    ("real", "what load leaves unexplained"),
    ("dip", "how calm it is otherwise"),
    ("swing", "how calm it is otherwise"),
    ("room", "how near the limit it stands"),
    ("load_now", "how the load moved"),
    ("load_change", "how the load moved"),
    ("explained", "how the load moved"),
    ("by_requests", "how it follows the requests"),
    ("straight_requests", "how it follows the requests"),
    ("samples", "how often it was sampled"),
    ("left", "how soon it would reach the limit"),
    ("raw", "how often it was sampled"),
    ("level", "how near the limit it stands"),
    ("of_base", "how much of its own level it grew by"),
    ("of_limit", "how much of the headroom it took"),
    ("steep", "how far it stands out of the noise"),
    ("over_bar", "how much of the headroom it took"),
    ("lacking", "what a leak should be like"),
    ("weakest", "what a leak should be like"),
)
"""The pieces of evidence, in their order: the name, and what it is called; those that tell of the same share a name."""
NAMES = tuple(name for name, _ in PIECES)


def weigh(
    *,
    scale: int,
    climb: Climb,
    rows: FloatArray,
    level: FloatArray,
    at: int,
    before: Before,
    levels: Levels,
    coefficients: FloatArray,
    likes: Likes,
    grown: float,
    headroom: float,
    limit: float | None,
    explained: float,
    above_usual: float | None,
    above_floors: float | None,
    watched: float,
    since_load: float,
    since_birth: float,
    load_known: bool,
    pace: float,
) -> tuple[float, ...]:
    """The evidence of one look, as `NAMES`; NaN where it is unknown.

    Args:
        rows: (m, 9) of the scale and life. level: (m,) without the load's part. at: the row at the onset.
        others as in `detectors.live.sight.Sight`.
    """
    g = max(grown, 1e-9 * headroom)
    lasted = max(climb.end - climb.onset, 1e-3)
    newest = float(level[-1])
    seen = before.top > -math.inf
    bounded = limit if limit is not None else math.nan
    over_bar = _log(grown / headroom / bar(lasted, climb.blocks, above_usual is not None), LEAST_RATIO, 100.0)
    lacks = lacking(
        straight=climb.straight,
        late=climb.late,
        last=climb.last,
        largest_step=climb.largest_step,
        real=grown / climb.grown,
        like=likes.like,
        new=is_new(above_usual, above_floors),
    )
    now, change, by_requests, straight_requests = _load(rows, level, at, before) if load_known else [UNKNOWN] * 4
    return (
        _log(grown / headroom, LEAST_RATIO, 10.0),
        math.log(climb.blocks),
        math.log(climb.before + 1),
        math.log(max(lasted, 1.0)),
        -math.log(1.0 - min(climb.straight, 0.9999)),
        climb.late,
        climb.last,
        climb.largest_step,
        _log(climb.slope / max(climb.error, 1e-12 * climb.slope), 0.1, 1e4),
        min(likes.like, MOST_LIKE),
        min(likes.longer, MOST_LIKE),
        min(likes.birth, MOST_LIKE),
        math.log1p(likes.count),
        _log(watched / lasted, LEAST_RATIO, 1e3),
        (newest - before.top) / g if seen else UNKNOWN,
        UNKNOWN if above_usual is None else above_usual,
        UNKNOWN if above_floors is None else above_floors,
        (newest - before.floor) / g if before.floor > -math.inf else UNKNOWN,
        (float(rows[at:, PEAK].max()) - before.peak) / g if seen else UNKNOWN,
        (climb.base - before.low) / g if seen else UNKNOWN,
        _day_before(levels.rows(DAY_SCALE), climb, coefficients) / g if lasted > DAY_LEAST_SECONDS else UNKNOWN,
        min(since_load / lasted, 10.0),
        _log(since_load, 10.0, 1e6),
        _log(since_birth, 10.0, 1e7),
        grown / climb.grown,
        climb.dip / g,
        (before.top - before.low) / g if seen else UNKNOWN,
        headroom / bounded,
        now,
        change,
        explained / g,
        by_requests,
        straight_requests,
        _log(lasted / max(pace, 1e-3), 1.0, 1e6),
        _log(max(headroom - grown, 0.0) / climb.slope, 1.0, 1e8),
        float(scale == RAW),
        newest / bounded,
        min(g / max(climb.base, 1.0), MOST_LIKE),
        grown / bounded,
        _steep(climb, level, at, headroom),
        over_bar,
        float(lacks),
        weakest(over_bar, lacks),
    )


def _log(value: float, least: float, most: float) -> float:
    return math.log(min(max(value, least), most))


def _steep(climb: Climb, level: FloatArray, at: int, headroom: float) -> float:
    """The line's rise from block to block over the typical change between blocks before the onset, as a logarithm."""
    if at < 4:
        return UNKNOWN
    steps = np.abs(level[1 : at + 1] - level[:at])
    typical = float(np.partition(steps, at // 2)[at // 2])
    return _log(climb.slope * (climb.end - climb.onset) / climb.blocks / max(typical, 1e-9 * headroom), 1e-3, 1e3)


def _day_before(rows: FloatArray, climb: Climb, coefficients: FloatArray) -> float:
    """Bytes that the floor rose by between the same two times of the day before."""
    time = rows[:, TIME]
    first, last = time.searchsorted((climb.onset - DAY_SECONDS, climb.end - DAY_SECONDS)).tolist()
    if first == 0 or last >= len(rows):
        return UNKNOWN
    new, old = rows[last], rows[first]
    return float(new[LOW] - old[LOW] - (new[FAST : HELD + 1] - old[FAST : HELD + 1]) @ coefficients)


def _load(rows: FloatArray, level: FloatArray, at: int, before: Before) -> tuple[float, float, float, float]:
    """The request rate of late and its change since the onset, over the highest; how much better the growth follows the
    requests than the clock, and how well, as logarithms of what each leaves of the squares."""
    slow, counts, y = rows[:, SLOW], rows[at:, COUNT], level[at:]
    busiest = max(float(slow.max()), before.busiest)
    now = change = by_requests = straight = UNKNOWN
    if busiest > 0.0:
        now = float(slow[-NEWEST_ROWS:].mean()) / busiest
        change = float(slow[at:].mean() - slow[: at + 1].mean()) / busiest
    if counts[-1] > counts[0]:
        left = _left(counts, y)
        by_requests, straight = math.log(left / _left(rows[at:, TIME], y)), -math.log(left)
    return now, change, by_requests, straight


def _left(x: FloatArray, y: FloatArray) -> float:
    """The share of the squares that a line leaves."""
    x, y = x - x.mean(), y - y.mean()
    xx, yy, xy = float(x @ x), float(y @ y), float(x @ y)
    return max(1.0 - xy * xy / (xx * yy), LEAST_UNEXPLAINED) if xx > 0.0 and yy > 0.0 else 1.0
