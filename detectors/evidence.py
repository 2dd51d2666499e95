"""The competition: every explanation that could have made the series, weighed against all others.

An explanation is a sum of nuisance columns (levels, load, cycle, steps), at most one healthy growth curve and at most
one leak curve, under one law of noise. All are linear, so once the columns are whitened and their Gram matrix is
taken, each of some thousand explanations is the closed-form solution of a 2 x 2 system. They are weighed by
exp(-BIC/2) (Schwarz 1978; Kass and Raftery 1995), averaged within each grid so that a rich grid is no advantage.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from detectors.gram import Gram, inner_products
from detectors.noise import LAWS, Whitener
from detectors.shapes import Shapes
from detectors.types import FloatArray

LEAK_FAMILY_LOG_PRIOR = -0.5
COLLINEAR = 1e-4
UNUSABLE = 1e200
CONTRIVED_NATS = 100.0
HOPELESS_NATS = 20.0
"""Explanations this far behind the best of their frame are not followed up."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Optional nuisance columns that come together or not at all.

    Attributes:
        name: what they stand for ("load", "cycle", "steps").
        columns: (n, g).
        parameters: how many numbers the data chose for it, grid parameters that were searched included.
        log_prior: added for the explanations that use it.
    """

    name: str
    columns: FloatArray
    parameters: int
    log_prior: float = 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One way to look at a series: its bins, where it is cut, and which curves may explain it.

    Attributes:
        name: "plain", "sawtooth" or "restart".
        position: (n,) bin centres as shares of the trace, 0..1.
        piece: (n,) integers, rising; noise is independent between pieces.
        base: (n, b) nuisance columns that are always in (levels).
        base_parameters: how many numbers the base cost, searched cut times included.
        groups: optional nuisance columns; each entry lists alternatives of which at most one is in.
        healthy, leaking: the curves that compete.
        whiten: for these positions and pieces; one that keeps its matrix marks bins that are all there and equal,
            whose whitened shapes are kept between traces.
    """

    name: str
    position: FloatArray
    piece: NDArray[np.int64]
    base: FloatArray
    base_parameters: int
    groups: tuple[tuple[Group, ...], ...]
    healthy: Shapes
    leaking: Shapes
    whiten: Whitener


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one frame's explanations say, before frames are compared.

    Attributes:
        frame: the frame.
        sets: which optional nuisance groups each set of explanations uses.
        chosen: (4, k) for each explanation that is not hopeless: its set, its law of noise, and its healthy and its
            leak curve, counted from 1 where 0 is none.
        log_weight: (k,) not normalised.
        exceeds: (k,) probability that the leak's growth is material.
        rate, rate_variance: (k,) of the leak per unit of position.
    """

    frame: Frame
    sets: tuple[tuple[Group, ...], ...]
    chosen: NDArray[np.int64]
    log_weight: FloatArray
    exceeds: FloatArray
    rate: FloatArray
    rate_variance: FloatArray


def compete(frame: Frame, level: FloatArray, material: float, floor_deviation: float) -> Outcome:
    """Weigh all explanations of ``level`` (n,) in a frame.

    Args:
        frame: where and with what.
        level: (n,) the bins' values.
        material: growth over the whole trace, in the level's unit, that a leak must exceed to matter.
        floor_deviation: differences below this, in the level's unit, persuade nobody: without it exact data
            (quantised, idle) give endless confidence to immaterial differences between nearly right models.
    """
    nuisance = [frame.base, *(g.columns for alternatives in frame.groups for g in alternatives)]
    gram = inner_products(frame.whiten, nuisance, level, frame.healthy.columns, frame.leaking.columns)
    columns_of = _columns_of(frame)
    sets = tuple(tuple(g for g in choice if g is not None) for choice in product(*((None, *a) for a in frame.groups)))
    n, healthy_curves, leak_curves = len(level), frame.healthy, frame.leaking
    base = list(range(frame.base.shape[1]))
    solved = [_solve(gram, base + [c for g in chosen for c in columns_of[g]], n, floor_deviation) for chosen in sets]
    residual, amplitude, inverse, growth = (np.stack(values) for values in zip(*solved, strict=True))
    curves = (np.arange(len(healthy_curves.family) + 1) > 0)[:, None].astype(float) + (
        np.arange(len(leak_curves.family) + 1) > 0
    )
    nuisance_count = np.array([float(sum(g.parameters for g in chosen)) for chosen in sets])[:, None, None, None]
    parameters = frame.base_parameters + curves + nuisance_count
    group_prior = np.array([float(sum(g.log_prior for g in chosen)) for chosen in sets])[:, None, None, None]
    curve_prior = _prior(healthy_curves.family)[:, None] + _prior(leak_curves.family, LEAK_FAMILY_LOG_PRIOR)
    log_weight = -0.5 * n * np.log(residual)
    log_weight += (group_prior - 0.5 * np.log(n) * parameters + curve_prior) - 0.5 * frame.whiten.log_determinant[
        :, None, None
    ]
    # A fall that ends, paid for by a rising line, is no explanation that anyone would give.
    ramps = np.array([False, *(name in ("ramp", "logarithm") for name in healthy_curves.family)])
    log_weight[:, :, ramps, 1:] -= CONTRIVED_NATS * (growth[:, :, ramps, 1:] < 0.0)
    hopeful = np.flatnonzero(log_weight > log_weight.max() - HOPELESS_NATS)
    alive = np.unravel_index(hopeful, log_weight.shape)
    unit = np.concatenate([[0.0], leak_curves.rate])[alive[3]]
    freedom = np.maximum(n - parameters[alive[0], 0, alive[2], alive[3]] - 1.0, 2.0)
    variance = residual.take(hopeful) * n / freedom * inverse.take(hopeful) * unit**2
    rate = amplitude.take(hopeful) * unit
    exceeds = _normal_tail((material - rate) / np.sqrt(np.maximum(variance, 1e-300))) * (unit > 0)
    return Outcome(frame, sets, np.stack(alive), log_weight.take(hopeful), exceeds, rate, variance)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One explanation's parts, each (n,): all nuisance together, each optional group, healthy growth, leak."""

    nuisance: FloatArray
    groups: Mapping[Group, FloatArray]
    growth: FloatArray
    leak: FloatArray


