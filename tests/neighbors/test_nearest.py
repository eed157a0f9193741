"""Nearest rows against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.neighbors import _nearest, nearest


def brute(queries, X, k):
    every = ((queries[:, None].astype(float) - X.astype(float)) ** 2).sum(axis=2)
    order = np.argsort(every, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(every, order, axis=1), order


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 6)), rng.normal(size=(200, 6))


@pytest.mark.parametrize("k", [1, 5, 200])
def test_equals_brute_force(pair, k):
    distances, indices = nearest(*pair, k)
    expected, order = brute(*pair, k)
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, expected, rtol=1e-12)
    assert (distances.dtype, indices.dtype) == (np.float64, np.int64)


@pytest.mark.filterwarnings("ignore:faiss cannot be used")
def test_equals_brute_force_without_faiss(pair, no_faiss):
    np.testing.assert_array_equal(nearest(*pair, 5)[1], brute(*pair, 5)[1])


def test_says_so_without_faiss(pair, no_faiss):
    with pytest.warns(DistillkitWarning, match="NumPy computes instead"):
        nearest(*pair, 1)


@pytest.mark.parametrize("offset", [1e6, -1e9])
def test_a_large_offset_costs_no_precision(pair, offset):
    queries, X = pair
    np.testing.assert_array_equal(nearest(queries + offset, X + offset, 3)[1], brute(queries, X, 3)[1])


@pytest.mark.parametrize("factor", [1e-60, 1e60])
def test_sizes_outside_the_range_of_float32_are_no_trouble(pair, factor):
    queries, X = pair
    distances, indices = nearest(queries * factor, X * factor, 3)
    np.testing.assert_array_equal(indices, brute(queries, X, 3)[1])
    np.testing.assert_allclose(distances, brute(queries, X, 3)[0] * factor**2, rtol=1e-9)


def test_queries_far_away_from_all_rows_get_valid_answers():
    distances, indices = nearest(np.array([[1e60]]), np.array([[0.0], [1.0]]), 2)
    assert sorted(indices[0].tolist()) == [0, 1]
    assert np.isfinite(distances).all()


def test_rows_find_themselves_at_no_distance_at_all(pair):
    _, X = pair
    distances, indices = nearest(X, X, 1)
    assert indices.ravel().tolist() == list(range(len(X)))
    assert (distances == 0).all()


def test_equal_rows_come_in_order_of_position():
    X = np.array([[1.0], [0.0], [1.0], [1.0]])
    assert nearest(np.array([[1.0]]), X, 4)[1].tolist() == [[0, 2, 3, 1]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_dtypes_are_taken(dtype):
    rng = np.random.default_rng(0)
    queries, X = rng.integers(0, 255, (20, 5)).astype(dtype), rng.integers(0, 255, (60, 5)).astype(dtype)
    np.testing.assert_allclose(nearest(queries, X, 4)[0], brute(queries, X, 4)[0], rtol=1e-12)


def test_blocks_do_not_change_the_answer(pair, monkeypatch):
    whole = nearest(*pair, 5)
    monkeypatch.setattr(_nearest, "BLOCK_BYTES", 1000)
    for got, expected in zip(nearest(*pair, 5), whole, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("k", [0, 201])
def test_k_out_of_range_is_refused(pair, k):
    with pytest.raises(DataError, match=f"k={k} neighbors cannot be found among 200 rows"):
        nearest(*pair, k)


def test_other_widths_are_refused(pair):
    queries, X = pair
    with pytest.raises(DataError, match="queries have 5 columns, but X has 6"):
        nearest(queries[:, :5], X, 1)


def test_gaps_in_queries_are_named_as_such(pair):
    queries, X = pair
    with pytest.raises(DataError, match="queries holds NaN"):
        nearest(np.full_like(queries, np.nan), X, 1)
