"""When growth is suspected, and when it is a leak: a threshold on a score for each.

No rule for a container is right about every single look: healthy containers warm up, fill caches, run jobs and follow
their load, and each of these climbs for a while as a leak does. Sequential bounds (e-detectors, Shin, Ramdas and
Rinaldo 2023; CUSUM, Page 1954) promise a rate of false alarms per time only where growth without a leak has a
conditional median of zero, which these break: a threshold set for 1 alarm in 50 weeks gave 22 to 50. What holds
instead is learned: the log-odds of a leak, by trees over some forty pieces of evidence (`detectors.live.score`), fitted
to the worst looks of each healthy day and the best looks of each leak (benchmarks/calibrate_live.py). The thresholds
are then those at which simulated containers raise few enough false alarms per week of watching. On others the rate is
measured: benchmarks/live.py, in benchmarks/RESULTS.md.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from detectors.live.evidence import NAMES
from detectors.live.sight import Sight
from detectors.live.thresholds import LEAK_AT, SUSPECTED_AT
from detectors.types import FloatArray, Level

LOAD_SECONDS = 900.0
"""After a model load, which takes minutes, nothing is called a leak for so long."""
HOLD = 1.5
"""What has been found is held to be true while the score is no more than this under its threshold."""
BLIND_SECONDS = (5_400.0, 43_200.0)
URGENT_SECONDS, URGENT_SAMPLES = 600.0, 12
URGENT_STRAIGHT, URGENT_ABOVE = 0.97, 0.5
"""Where the limit is so near at this pace, there is no time for more evidence: growth of so many samples that is so
straight, and of which so large a share stands above all that was ever seen, is found at a lower score."""

_LEFT, _STRAIGHT, _ABOVE, _SAMPLES = (NAMES.index(name) for name in ("left", "straight", "above_top", "samples"))


@dataclass(frozen=True, slots=True)
class Rule:
    """What a level asks for.

    Attributes:
        level: what it finds.
        opens_at: log-odds of a leak. blind: more of it for short climbs where no request rate is seen: simulated
            containers without one need none, but of the real pods one climbs straight to near its limit in an hour and
            a quarter, and stops: nothing but the load could tell that from a leak.
        quiet_seconds: after a model load, for which it finds nothing.
        urgent_credit: how much less is enough where no time is left, whatever is seen of requests.
    """

    level: Level
    opens_at: float
    blind: float
    quiet_seconds: float
    urgent_credit: float

    def finds(self, seen: Sight, score: float) -> bool:
        """Whether this look finds it."""
        opens_at = self.opens_at
        if is_urgent(np.asarray(seen.evidence)):
            opens_at -= self.urgent_credit
        elif not seen.load_known:
            opens_at += self.blind * float(strangeness(seen.climb.end - seen.climb.onset))
        return score >= opens_at and seen.since_load >= self.quiet_seconds

    def holds(self, score: float) -> bool:
        """Whether this look holds what was found to be true still."""
        return score >= self.opens_at - HOLD


SUSPECTED = Rule(Level.SUSPECTED, SUSPECTED_AT, 0.75, 0.0, 2.0)
LEAK = Rule(Level.LEAK, LEAK_AT, 2.3, LOAD_SECONDS, 1.5)


def strangeness(lasted_seconds: ArrayLike) -> FloatArray:
    """Of a climb whose load nobody knows: 1 up to an hour and a half, 0 from twelve hours on."""
    first, last = BLIND_SECONDS
    gone = np.log(np.maximum(lasted_seconds, 1.0) / first) / math.log(last / first)
    return np.asarray(1.0 - np.clip(gone, 0.0, 1.0))


def is_urgent(evidence: FloatArray) -> np.ndarray | np.bool:
    """Whether there is no time left; ``evidence``: (k,), or (k, n) of n looks, which gives (n,)."""
    found: np.ndarray | np.bool = (
        (evidence[_LEFT] < math.log(URGENT_SECONDS))
        & (evidence[_STRAIGHT] > -math.log(1.0 - URGENT_STRAIGHT))
        & (evidence[_ABOVE] > URGENT_ABOVE)
        & (evidence[_SAMPLES] >= math.log(URGENT_SAMPLES))
    )
    return found
