"""Which ways of looking at a trace compete: as it is, as a sawtooth, or as a process that was restarted."""

from dataclasses import dataclass

import numpy as np

from detectors.binning import Judged
from detectors.evidence import Frame, Group
from detectors.noise import Whitener
from detectors.series import distinct, median
from detectors.shapes import Shapes, healthy, joined, leaking, settling
from detectors.types import FloatArray

RESTART_WARMUPS = (0.003, 0.008, 0.02)
SHORTEST_LATE_LIFE = 0.25
"""A leak that only the lives since a later restart show must have been watched for this share of the trace."""


@dataclass(frozen=True, slots=True)
class Extra:
    """What the counters add to every frame: healthy load curves and leak curves by cumulative requests."""

    healthy: Shapes | None
    leaking: Shapes | None


def plain(whiten: Whitener, judged: Judged, groups: tuple[tuple[Group, ...], ...], extra: Extra) -> Frame:
    """One level, and whatever happens on top of it."""
    u = judged.position
    piece = np.zeros_like(judged.piece)
    return Frame(
        "plain",
        u,
        piece,
        np.ones((len(u), 1)),
        1,
        groups,
        joined(healthy(u), extra.healthy),
        joined(leaking(u), extra.leaking),
        whiten,
    )


def sawtooth(
    whiten: Whitener, judged: Judged, cuts: FloatArray, groups: tuple[tuple[Group, ...], ...], extra: Extra
) -> Frame:
    """Teeth of one height: the phase of each tooth is a nuisance, so a line on top says that the floor rises."""
    u = judged.position
    edges = np.concatenate([[0.0], cuts, [1.0]])
    lengths = np.diff(edges)
    typical = median(lengths[1:-1]) if len(lengths) > 2 else float(lengths.max())
    lengths[0], lengths[-1] = max(lengths[0], typical), max(lengths[-1], typical)
    starts = edges[:-1].copy()
    starts[0] = edges[1] - lengths[0]
    phase = (u - starts[judged.piece]) / lengths[judged.piece]
    since = u - np.concatenate([[starts[0]], cuts])[judged.piece]
    base = np.stack([np.ones_like(u), np.clip(phase, 0.0, 1.0), since], axis=1)
    return Frame(
        "sawtooth",
        u,
        np.zeros_like(judged.piece),
        base,
        3 + len(cuts),
        groups,
        joined(healthy(u), extra.healthy),
        joined(_steady(leaking(u)), extra.leaking),
        whiten,
    )


def restart(
    whiten: Whitener, judged: Judged, cuts: FloatArray, groups: tuple[tuple[Group, ...], ...], extra: Extra
) -> Frame:
    """Each piece begins anew: own levels, shared start-up and shapes in the time since the restart."""
    starts = np.concatenate([[0.0], cuts])
    since = judged.position - starts[judged.piece]
    pieces = distinct(judged.piece)
    levels = (judged.piece[:, None] == pieces).astype(float)
    warm = np.stack([np.exp(-since / tau) for tau in RESTART_WARMUPS], axis=1)
    base = np.concatenate([levels, warm], axis=1)
    return Frame(
        "restart",
        judged.position,
        judged.piece,
        base,
        base.shape[1] + len(cuts),
        groups,
        joined(settling(since, _typical_life(cuts), _rise(judged)), extra.healthy),
        joined(_leaking_since(since, judged, starts), extra.leaking),
        whiten,
    )


def _steady(shapes: Shapes) -> Shapes:
    """Only the line over all teeth: teeth of uneven height bend the rest as they please."""
    keep = [i for i, f in enumerate(shapes.family) if f == "line"]
    rows = (shapes.onset[keep], shapes.rate[keep], shapes.power[keep])
    return Shapes(shapes.columns[:, keep], tuple(shapes.family[i] for i in keep), *rows)


def _typical_life(cuts: FloatArray) -> float:
    return median(np.diff(np.concatenate([[0.0], cuts, [1.0]])))


def _rise(judged: Judged) -> FloatArray:
    """(n,) how far the level of each bin's own life rose from its first tenth to its last third, at most 1."""
    out = np.zeros_like(judged.level)
    for piece in distinct(judged.piece):
        rows = np.flatnonzero(judged.piece == piece)
        head, tail = rows[: max(1, len(rows) // 10)], rows[-max(1, len(rows) // 3) :]
        out[rows] = median(judged.level[tail]) - median(judged.level[head])
    return out / max(float(np.abs(out).max()), 1e-9)


def _leaking_since(since: FloatArray, judged: Judged, starts: FloatArray) -> Shapes:
    """A line since each restart, or only since a later one (a bad release), or an accelerating one."""
    pieces = distinct(judged.piece)
    judged_long_enough = [p for p in pieces[1:] if 1.0 - starts[p] >= SHORTEST_LATE_LIFE]
    late = [since * (judged.piece >= p) for p in judged_long_enough]
    columns = [since, *late, since**2 / max(float(since.max()), 1e-9)]
    family = ("line",) + ("late line",) * len(late) + ("accelerating",)
    onset = np.concatenate([[0.0], starts[judged_long_enough], [0.0]])
    power = np.concatenate([np.ones(len(family) - 1), [2.0]])
    return Shapes(np.stack(columns, axis=1), family, onset, np.ones(len(family)), power)
