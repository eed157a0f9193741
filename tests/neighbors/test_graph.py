"""The graph of nearest rows against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.neighbors import _blocked_neighbors, _graph, _threads, neighbor_graph
from distillkit.neighbors._blocked_neighbors import nearest_rows


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(300, 5))


def sorted_distances(graph):
    order = np.argsort(graph.distances, axis=1, kind="stable")
    found = np.take_along_axis(graph.distances, order, axis=1) / graph.scale
    return found, np.take_along_axis(graph.indices, order, axis=1)


@pytest.mark.parametrize("t", [1, 2, 17, 299, 300])
@pytest.mark.parametrize("exact", [True, False])
def test_neighbours_and_distances_are_those_of_brute_force(rows, t, exact, monkeypatch):
    monkeypatch.setattr(_graph, "_EXACT", 2**27 if exact else 0)
    every = cdist(rows, rows)
    found, indices = sorted_distances(neighbor_graph(rows, t))
    expected = np.argsort(every, axis=1, kind="stable")[:, :t]
    if exact:
        np.testing.assert_array_equal(indices, expected)
    np.testing.assert_array_equal(np.sort(indices, axis=1), np.sort(expected, axis=1))
    np.testing.assert_allclose(found, np.sort(every, axis=1)[:, :t], rtol=1e-12 if exact else 1e-5, atol=1e-12)
    assert found.dtype == (np.float64 if exact else np.float32)


@pytest.mark.parametrize("t", [9, 300])
def test_exact_distances_are_the_same_from_both_ends(rows, t):
    graph = neighbor_graph(rows, t)
    every = np.full((300, 300), np.nan)
    np.put_along_axis(every, graph.indices.astype(int), graph.distances, axis=1)
    both = ~np.isnan(every) & ~np.isnan(every.T)
    np.testing.assert_array_equal(every[both], every.T[both])


@pytest.mark.parametrize("t", [1, 3, 20])
@pytest.mark.parametrize("exact", [True, False])
def test_a_row_is_always_its_own_neighbour(t, exact, monkeypatch):
    monkeypatch.setattr(_graph, "_EXACT", 2**27 if exact else 0)
    X = np.repeat(np.random.default_rng(0).normal(size=(5, 2)), 8, axis=0)  # others are as near as the row itself
    graph = neighbor_graph(X, t)
    own = graph.indices == np.arange(40)[:, None]
    assert (own.sum(axis=1) == 1).all()
    assert (graph.distances[own] == 0).all()
    assert all(len(set(found)) == t for found in graph.indices.tolist())


class TestTiles:
    """Products of tiles, of which those above the diagonal serve both sides."""

    @pytest.mark.parametrize("tile", [7, 64, 2048])
    @pytest.mark.parametrize("t", [1, 8, 37])
    @pytest.mark.parametrize("seed", range(3))
    def test_neighbours_are_those_of_brute_force(self, tile, t, seed, monkeypatch):
        monkeypatch.setattr(_blocked_neighbors, "_TILE", tile)
        X = np.random.default_rng(seed).gamma(0.5, size=(301, 4)).astype(np.float32)
        X -= X.mean(axis=0)
        distances, indices = nearest_rows(X, t)
        every = cdist(X, X)
        order = np.argsort(every, axis=1)[:, :t]
        np.testing.assert_array_equal(np.sort(indices, axis=1), np.sort(order, axis=1))
        np.testing.assert_allclose(distances, np.take_along_axis(every, indices, axis=1), atol=2e-3)

    def test_rows_that_find_too_few_within_their_limit_are_searched_again(self, monkeypatch):
        X = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
        search, again = _blocked_neighbors._Search, []
        thresholds, exhaustive = search.thresholds, search.exhaustive

        def too_high(self, map_blocks):
            return np.where(np.arange(400) % 3, thresholds(self, map_blocks), 0)

        def noted(self, queries, map_blocks):
            again.extend(queries.tolist())
            exhaustive(self, queries, map_blocks)

        monkeypatch.setattr(search, "thresholds", too_high)
        monkeypatch.setattr(search, "exhaustive", noted)
        indices = nearest_rows(X, 40)[1]
        assert set(range(0, 400, 3)) <= set(again)
        assert len(again) < 200
        order = np.argsort(cdist(X, X), axis=1)[:, :40]
        np.testing.assert_array_equal(np.sort(indices, axis=1), np.sort(order, axis=1))

    def test_little_more_than_the_neighbours_is_kept_also_of_rows_that_come_sorted(self, monkeypatch):
        monkeypatch.setattr(_blocked_neighbors, "_TILE", 128)
        select, n_candidates = _blocked_neighbors._Search._select, []

        def noted(self, begin, parts):
            n_candidates.append(sum(len(rows) for rows, _, _ in parts))
            select(self, begin, parts)

        monkeypatch.setattr(_blocked_neighbors._Search, "_select", noted)
        X = np.repeat(20 * np.eye(10, 5, dtype=np.float32), 128, axis=0)
        X += np.random.default_rng(0).normal(size=X.shape).astype(np.float32)
        nearest_rows(X, 100)
        assert 1280 * 100 < sum(n_candidates) < 2 * 1280 * 100

    def test_threads_do_not_change_a_bit(self, monkeypatch):
        monkeypatch.setattr(_threads, "_MIN_PARALLEL_SIZE", 0)
        monkeypatch.setattr(_blocked_neighbors, "_TILE", 32)
        X = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32)
        found = []
        for threads in (1, 2):
            with threadpool_limits(threads):
                found.append(nearest_rows(X, 20))
        for first, second in zip(*found, strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("factor", "offset"), [(1e-60, 0.0), (1e60, 0.0), (1.0, 1e6)])
def test_units_and_offsets_cost_no_precision(rows, factor, offset):
    found, indices = sorted_distances(neighbor_graph(rows * factor + offset, 6))
    expected, order = sorted_distances(neighbor_graph(rows, 6))
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(found, expected * factor, rtol=1e-7, atol=1e-9 * factor)


@pytest.mark.parametrize("t", [5, 100, 300])
def test_the_backend_is_named(rows, t):
    assert neighbor_graph(rows, t, device="cpu").backend == "numpy"


def test_without_faiss_only_the_gpu_is_lost(rows, no_faiss):
    with pytest.warns(DistillkitWarning, match="NumPy computes instead"):
        graph = neighbor_graph(rows, 7)
    assert graph.backend == "numpy"
    np.testing.assert_array_equal(sorted_distances(graph)[1], np.argsort(cdist(rows, rows), axis=1)[:, :7])


@pytest.mark.parametrize("t", [0, 301])
def test_t_out_of_range_is_refused(rows, t):
    with pytest.raises(DataError, match=f"t={t} neighbors cannot be found among 300 rows"):
        neighbor_graph(rows, t)
