"""Rows that are computed when they are needed stand for an array, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.exceptions import DataError
from distillkit.neighbors import _lazy_rows, kmeans
from distillkit.neighbors._faiss import origin_and_scale, to_float32
from distillkit.neighbors._lazy_rows import LazyRows, select_rows


class OfArray(LazyRows):
    """The rows of an array."""

    def __init__(self, X):
        super().__init__(X.shape, X.dtype)
        self.X = X

    def compute(self, key):
        return self.X[key].copy()

    def select(self, positions):
        return OfArray(self.X[positions])


@pytest.fixture(name="X")
def matrix():
    return np.random.default_rng(0).normal(size=(601, 20)) * 10.0 ** np.arange(-10, 10)


@pytest.fixture
def rows(X, monkeypatch):
    """The rows of X in blocks of seven."""
    monkeypatch.setattr(_lazy_rows, "_BLOCK_BYTES", 7 * 8 * 20)
    return OfArray(X)


def test_statistics_are_those_of_the_array_bit_for_bit(X, rows):
    assert len(list(rows.blocks())) == 86
    for name in ("min", "max", "mean", "var"):
        np.testing.assert_array_equal(getattr(rows, name)(axis=0), getattr(X, name)(axis=0))
    np.testing.assert_array_equal(rows.squared_norms(), np.einsum("ij,ij->i", X, X))
    assert (rows.size, rows.nbytes, len(rows), rows.ndim) == (X.size, X.nbytes, 601, 2)


def test_parts_are_those_of_the_array(X, rows):
    np.testing.assert_array_equal(np.asarray(rows), X)
    np.testing.assert_array_equal(rows[3:9], X[3:9])
    np.testing.assert_array_equal(rows[[5, 1]], X[[5, 1]])
    np.testing.assert_array_equal(rows[-1], X[-1])
    picks, column = np.array([4, 2, 600]), np.arange(601.0)
    wide = np.column_stack([X, column])
    for lazy, array in (
        (select_rows(rows, picks), X[picks]),
        (rows.with_column(column), wide),
        (select_rows(rows.with_column(column), picks), wide[picks]),
        (to_float32(rows, *origin_and_scale(rows)), to_float32(X, *origin_and_scale(X))),
        (select_rows(to_float32(rows, *origin_and_scale(rows)), picks), to_float32(X, *origin_and_scale(X))[picks]),
    ):
        assert isinstance(lazy, LazyRows)
        assert lazy.dtype == array.dtype
        np.testing.assert_array_equal(lazy, array)
    np.testing.assert_array_equal(select_rows(X, picks), X[picks])


@pytest.mark.parametrize("options", [{}, {"spherical": True}, {"weights": np.arange(1.0, 602)}, {"n_init": 2}])
def test_lazy_rows_are_clustered_like_the_array(options, X, rows):
    expected, result = (kmeans(data, 9, seed=1, device="cpu", **options) for data in (X, rows))
    np.testing.assert_array_equal(result.labels, expected.labels)
    np.testing.assert_array_equal(result.centroids, expected.centroids)
    assert result.inertia == expected.inertia
    assert result.backend == expected.backend == "numpy"


def test_few_lazy_rows_and_narrow_ones_are_clustered_as_well(X, rows):
    np.testing.assert_array_equal(kmeans(rows, 601, device="cpu").centroids, X)
    narrow = X[:, :3]
    expected, result = (kmeans(data, 4, device="cpu") for data in (narrow, OfArray(narrow)))
    np.testing.assert_array_equal(result.labels, expected.labels)
    with pytest.raises(DataError, match="holds NaN or infinity"):
        kmeans(OfArray(np.where(X > 1e8, np.nan, X)), 4, device="cpu")