def draw(frame: Frame, level: FloatArray, chosen: Sequence[Group], law: int, growth: int, leak: int) -> Drawn:
    """Fit one explanation and draw its parts; ``growth`` and ``leak`` count its curves from 1, 0 is none."""
    curves = [frame.healthy.columns[:, growth - 1 : growth]] if growth else []
    curves += [frame.leaking.columns[:, leak - 1 : leak]] if leak else []
    parts = [frame.base, *(g.columns for g in chosen), *curves]
    white = frame.whiten.under(law, np.concatenate([*parts, level[:, None]], axis=1))
    solution = np.linalg.lstsq(white[:, :-1], white[:, -1], rcond=1e-9)[0]
    ends = np.cumsum([p.shape[1] for p in parts])
    values = [p @ solution[e - p.shape[1] : e] for p, e in zip(parts, ends, strict=True)]
    zero = np.zeros(len(level))
    nuisance = sum(values[: 1 + len(chosen)], zero)
    groups = dict(zip(chosen, values[1 : 1 + len(chosen)], strict=True))
    return Drawn(nuisance, groups, values[1 + len(chosen)] if growth else zero, values[-1] if leak else zero)


def _columns_of(frame: Frame) -> dict[Group, range]:
    """Where each optional group's columns stand among the nuisance columns: after the base, in order."""
    ends, end = {}, frame.base.shape[1]
    for group in (g for alternatives in frame.groups for g in alternatives):
        ends[group] = range(end, end + group.columns.shape[1])
        end += group.columns.shape[1]
    return ends


def _solve(
    gram: Gram, nuisance: list[int], n: int, floor_deviation: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """For every (law, healthy curve or none, leak curve or none): residual variance, leak amplitude, the latter's
    variance per unit of the former, and the healthy growth beside it, whose sign alone has a meaning."""
    inner = gram.nuisance[:, nuisance][:, :, nuisance]
    ridge = 1e-9 * np.eye(len(nuisance)) * inner.diagonal(axis1=1, axis2=2).max(axis=1)[:, None, None]
    across = gram.across[:, nuisance]
    solved = np.linalg.solve(inner + ridge, across)
    grow = slice(1, 1 + gram.pairs.shape[1])
    leak = slice(grow.stop, gram.norms.shape[1])
    # What is left of the inner products once the nuisance is projected out.
    after = gram.norms - np.einsum("lmk,lmk->lk", across, solved)
    with_level = gram.with_level - np.einsum("lm,lmk->lk", across[:, :, 0], solved)
    pairs = gram.pairs - across[:, :, grow].transpose(0, 2, 1) @ solved[:, :, leak]
    usable = after > COLLINEAR * gram.norms
    none = np.ones((LAWS, 1))
    zero = np.zeros((LAWS, 1))
    hh = np.concatenate([none, np.where(usable[:, grow], after[:, grow], UNUSABLE)], axis=1)[:, :, None]
    ll = np.concatenate([none, np.where(usable[:, leak], after[:, leak], UNUSABLE)], axis=1)[:, None, :]
    hy = np.concatenate([zero, with_level[:, grow]], axis=1)[:, :, None]
    ly = np.concatenate([zero, with_level[:, leak]], axis=1)[:, None, :]
    hl = np.zeros((LAWS, hh.shape[1], ll.shape[2]))
    hl[:, 1:, 1:] = pairs
    yy = np.maximum(after[:, 0], 0.0)[:, None, None]
    # One curve's amplitude once the other is projected out: (ly - hl hy / hh) / (ll - hl^2 / hh).
    own = np.maximum(ll - hl**2 / hh, COLLINEAR * ll)
    amplitude = (ly - hl * hy / hh) / own
    residual = yy - hy**2 / hh - amplitude**2 * own
    return np.maximum(residual, 0.0) / n + floor_deviation**2, amplitude, 1.0 / own, hy - hl * amplitude


@lru_cache(maxsize=64)
def _prior(family: tuple[str, ...], shift: float = 0.0) -> FloatArray:
    """(k+1,) log prior of "none" and of each curve: families alike, a family's weight shared among its curves."""
    return np.array([0.0] + [shift - np.log(family.count(name)) for name in family])


_Z = np.linspace(-6.0, 6.0, 601)
_TAIL = np.array([0.5 * math.erfc(z / math.sqrt(2.0)) for z in _Z])


def _normal_tail(z: FloatArray) -> FloatArray:
    """P(Z > z) of the standard normal, from a table: right to 2e-5, and scipy.special costs .3 s to import."""
    return np.asarray(np.interp(z, _Z, _TAIL))
