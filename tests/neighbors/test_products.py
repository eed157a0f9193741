"""Nearest rows by products against brute force, whatever the tiles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from distillkit.neighbors import _products, _threads
from distillkit.neighbors._products import even_blocks, nearest_by_products


def rows(n, d, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, d))
    return (X - X.mean(axis=0)).astype(np.float32)


@pytest.fixture(params=[(2048, 1024, 2**20), (7, 5, 35)], ids=["one tile", "many tiles"])
def tiles(request, monkeypatch):
    for name, value in zip(("_QUERIES", "_ROWS", "_PRODUCTS"), request.param, strict=True):
        monkeypatch.setattr(_products, name, value)


@pytest.mark.usefixtures("tiles")
@pytest.mark.parametrize("d", [1, 8, 90])  # with and without one more column
@pytest.mark.parametrize("k", [1, 3, 40])
def test_they_are_those_of_brute_force(d, k):
    queries, X = rows(300, d), rows(40, d, seed=1)
    found = nearest_by_products(queries, X, k, map)
    expected = np.sort(np.sort(np.argsort(cdist(queries, X), axis=1, kind="stable")[:, :k], axis=1), axis=1)
    np.testing.assert_array_equal(np.sort(found, axis=1), expected)
    assert found.dtype == np.int64


@pytest.mark.usefixtures("tiles")
@pytest.mark.parametrize("d", [8, 90])
def test_directions_are_compared_by_inner_product_alone(d):
    queries, X = rows(300, d), rows(40, d, seed=1)
    found = nearest_by_products(queries, X, 1, map, cosine=True)
    np.testing.assert_array_equal(found[:, 0], (queries.astype(np.float64) @ X.T).argmax(axis=1))


@pytest.mark.usefixtures("tiles")
@pytest.mark.parametrize("d", [8, 90])
def test_of_equal_rows_the_first_is_nearest(d):
    # whole numbers, whose products are exact: others can differ in the last bit between columns of one product
    X = np.tile(np.round(4 * rows(12, d)), (4, 1))
    np.testing.assert_array_equal(nearest_by_products(X, X, 1, map)[:, 0], np.tile(np.arange(12), 4))


def test_threads_do_not_change_the_result(monkeypatch):
    monkeypatch.setattr(_threads, "_MIN_PARALLEL_SIZE", 0)
    queries, X = rows(5000, 90), rows(700, 90, seed=1)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads), _threads.block_threads(1) as map_blocks:
            found.append(nearest_by_products(queries, X, 1, map_blocks))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("n", [1, 2, 5, 63, 64, 65, 1000])
@pytest.mark.parametrize("most", [1, 3, 64, 2000])
def test_blocks_are_even_in_number_and_not_above_the_most(n, most):
    step = even_blocks(n, most)
    assert 1 <= step <= most
    blocks = [len(range(begin, min(n, begin + step))) for begin in range(0, n, step)]
    assert sum(blocks) == n
    assert max(blocks) - min(blocks[:-1], default=max(blocks)) == 0
