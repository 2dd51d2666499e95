"""The same container going on past the end of its trace: when does it reach its limit?"""

from collections.abc import Callable

import numpy as np

from benchmarks.containers.container import Physics
from benchmarks.containers.scene import DAY_SECONDS, FloatArray

LOOK_AHEAD_TRACES = 100


def seconds_to_limit(
    clock: FloatArray,
    rest: FloatArray,
    leaked_bytes: float,
    after: Callable[[FloatArray], FloatArray],
    limit: float,
    reach: float,
) -> float | None:
    """First time after the end at which the repeating rest and the growing leak reach the limit.

    Args:
        clock: (m,) seconds within the repeating stretch, from its beginning.
        rest: (m,) healthy bytes in it.
        leaked_bytes: leak held at the end of the trace.
        after: bytes added so many seconds after the end; never falls.
        limit: bytes.
        reach: how many seconds to look ahead.
    """
    step = max(len(clock) // 2_000, 1)  # a two-thousandth of the stretch is finer than any claim about the future
    starts = np.arange(0, len(clock), step)
    clock, rest = clock[starts], np.maximum.reduceat(rest, starts)
    period = clock[-1] * len(clock) / max(len(clock) - 1, 1)

    def reached(lap: int) -> FloatArray:
        return np.flatnonzero(leaked_bytes + after(lap * period + clock) + rest >= limit).astype(np.float64)

    low, high = 0, int(np.ceil(reach / period))
    if not len(reached(high)):
        return None
    while low < high:  # the leak never falls, so the first lap that reaches the limit can be bisected
        middle = (low + high) // 2
        low, high = (low, middle) if len(reached(middle)) else (middle + 1, high)
    seconds = float(low * period + clock[int(reached(low)[0])])
    return seconds if 0 < seconds <= reach else None


def until_limit(physics: Physics) -> float | None:
    """Seconds from the trace's end to the limit, by the definition in Labelled; None where there is no such number."""
    scene, container = physics.scene, physics.container
    after = container.leak.after if container.leak else None
    if after is None or not physics.limited:
        return None
    daily = container.traffic.daily and scene.days >= 1
    tail = container.tail_seconds or (min(DAY_SECONDS, scene.span_seconds) if daily else 0.4 * scene.span_seconds)
    if len(container.restarts):  # the present process alone, its start-up left out
        tail = min(tail, 0.6 * (float(scene.time[-1] - container.restarts[-1])))
    level = physics.held_bytes if scene.full else physics.held_bytes + physics.active_file_bytes
    begin = min(int(np.searchsorted(scene.time, scene.time[-1] - tail)), len(scene.time) - 8)
    return seconds_to_limit(
        scene.time[begin:] - scene.time[begin],
        level[begin:],
        float(physics.leaked_bytes[-1]),
        lambda s: physics.leak_unit_bytes * after(s),
        physics.limit_bytes,
        LOOK_AHEAD_TRACES * scene.span_seconds,
    )
