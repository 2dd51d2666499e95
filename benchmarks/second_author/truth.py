"""What is true of a simulated leak: its rate, whether it can be seen at all, and when it reaches the limit."""

from itertools import pairwise

import numpy as np

from benchmarks.second_author.play import Parts
from benchmarks.second_author.scene import DAY_SECONDS, FloatArray, Scene, UnfairError, smooth


def _lives(parts: Parts, first: int, n: int) -> list[slice]:
    """The process's lives from grid index ``first`` on."""
    edges = [first, *(restart for restart in parts.restarts if restart > first), n]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def bytes_per_driver(parts: Parts, leak: FloatArray, first: int) -> float:
    """Bytes that really leaked for each unit of the driver, over all lives of the process from ``first`` on."""
    assert parts.driver is not None
    lives = _lives(parts, first, len(leak))
    grown = sum(float(leak[life][-1] - leak[life][0]) for life in lives)
    return grown / max(sum(float(parts.driver[life][1:].sum()) for life in lives), 1e-9)


def check_visible(
    parts: Parts, steady: FloatArray, leak: FloatArray, first: int, scene: Scene, headroom: float
) -> None:
    """Raises UnfairError where the leak cannot be seen in principle: too late, too small, or lost in the noise.

    Noise is what the load does not explain, in ten block means of the longest life without its first tenth; four
    standard errors are asked for, because neighbouring blocks are not wholly independent.
    """
    if first - scene.skip > 0.85 * (scene.n - scene.skip):
        raise UnfairError("the leak begins too late")
    life = max(_lives(parts, first, scene.n), key=lambda life: life.stop - life.start)
    window = slice(life.start + (life.stop - life.start) // 10, life.stop)
    load = scene.load[window]
    rest = steady[window] - np.polyval(np.polyfit(load / load.mean(), steady[window], 1), load / load.mean())
    blocks = np.array([block.mean() for block in np.array_split(rest, 10)])
    error_of_growth = 10 * float(blocks.std(ddof=2)) / np.sqrt(10 * (10**2 - 1) / 12)
    grown = float(leak[window][-1] - leak[window][0])
    if grown < 0.03 * headroom or grown < 4 * error_of_growth:
        raise UnfairError("the leak is too small to be seen")


def seconds_to_limit(
    parts: Parts, scene: Scene, level: FloatArray, leak: FloatArray, limit: float, per_driver: float
) -> float | None:
    """Plays on: the last period (a day, a week, a third of the trace) comes again and again, and the leak goes on."""
    assert parts.driver is not None
    n, shown, step = scene.n, scene.n - scene.skip, scene.step_seconds
    period = shown // 3
    if scene.daily or parts.whole_days:
        days = 7 if n * step > 14 * DAY_SECONDS else 1
        period = int(days * DAY_SECONDS / step)
    period = max(1, min(period, n - max((*parts.restarts, 0))))
    calm = smooth(level - leak, 2.0)[-period:]
    if parts.doubling is not None:
        room = (limit - float(calm.max())) / float(leak[-1])
        done = np.log1p(room * np.expm1(parts.doubling)) / parts.doubling
        seconds = (done - 1) * n * step
    else:
        ahead = calm + leak[-1] + per_driver * np.cumsum(parts.driver[-period:])
        gain = per_driver * float(parts.driver[-period:].sum())
        rounds = max(0, int(np.ceil((limit - float(ahead.max())) / gain)))
        seconds = (rounds * period + int(np.argmax(ahead + rounds * gain >= limit)) + 1) * step
    return float(seconds) if 0 < seconds <= 100 * shown * step else None
