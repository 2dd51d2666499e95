"""From verdicts beside their truth to figures."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.judged import Claim, Judged
from detectors.types import Answer


@dataclass(frozen=True, slots=True)
class Hits:
    """How often an alarm was right; ``undecided`` is no alarm."""

    true_alarms: int
    false_alarms: int
    missed: int
    quiet: int

    @property
    def precision(self) -> float:
        """Share of alarms that were leaks; NaN without an alarm."""
        return _share(self.true_alarms, self.true_alarms + self.false_alarms)

    @property
    def recall(self) -> float:
        """Share of leaks that were found; NaN without a leak."""
        return _share(self.true_alarms, self.true_alarms + self.missed)

    @property
    def false_alarm_rate(self) -> float:
        """Share of healthy traces with an alarm; NaN without a healthy trace."""
        return _share(self.false_alarms, self.false_alarms + self.quiet)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN without alarm and leak."""
        return _share(2 * self.true_alarms, 2 * self.true_alarms + self.false_alarms + self.missed)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def hits(judged: Iterable[Judged], alarm: Callable[[Judged], bool]) -> Hits:
    """Count alarms against labels."""
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for one in judged:
        counts[alarm(one), one.leak] += 1
    return Hits(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): what so few traces can tell about the rate behind it."""
    if not count:
        return math.nan, math.nan
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - half, middle + half


@dataclass(frozen=True, slots=True)
class Claims:
    """How good a kind of estimate was; NaN where there was none.

    Attributes:
        count: leaks found for which the truth is one number.
        median_error: relative, over those with an estimate.
        covered: share of intervals that hold the truth; a missing one does not.
        median_width: (high - low) / estimate, over those with a finite interval.
    """

    count: int
    median_error: float
    covered: float
    median_width: float


def claims(of: Iterable[Claim | None]) -> Claims:
    """Summarise claims, None left out."""
    given = [claim for claim in of if claim is not None]
    errors, widths = [], []
    for claim in given:
        if claim.estimate is not None:
            errors.append(abs(claim.estimate / claim.truth - 1))
            if claim.high is not None and claim.estimate:
                widths.append((claim.high - claim.low) / abs(claim.estimate))
    return Claims(len(given), _median(errors), _share(sum(c.covers for c in given), len(given)), _median(widths))


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan


@dataclass(frozen=True, slots=True)
class Score:
    """All figures about leakwatch on some traces.

    Attributes:
        count: traces.
        hits: alarms against labels.
        undecided: share of verdicts.
        slope, seconds_to_limit, bytes_per_request: how good the estimates were.
        driver_right, driver_wrong: shares of the found leaks with a request column that were put down to what drives
            them (requests or time), and to the other; the rest were called unclear, which a steady load is.
        milliseconds: median time of a verdict.
    """

    count: int
    hits: Hits
    undecided: float
    slope: Claims
    seconds_to_limit: Claims
    bytes_per_request: Claims
    driver_right: float
    driver_wrong: float
    milliseconds: float


def score(judged: Sequence[Judged]) -> Score:
    """Summarise leakwatch's verdicts."""
    told = [one for one in judged if one.driver is not None]
    right = sum(one.driver == ("requests" if one.by_request else "time") for one in told)
    wrong = sum(one.driver == ("time" if one.by_request else "requests") for one in told)
    return Score(
        count=len(judged),
        hits=hits(judged, lambda one: one.found),
        undecided=_share(sum(one.verdict is Answer.UNDECIDED for one in judged), len(judged)),
        slope=claims(one.slope for one in judged),
        seconds_to_limit=claims(one.seconds_to_limit for one in judged),
        bytes_per_request=claims(one.bytes_per_request for one in judged),
        driver_right=_share(right, len(told)),
        driver_wrong=_share(wrong, len(told)),
        milliseconds=_median([one.seconds * 1e3 for one in judged]),
    )


def peer_hits(judged: Sequence[Judged], rule: str) -> Hits:
    """Count a peer's alarms."""
    return hits(judged, lambda one: rule in one.alarms)
