"""What conditions are about, taken from one sample's values: shares and names. Unknown is None."""

import math
from collections import deque
from collections.abc import Iterator, Mapping

from detectors.wording import duration, share, size

LEAST_FAILED = 3
"""Fewer failed requests than this in the window are no share: one of one at night is not 100 %."""

_WINDOW_POINTS = 120


def known(values: Mapping[str, float], name: str) -> float | None:
    """A finite, non-negative value; None where there is none."""
    value = values.get(name)
    return value if value is not None and math.isfinite(value) and value >= 0 else None


def unreclaimable_bytes(values: Mapping[str, float]) -> float | None:
    """What the kernel cannot take back without swap: all that is charged less the page cache, tmpfs being no cache.

    The kernel kills when the charge is at the limit after reclaim (mm/memcontrol.c, try_charge_memcg); usage alone
    stands at the limit in every container that reads files.
    """
    usage, file = known(values, "usage_bytes"), known(values, "file_bytes")
    shmem = known(values, "shmem_bytes") or 0.0
    if usage is not None and file is not None:
        return max(usage - max(file - shmem, 0.0), 0.0)
    anon = known(values, "anon_bytes")
    if anon is not None:
        return anon + shmem + (known(values, "kernel_bytes") or 0.0)
    working_set = known(values, "working_set_bytes")
    return working_set if working_set is not None else known(values, "rss_bytes")


def memory(values: Mapping[str, float]) -> tuple[float | None, str]:
    """The share of the limit that cannot be reclaimed, and a clause about it; None without a limit."""
    level, limit = unreclaimable_bytes(values), known(values, "limit_bytes")
    if level is None or not limit:
        return None, "memory that cannot be reclaimed is not known"
    ratio = level / limit
    return ratio, f"memory that cannot be reclaimed is {size(level)}, {share(ratio)} of the limit of {size(limit)}"


def by_name(values: Mapping[str, float], column: str) -> Iterator[tuple[str, float]]:
    """The names and values of ``column:NAME``."""
    for key, value in values.items():
        base, colon, name = key.partition(":")
        if colon and base == column and math.isfinite(value) and value >= 0:
            yield name, value


class Waits:
    """How long requests wait in each queue: the mean that the server tells of those that have left it.

    A queue that nobody leaves has no such mean; its requests have waited at least since the last one did.
    """

    def __init__(self) -> None:
        self._stuck_since: dict[str, float] = {}

    def observe(self, now: float, values: Mapping[str, float]) -> Iterator[tuple[str, float, str]]:
        """By queue the seconds, and a clause about it."""
        waits = dict(by_name(values, "queue_seconds"))
        for name, seconds in waits.items():
            yield name, seconds, f"requests to {name} wait {duration(seconds)} in the queue"
        before, self._stuck_since = self._stuck_since, {}
        for name, depth in by_name(values, "queue_depth"):
            if depth >= 1 and name not in waits:
                since = self._stuck_since[name] = min(before.get(name, now), now)
                said = f"{depth:,.0f} wait in the queue of {name}, which none has left for {duration(now - since)}"
                yield name, now - since, said
            elif name not in waits:
                yield name, 0.0, f"no request waits in the queue of {name}"


class FailedShare:
    """The share of requests that failed within a moving window, from the two counters."""

    def __init__(self, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._points: deque[tuple[float, float, float]] = deque(maxlen=2 * _WINDOW_POINTS)

    def observe(self, now: float, values: Mapping[str, float]) -> tuple[float | None, str]:
        """The share and a clause about it; None where no request was counted, or too few failed to tell."""
        done, failed = known(values, "requests_total"), known(values, "requests_failed_total")
        if done is None or failed is None:
            return None, "the share of failed requests is not known"
        points = self._points
        if points and (now < points[-1][0] or done < points[-1][1] or failed < points[-1][2]):
            points.clear()  # the server began anew, or the clock did
        if not points or now - points[-1][0] >= self._window_seconds / _WINDOW_POINTS:
            points.append((now, done, failed))
        while len(points) > 2 and now - points[1][0] >= self._window_seconds:
            points.popleft()
        then, done_before, failed_before = points[0]
        more_failed = failed - failed_before
        total = more_failed + done - done_before
        if total <= 0:
            return None, "no requests came"
        ratio = more_failed / total if more_failed >= LEAST_FAILED else 0.0
        return ratio, f"{more_failed:,.0f} of {total:,.0f} requests failed in {duration(now - then)} ({share(ratio)})"
