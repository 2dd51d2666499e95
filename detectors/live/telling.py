"""From an open incident to what is told: slope, time to the limit, bytes per request, and the sentences."""

import numpy as np

from detectors.live.incident import Incident
from detectors.live.levels import COUNT, LOW, TIME
from detectors.live.score import speaking
from detectors.live.sight import NO_LIMIT_MULTIPLE, Room, Sight
from detectors.types import Answer, FloatArray, Forecast, Interval, Level, LiveVerdict, Shape, Trend
from detectors.wording import count, duration, rate, rates, share, size

Z95 = 1.96
LEAST_SAMPLES = 20
FUTURE_DEVIATIONS = 1.3
"""By how much the slope's interval is widened for the time ahead (as in `detectors.forecast`)."""
LEAST_SLOPE = 0.02
FLOOR_BLOCKS = 4
COARSE = 0.02
"""By how much of itself a slope is uncertain beyond its noise: the onset was searched for."""
ACCELERATING_LATE, ACCELERATING_LAST = 1.15, 1.3
MOST_TERMS = 3
FOLLOWS_BETTER = 0.8
"""Growth is put down to the requests where they leave less than this share of the squares that time leaves."""


def tell_quiet(metric: str | None, samples: int, watched: float, since: float | None, load_known: bool) -> LiveVerdict:
    """Nothing grows that would be told; undecided before there is enough to tell it by."""
    if samples < LEAST_SAMPLES:
        because = (f"{count(samples, 'sample')} cannot be judged: at least {LEAST_SAMPLES} are needed",)
        return LiveVerdict(
            Level.QUIET, Answer.UNDECIDED, Shape.TOO_SHORT, metric, None, None, None, None, because, since
        )
    explained = "what load, earlier lives and earlier growth explain" if load_known else "what earlier growth explains"
    because = (f"in {duration(watched)} of watching nothing grows beyond {explained}",)
    return LiveVerdict(Level.QUIET, Answer.NO_LEAK, Shape.FLAT, metric, None, None, None, None, because, since)


def tell(
    one: Incident,
    level: Level,
    *,
    metric: str,
    rows: FloatArray,
    rest: FloatArray,
    room: Room,
    now: float,
    offset: float,
    level_bytes: float,
    since: float | None,
) -> LiveVerdict:
    """What is true while an incident is open.

    Args:
        rows: (m, 9) of its scale and this life. rest: (m,) their levels without the load's part.
        now: seconds on the detector's axis, which is Unix seconds plus ``offset``.
        level_bytes: the newest sample.
    """
    seen = one.sight
    leak = trend(seen)
    floor = min(level_bytes, float(rows[-FLOOR_BLOCKS:, LOW].min())) if len(rows) else level_bytes
    each = None if one.after_restart else bytes_per_request(seen, rows, rest)
    ahead = None if one.after_restart else forecast(seen, leak, room, now, level_bytes, floor)
    answer = Answer.LEAK if level is Level.LEAK else Answer.UNDECIDED
    because = reasons(one, leak, room, each, metric)
    onset = seen.climb.onset - offset
    return LiveVerdict(level, answer, shape(seen), metric, leak, onset, ahead, each, because, since)


def trend(seen: Sight) -> Trend:
    """The growth's slope with its 95 % interval (autocorrelation allowed for, see `detectors.live.climb`)."""
    climb = seen.climb
    deviation = Z95 * float(np.hypot(climb.error, COARSE * climb.slope))
    return Trend(climb.slope, climb.slope - deviation, climb.slope + deviation, climb.blocks)


def forecast(seen: Sight, leak: Trend, room: Room, now: float, level: float, floor: float) -> Forecast | None:
    """Seconds until the usual peaks, lifted by the growth, touch the limit; None where there is none.

    The low end lets the steepest slope meet the peaks, the high end the calmest slope the lowest level of late.
    """
    if room.limit is None or leak.slope_per_second <= 0:
        return None
    since = max(now - seen.climb.end, 0.0)
    raised = 0.0 if seen.limit is None else room.limit - seen.limit  # since the last look at this scale
    peaks, above = max(seen.room + raised - seen.climb.grown, 0.0), max(room.limit - level, 0.0)
    left = min(peaks, above) if peaks > 0 else above
    steepest = leak.slope_per_second + FUTURE_DEVIATIONS * (leak.high - leak.slope_per_second)
    calmest = leak.slope_per_second - FUTURE_DEVIATIONS * (leak.slope_per_second - leak.low)
    seconds = max(left / leak.slope_per_second - since, 0.0)
    low = max(left / steepest - since, 0.0)
    calm = max(peaks, above, room.limit - floor)
    high = max(calm / calmest - since, seconds) if calmest > LEAST_SLOPE * leak.slope_per_second else None
    return Forecast(seconds, min(low, seconds), high)


