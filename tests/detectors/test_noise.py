"""The whitener beside the dense covariance that it stands for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_triangular

from detectors.noise import CORRELATION_TIMES, LAWS, NUGGETS, regular_whitener, whitener
from detectors.types import FloatArray


def covariance(position: FloatArray, piece: FloatArray, law: int) -> FloatArray:
    """Exponential decay within a piece, nothing between pieces, a share of white noise, variance 1."""
    apart = np.abs(position[:, None] - position)
    state = np.exp(-apart / CORRELATION_TIMES[law]) * (piece[:, None] == piece)
    return np.asarray((1.0 - NUGGETS[law]) * state + NUGGETS[law] * np.eye(len(position)))


@settings(max_examples=20)
@given(st.integers(2, 90), st.integers(1, 6), st.booleans(), st.integers(0, 2**31))
def test_whitening_is_the_inverse_of_the_covariance_s_cholesky_factor(
    n: int, pieces: int, regular: bool, seed: int
) -> None:
    """Under every law, at irregular times and over independent pieces, determinant included."""
    rng = np.random.default_rng(seed)
    position = (np.arange(n) + 0.5) / n if regular else np.sort(rng.uniform(0, 1, n))
    piece = np.sort(rng.integers(0, pieces, n))
    columns = rng.normal(size=(n, 3))
    whiten = whitener(position, piece)
    white = whiten(columns)
    for law in range(LAWS):
        factor = np.linalg.cholesky(covariance(position, piece, law))
        expected = solve_triangular(factor, columns, lower=True)
        np.testing.assert_allclose(white[law], expected, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(whiten.under(law, columns), white[law], rtol=1e-9, atol=1e-12)
        assert whiten.log_determinant[law] == pytest.approx(2 * np.log(np.diag(factor)).sum(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("n", [5, 126])
def test_the_whitener_that_is_kept_between_traces_is_the_same(n: int) -> None:
    """The matrix of equal bins whitens as the filter does, all columns at once and one law alone."""
    columns = np.random.default_rng(n).normal(size=(n, 4))
    kept, plain = regular_whitener(n), whitener((np.arange(n) + 0.5) / n, np.zeros(n, dtype=np.int64))
    np.testing.assert_allclose(kept(columns), plain(columns), rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(kept.log_determinant, plain.log_determinant)
    for law in range(LAWS):
        np.testing.assert_allclose(kept.under(law, columns), plain.under(law, columns), rtol=1e-9, atol=1e-9)


def test_whitening_leaves_the_columns_as_they_were() -> None:
    """The caller's columns are used again for other laws."""
    columns = np.ones((9, 2))
    whiten = whitener(np.linspace(0, 1, 9), np.zeros(9, dtype=np.int64))
    whiten(columns)
    whiten.under(1, columns)
    np.testing.assert_array_equal(columns, np.ones((9, 2)))
