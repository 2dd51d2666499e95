"""What can be seen in principle: a label that no reader of the trace could find is no fair question.

An all-knowing observer is assumed who knows each healthy mechanism's shape but not its size, and the law of what is
left to chance but not its course. What even they could not tell is redrawn.
"""

import numpy as np

from benchmarks.containers.container import Physics
from benchmarks.containers.scene import FloatArray

BINS = 160
SEEN_AT_STANDARD_ERRORS = 3.0
LEAST_LEFT_OF_TRACE = 0.15
MATERIAL_SHARE_OF_ROOM = 0.02


def _binned(values: FloatArray, bins: int) -> FloatArray:
    edges = np.linspace(0, len(values), bins, endpoint=False).astype(int)
    out: FloatArray = np.add.reduceat(values, edges) / np.diff(np.append(edges, len(values)))
    return out


def _variance(direction: FloatArray, sigma: float, correlation_bins: float) -> float:
    """Variance of an inner product with AR(1) noise: the quadratic form of the correlation matrix, by recursion."""
    if correlation_bins < 0.5:  # shorter than a bin: the bin means are nearly independent
        return float(sigma**2 * min(2 * correlation_bins, 1.0) * direction @ direction)
    lags = np.exp(-np.arange(len(direction)) / correlation_bins)
    acf = np.correlate(direction, direction, "full")[len(direction) - 1 :]
    return float(sigma**2 * (acf[0] + 2 * lags[1:] @ acf[1:]))


def leak_seen(physics: Physics) -> bool:
    """Whether the leak stands out of its own nuisance by three standard errors, and is still going on."""
    leak, scene, noise = physics.container.leak, physics.scene, physics.noise
    if leak is None:
        return False
    bins = min(BINS, len(scene.time) // 2)
    growth = _binned(physics.leaked_bytes, bins)
    known = [np.ones(bins)] + [_binned(column, bins) for part in physics.container.parts for column in part.columns]
    nuisance = np.column_stack([column / max(float(np.abs(column).max()), 1e-12) for column in known])
    basis, sizes, _ = np.linalg.svd(nuisance, full_matrices=False)
    basis = basis[:, sizes > 1e-6 * sizes[0]]
    own = growth - basis @ (basis.T @ growth)
    per_bin = len(scene.time) / bins
    width = scene.span_seconds / bins
    chance = noise.white_bytes**2 / per_bin * float(own @ own)
    chance += _variance(own, noise.slow_bytes, noise.correlation_seconds / width)
    for part in physics.container.parts:
        if part.sigma_bytes:
            chance += _variance(own, part.sigma_bytes, part.correlation_seconds / width)
    signal = float(own @ own)
    seen = signal > 0 and signal / np.sqrt(chance) >= SEEN_AT_STANDARD_ERRORS

    # Still going on: the last stretch must bring its share, and must be long enough to be looked at.
    left = 1 - leak.onset / scene.span_seconds
    made = np.cumsum(np.maximum(np.diff(leak.growth), 0))
    last = 1 - made[int(len(made) * (1 - LEAST_LEFT_OF_TRACE))] / made[-1]
    return seen and left > LEAST_LEFT_OF_TRACE and last >= 0.25 * LEAST_LEFT_OF_TRACE / left


def looks_like_a_leak(physics: Physics) -> bool:
    """Whether a healthy container climbs in a line up to the end, with nothing in the trace that tells why.

    A warm-up, a ramp, a cache that has visibly slowed or stopped does not; nor does what a column tells.
    """
    untold = [part.bytes for part in physics.container.parts if not part.told]
    memory = np.sum(untold, axis=0) if untold else np.zeros_like(physics.scene.time)
    if not physics.scene.full:
        memory = memory + physics.active_file_bytes
    course = _binned(memory, 60)
    for share in (1.0, 0.75, 0.4):
        late = course[int(60 * (1 - share)) :]
        x = np.arange(len(late)) - (len(late) - 1) / 2
        slope = float(x @ late / (x @ x))
        spread = float(late.std())
        if slope * len(late) < MATERIAL_SHARE_OF_ROOM * physics.room_bytes or spread == 0:
            continue
        straight = (slope * x.std() / spread) ** 2
        half = late[len(late) // 2 :]
        h = np.arange(len(half)) - (len(half) - 1) / 2
        if straight > 0.8 and float(h @ half / (h @ h)) > 0.4 * slope:
            return True
    return False
