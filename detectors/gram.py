"""The inner products of whitened columns that the closed-form solutions need, and no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from detectors import shapes
from detectors.noise import Whitener, regular_whitener
from detectors.types import FloatArray


@dataclass(frozen=True, slots=True)
class Gram:
    """Inner products by law, of the m nuisance columns, and of the k others: level, healthy curves, leaking curves.

    Attributes:
        nuisance: (LAWS, m, m).
        across: (LAWS, m, k).
        norms: (LAWS, k) of the others with themselves.
        with_level: (LAWS, k) of the others with the level.
        pairs: (LAWS, healthy, leaking) of every healthy curve with every leaking one.
    """

    nuisance: FloatArray
    across: FloatArray
    norms: FloatArray
    with_level: FloatArray
    pairs: FloatArray


def inner_products(
    whiten: Whitener, nuisance: Sequence[FloatArray], level: FloatArray, healthy: FloatArray, leaking: FloatArray
) -> Gram:
    """Whiten ``nuisance`` (each (n, any)), ``level`` (n,), ``healthy`` (n, h) and ``leaking`` (n, l), and multiply.

    Where the whitener keeps its matrix, the bins are regular and the first columns of ``healthy`` and ``leaking`` are
    the standard shapes on them.
    """
    disturbing, others = _whitened(whiten, [*nuisance, level[:, None]], healthy, leaking)
    turned, first_leaking = disturbing.transpose(0, 2, 1), 1 + healthy.shape[1]
    return Gram(
        nuisance=turned @ disturbing,
        across=turned @ others,
        norms=np.einsum("lnk,lnk->lk", others, others),
        with_level=(others[:, :, :1].transpose(0, 2, 1) @ others)[:, 0],
        pairs=others[:, :, 1:first_leaking].transpose(0, 2, 1) @ others[:, :, first_leaking:],
    )


def _whitened(
    whiten: Whitener, own: Sequence[FloatArray], healthy: FloatArray, leaking: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(LAWS, n, m) columns of ``own`` but for its last, and (LAWS, n, k) its last, the level, with the curves."""
    count = sum(columns.shape[1] for columns in own) - 1
    if whiten.matrix is None:
        white = whiten(np.concatenate([*own, healthy, leaking], axis=1))
        return white[:, :, :count], white[:, :, count:]
    kept = _regular(len(healthy))
    kept_healthy, kept_leaking = kept.healthy[:, :, : healthy.shape[1]], kept.leaking[:, :, : leaking.shape[1]]
    more_healthy, more_leaking = healthy[:, kept_healthy.shape[2] :], leaking[:, kept_leaking.shape[2] :]
    white = whiten(np.concatenate([*own, more_healthy, more_leaking], axis=1))
    level, rest_healthy, rest_leaking = np.split(white[:, :, count:], [1, 1 + more_healthy.shape[1]], axis=2)
    others = (level, kept_healthy, rest_healthy, kept_leaking, rest_leaking)
    return white[:, :, :count], np.concatenate(others, axis=2)


@dataclass(frozen=True, slots=True)
class _Regular:
    """What every trace without gaps and cuts shares: the whitened standard shapes, (LAWS, n, h) and (LAWS, n, l)."""

    healthy: FloatArray
    leaking: FloatArray


@lru_cache(maxsize=8)
def _regular(n: int) -> _Regular:
    position, whiten = (np.arange(n) + 0.5) / n, regular_whitener(n)
    return _Regular(whiten(shapes.healthy(position).columns), whiten(shapes.leaking(position).columns))
