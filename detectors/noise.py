"""Noise laws, and the whitening of columns under each of them.

Memory readings are strongly autocorrelated, so every explanation is weighed under several laws of noise: white, and
first-order autoregressive with correlation times from a hundredth of the trace to three times its length, some with
a share of white noise on top ("nugget"). Whitening is the innovation form of the Kalman filter (Harvey 1989, ch. 3),
exact for irregular times and for independent pieces, and linear in the number of bins.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detectors.types import FloatArray

CORRELATION_TIMES = np.array([1e-6, 1 / 64, 1 / 18, 1 / 5, 3.0, 1 / 5, 3.0])
"""Correlation time of each law, as a share of the trace's duration."""

NUGGETS = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5])
"""Share of the variance that is white, for each law; the laws without come first."""

LAWS = len(NUGGETS)
_BARE = int((NUGGETS == 0.0).sum())


@dataclass(frozen=True, slots=True)
class Whitener:
    """The filter's gains for one set of times: everything that does not depend on the columns.

    Attributes:
        carry: (LAWS, n) how much of the state survives from the bin before; 0 at the start of a piece.
        gain: (LAWS, n) Kalman gain.
        scale: (LAWS, n) one over the standard deviation of the innovation.
        log_determinant: (LAWS,) of the covariance matrix.
        matrix: (LAWS, n, n) the whole filter as a matrix where it is kept between traces, else None.
    """

    carry: FloatArray
    gain: FloatArray
    scale: FloatArray
    log_determinant: FloatArray
    matrix: FloatArray | None = None

    def under(self, law: int, columns: FloatArray) -> FloatArray:
        """Whitens (n, m) columns under one law, to (n, m)."""
        if self.matrix is not None:
            return np.asarray(self.matrix[law] @ columns)
        if law < _BARE:
            out = columns.copy()
            out[1:] -= self.carry[law, 1:, None] * columns[:-1]
            return np.asarray(out * self.scale[law][:, None])
        return np.asarray(self(columns)[law])

    def __call__(self, columns: FloatArray) -> FloatArray:
        """Whitens (n, m) columns to (LAWS, n, m)."""
        if self.matrix is not None:
            return self.matrix @ columns
        out = np.empty((LAWS, *columns.shape))
        out[:_BARE, 0] = columns[0]
        out[:_BARE, 1:] = columns[1:] - self.carry[:_BARE, 1:, None] * columns[:-1]
        state = np.zeros((LAWS - _BARE, columns.shape[1]))
        carries = self.carry[_BARE:, :, None].swapaxes(0, 1)
        gains = self.gain[_BARE:, :, None].swapaxes(0, 1)
        for row, carry, gain, innovation in zip(columns, carries, gains, out[_BARE:].swapaxes(0, 1), strict=True):
            state *= carry
            np.subtract(row, state, out=innovation)
            state += gain * innovation
        out *= self.scale[:, :, None]
        return out


def whitener(position: FloatArray, piece: NDArray[np.int64]) -> Whitener:
    """The whitener for bins at ``position`` (n,) in 0..1, independent between pieces ((n,) integers, rising)."""
    step = np.maximum(np.diff(position, prepend=position[:1]), 0.0)
    same = np.diff(piece, prepend=piece[:1] - 1) == 0
    carry = np.where(same, np.exp(-step / CORRELATION_TIMES[:, None]), 0.0)
    innovation = 1.0 - carry**2
    gain = np.ones_like(carry)
    for law in range(_BARE, LAWS):
        nugget = float(NUGGETS[law])
        variance, gains, variances = 0.0, [], []
        for phi in carry[law].tolist():
            variance = phi * phi * variance + (1.0 - nugget) * (1.0 - phi * phi)
            variances.append(variance + nugget)
            gains.append(variance / (variance + nugget))
            variance *= 1.0 - gains[-1]
        gain[law], innovation[law] = gains, variances
    return Whitener(carry, gain, 1.0 / np.sqrt(innovation), np.log(innovation).sum(axis=1))


@lru_cache(maxsize=8)
def regular_whitener(n: int) -> Whitener:
    """The whitener for n equal bins without cuts, kept between traces."""
    plain = whitener((np.arange(n) + 0.5) / n, np.zeros(n, dtype=np.int64))
    return Whitener(plain.carry, plain.gain, plain.scale, plain.log_determinant, plain(np.eye(n)))