def bytes_per_request(seen: Sight, rows: FloatArray, level: FloatArray) -> Interval | None:
    """What each request leaves behind, where the growth follows the requests better than the clock; else None."""
    grown = rows[:, TIME] >= seen.climb.onset
    if np.count_nonzero(grown) < 8:
        return None
    requests, time, y = rows[grown, COUNT], rows[grown, TIME], level[grown]
    if not np.isfinite(requests).all() or requests[-1] <= requests[0]:
        return None
    by_requests, left, error = _line(requests, y)
    _, left_by_time, _ = _line(time, y)
    if by_requests <= 0 or left > FOLLOWS_BETTER * left_by_time:
        return None
    deviation = Z95 * float(np.hypot(error, COARSE * by_requests))
    return Interval(by_requests, by_requests - deviation, by_requests + deviation)


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float, float]:
    """Slope, sum of squares left, and the slope's standard error under AR(1) residuals."""
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x)
    slope = float(x @ y) / spread
    rest = y - slope * x
    left = float(rest @ rest)
    lag = float(rest[1:] @ rest[:-1]) / left if left > 0 else 0.0
    keep = min(max(lag, 0.0), 0.95)
    return slope, left, float(np.sqrt(left / max(len(x) - 2, 1) / spread * (1 + keep) / (1 - keep)))


def shape(seen: Sight) -> Shape:
    """A line, or steeper and steeper."""
    faster = seen.climb.late > ACCELERATING_LATE and seen.climb.last > ACCELERATING_LAST
    return Shape.ACCELERATING if faster else Shape.LINEAR


def reasons(one: Incident, leak: Trend, room: Room, each: Interval | None, metric: str) -> tuple[str, ...]:
    """Why: growth and pace, share of the headroom, straightness, what it was compared with, what follows."""
    seen, climb = one.sight, one.sight.climb
    lasted = climb.end - climb.onset
    subject = metric.removesuffix("_bytes").replace("_", " ")
    out = [
        f"{subject} grew by {size(climb.grown)} in {duration(lasted)}: {rate(leak.slope_per_second)}"
        f" (95 % interval {rates(leak.low, leak.high)})"
    ]
    if one.after_restart:
        out.insert(0, "it restarted; the new life is watched for as long as the old one had grown")
    if room.limit is not None:
        out.append(
            f"that is {share(seen.grown / seen.room)} of the {size(seen.room)} between its usual peaks and the limit"
        )
    else:
        bound = f"{NO_LIMIT_MULTIPLE:.0f} times its level when the growth began"
        if room.available is not None and seen.room >= room.available:
            bound = "what the host has left"
        out.append(
            f"no limit is seen: {size(seen.room)}, {bound}, is taken for the headroom; it took {share(seen.share)}"
        )
    out.append(
        f"a straight line explains {share(climb.straight)} of it (R2 over {count(climb.blocks, 'block')}); its newest"
        f" quarter rises {climb.last:.1f} times as fast as the whole"
    )
    if seen.like > 0:
        out.append(f"the most that it grew by in a like time without harm was {size(seen.like * seen.grown)}")
    elif seen.watched > 0:
        out.append(f"in the {duration(seen.watched)} watched before, it never grew like this")
    out.append(_weighed(seen))
    if each is not None:
        out.append(f"it follows the requests: {size(each.estimate)} for each")
    if not seen.load_known:
        out.append("no request count is seen, so that load may explain some of it")
    return tuple(out)


def _weighed(seen: Sight) -> str:
    """What the score rests on most, and what speaks most against it."""
    terms = speaking(seen.evidence)
    most = ", ".join(f"{words} ({term:+.1f})" for words, term in terms[:MOST_TERMS])
    words, term = terms[-1]
    against = f"; against it {words} ({term:+.1f})" if term < 0.0 else ""
    return f"for a leak speak most, in log-odds, {most}{against}"
