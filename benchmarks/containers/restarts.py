"""Processes that begin anew: deploys, kills, and how memory comes up after each."""

import numpy as np

from benchmarks.containers.memory_parts import Part
from benchmarks.containers.scene import FloatArray, Scene


def deploy_times(scene: Scene, low: int, high: int) -> FloatArray:
    """Seconds since the start at which a new process took over; segments of unlike but no hopeless length."""
    count = int(scene.rng.integers(low, high + 1))
    shares = scene.rng.dirichlet(np.full(count + 1, 5.0))
    return np.cumsum(shares)[:count] * scene.span_seconds


def since_start(scene: Scene, cuts: FloatArray, already: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """(n,) seconds since the present process began (the first was ``already`` seconds old), (n,) its number."""
    segment = np.searchsorted(cuts, scene.time, side="right")
    began = np.concatenate([[-already], cuts])[segment]
    return scene.time - began, segment.astype(np.float64)


def processes(scene: Scene, cuts: FloatArray, unlike: float, already: float = 0.0) -> Part:
    """The heap of one process after another: a quick load of the model, a slower warm-up, a level of its own.

    Args:
        scene: the stage.
        cuts: restart times, seconds since the start.
        unlike: relative standard deviation of the levels between versions; of what they warm up by, four times as much.
        already: age of the first process when the trace began.
    """
    since, number = since_start(scene, cuts, already)
    which = number.astype(int)
    count = len(cuts) + 1
    levels = scene.heap(0.5, 0.9) * (1 + unlike * scene.rng.standard_normal(count))
    warm = scene.heap(0.05, 0.25) * scene.rng.lognormal(0, 4 * unlike, count)
    loading = scene.stretch(0.0008, 0.003) * scene.rng.lognormal(0, 0.3, count)
    tau = scene.stretch(0.006, 0.025) * scene.rng.lognormal(0, 0.2, count)
    loaded = np.minimum(since / loading[which], 1.0) * 0.85 + 0.15
    heated = -np.expm1(-since / tau[which])
    held = levels[which] * loaded + warm[which] * heated
    own = tuple((which == k).astype(float) for k in range(count))
    fast = (loaded, np.exp(-since / (tau.mean() * 0.7)), np.exp(-since / (tau.mean() * 1.4)))
    return Part(held, own + fast)
