"""What a kind of container is: a play that returns its parts, once healthy and once leaking."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.second_author.scene import FloatArray, Scene, accumulate, events


@dataclass(frozen=True, slots=True)
class Parts:
    """What a play hands over; all arrays (n,) on the scene's grid, sizes relative to the ordinary level.

    Attributes:
        steady: memory that does not leak, its warm-up included.
        leak: what leaks, 0 before the onset, 1 at its highest; None in a healthy container.
        driver: what the leak follows, per step (requests, or ones for time).
        onset: grid index of the leak's beginning.
        restarts: grid indices at which the process starts anew.
        loads: model versions loaded in each step.
        file_share: page cache from 0 to 1, to be laid into the room under the limit; None for an ordinary small one.
        burst: 0..1, how far a burst reaches from the level to the limit.
        doubling: the exponent by which an accelerating leak feeds itself; None for a steady one.
        reaches_limit: the leak's height of 1 is the limit itself.
        whole_days: the leak comes once a day, so that its rate is one residue a day.
    """

    steady: FloatArray
    leak: FloatArray | None = None
    driver: FloatArray | None = None
    onset: int = 0
    restarts: tuple[int, ...] = ()
    loads: FloatArray | None = None
    file_share: FloatArray | None = None
    burst: FloatArray | None = None
    doubling: float | None = None
    reaches_limit: bool = False
    whole_days: bool = False


Play = Callable[[Scene, bool], Parts]


@dataclass(frozen=True, slots=True)
class Pair:
    """A kind of container: the names of its healthy and its leaking form, its play, and the clock that it needs.

    ``days`` forces a trace of so many days, ``cyclic`` allows a daily load, ``launch`` raises the healthy form's load,
    ``full_if_healthy`` and ``full_if_leaking`` ask for all columns where the working set alone cannot tell.
    """

    healthy: str
    leaking: str
    play: Play
    days: tuple[float, float] | None = None
    cyclic: bool = True
    launch: bool = False
    full_if_healthy: bool = False
    full_if_leaking: bool = False


def left_behind(scene: Scene, driver: FloatArray, count: float, spread: float, onset: int = 0) -> FloatArray:
    """(n,) bytes never freed: about ``count`` events after ``onset``, log-normal sizes; 1 at the end."""
    cause = np.where(np.arange(scene.n) >= onset, driver, 0.0)
    at = events(scene.rng, cause, count * cause.sum() / max(cause[max(onset, scene.skip) :].sum(), 1e-9))
    total = accumulate(at, np.exp(spread * scene.rng.normal(size=len(at))), scene.n)
    return np.asarray(total / max(total[-1], 1e-9))


def by_requests(scene: Scene, steady: FloatArray, leaking: bool, count: float = 4000, spread: float = 1.0) -> Parts:
    """The parts of a container in which each request leaves something behind, if it leaks."""
    if not leaking:
        return Parts(steady)
    return Parts(steady, left_behind(scene, scene.requests, count, spread), scene.requests)
