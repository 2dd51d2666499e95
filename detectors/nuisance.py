"""What moves memory and is no growth: daily and found cycles, steps at model loads and elsewhere."""

from functools import lru_cache

import numpy as np

from detectors.binning import blockwise_trend
from detectors.evidence import Group
from detectors.noise import Whitener, regular_whitener
from detectors.series import distinct, median
from detectors.types import FloatArray

DAY_SECONDS = 86400.0
MAXIMUM_STEPS = 8
STAIRCASE_STEPS = 5
FEWEST_BINS_FOR_STEPS = 6
"""A line and a step are four numbers; with fewer bins than this a step fits anything."""
LOADS_LOG_PRIOR = 1.0
STEP_LAWS = (1, 4)
"""Laws of noise under which steps are searched: short-lived noise, and noise that wanders like the level itself."""


def cycle(position: FloatArray, level: FloatArray, span_seconds: float) -> Group | None:
    """Harmonics of the day, from 1.9 days on, where they explain most of what a parabola leaves; else of one found
    frequency with at least 2.5 periods. Free harmonics over less than two periods would fit any ramp."""
    curve = np.stack([np.ones_like(position), position, position**2], axis=1)
    rest = level - curve @ np.linalg.lstsq(curve, level, rcond=None)[0]
    power = float(rest @ rest)
    if power <= 0:
        return None
    days = span_seconds / DAY_SECONDS
    if days >= 1.9:
        columns = _harmonics(position, days, 3 if days >= 4 else 2)
        if _left(columns, curve, level) <= (0.3 if days < 3 else 0.6) * power:
            return Group("cycle", columns, columns.shape[1])
    found = _frequency(position, rest)
    if found is None:
        return None
    columns = _harmonics(position, found, 2)
    if _left(columns, curve, level) > 0.65 * power:
        return None
    return Group("cycle", columns, columns.shape[1] + 1)


def steps(whiten: Whitener, position: FloatArray, base: FloatArray, level: FloatArray, law: int) -> Group | None:
    """Up to eight level shifts, found greedily in the whitened space with a line always beside them
    (orthogonal matching pursuit, Pati et al. 1993); one is taken while it earns more than its two parameters."""
    n = len(level)
    if n < FEWEST_BINS_FOR_STEPS:
        return None
    fixed = np.concatenate([base, position[:, None], level[:, None]], axis=1)
    white_fixed = whiten.under(law, fixed)
    candidates = _step_columns(n)
    white = _white_steps(n, law) if whiten.matrix is not None else whiten.under(law, candidates)
    design, _ = np.linalg.qr(white_fixed[:, :-1])
    rest = white_fixed[:, -1] - design @ (design.T @ white_fixed[:, -1])
    left = white - design @ (design.T @ white)
    before = np.einsum("ij,ij->j", white, white)
    chosen: list[int] = []
    for _ in range(MAXIMUM_STEPS):
        norm = np.einsum("ij,ij->j", left, left)
        gain = np.where(norm > 1e-3 * before, (rest @ left) ** 2 / np.maximum(norm, 1e-12), 0.0)
        best = int(np.argmax(gain))
        total = float(rest @ rest)
        if total <= 0 or gain[best] >= total or n * np.log(total / (total - gain[best])) <= 2.0 * np.log(n) + 8.0:
            break
        chosen.append(best)
        unit = left[:, best] / np.sqrt(norm[best])
        rest = rest - unit * (unit @ rest)
        left = left - np.outer(unit, unit @ left)
    if not chosen:
        return None
    chosen.sort()
    design = np.concatenate([white_fixed[:, :-2], white[:, chosen]], axis=1)
    heights = np.linalg.lstsq(design, white_fixed[:, -1], rcond=None)[0][-len(chosen) :]
    if _is_staircase(position[np.array(chosen) + 2], heights):
        return None
    return Group("steps", candidates[:, chosen], 2 * len(chosen))


def load_steps(position: FloatArray, loads: FloatArray) -> Group | None:
    """Level shifts where model versions were loaded (shares of the trace): their times are known, so each costs one
    parameter. None without loads inside, or with more than eight."""
    rows = distinct(np.searchsorted(position, loads))
    rows = rows[(rows >= 2) & (rows <= len(position) - 3)]
    if not 1 <= len(rows) <= MAXIMUM_STEPS:
        return None
    columns = (np.arange(len(position))[:, None] >= rows).astype(float)
    return Group("model loads", columns, len(rows), LOADS_LOG_PRIOR)


def _is_staircase(at: FloatArray, heights: FloatArray) -> bool:
    """Whether steps, all up and evenly spaced to the end of the trace, are themselves the growth: chunks kept."""
    if len(at) < STAIRCASE_STEPS or heights.min() < 0.2 * median(heights):
        return False
    gaps = np.diff(at)
    return bool(gaps.std() < 0.6 * gaps.mean() and 1.0 - at[-1] < 1.5 * gaps.max())


def states(position: FloatArray, level: FloatArray) -> Group | None:
    """Idle and active: two levels between which a process switches, told apart by two means on the level without its
    trend (Lloyd 1957). None where two levels do not explain most of it, or steps would do (under three switches)."""
    rest = level - blockwise_trend(position, level)
    middle = 0.5 * float(rest.min() + rest.max())
    for _ in range(10):
        high = rest > middle
        if not high.any() or high.all():
            return None
        middle = 0.5 * float(rest[high].mean() + rest[~high].mean())
    high = rest > middle
    share = float(high.mean())
    within = share * float(rest[high].var()) + (1 - share) * float(rest[~high].var())
    if within > 0.2 * float(rest.var()) or not 0.08 <= share <= 0.92 or np.abs(np.diff(high.astype(int))).sum() < 3:
        return None
    return Group("states", high[:, None].astype(float), 3)


@lru_cache(maxsize=16)
def _step_columns(n: int) -> FloatArray:
    return np.tri(n, n, -1)[:, 1 : n - 2]


@lru_cache(maxsize=16)
def _white_steps(n: int, law: int) -> FloatArray:
    return regular_whitener(n).under(law, _step_columns(n))


def _harmonics(position: FloatArray, periods: float, count: int) -> FloatArray:
    angle = 2.0 * np.pi * periods * position[:, None] * np.arange(1, count + 1)
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


def _left(columns: FloatArray, curve: FloatArray, level: FloatArray) -> float:
    design = np.concatenate([curve, columns], axis=1)
    rest = level - design @ np.linalg.lstsq(design, level, rcond=None)[0]
    return float(rest @ rest)


def _frequency(position: FloatArray, rest: FloatArray) -> float | None:
    """Periods over the trace of the strongest cycle, None where it holds under 35 % of the power."""
    n = len(rest)
    grid = np.arange(2.5, n / 6.0, 0.25)
    if len(grid) == 0:
        return None
    wave = np.exp(-2j * np.pi * np.outer(grid, position))
    power = 2.0 * np.abs(wave @ rest) ** 2 / n
    best = int(np.argmax(power))
    return float(grid[best]) if power[best] > 0.35 * float(rest @ rest) else None
