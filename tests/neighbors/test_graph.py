"""The graph of nearest rows against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.neighbors import _graph, neighbor_graph


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
    np.testing.assert_array_equal(indices, np.argsort(every, axis=1, kind="stable")[:, :t])
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


def test_blocks_of_queries_do_not_change_the_answer(rows, monkeypatch):
    whole = neighbor_graph(rows, 8)
    monkeypatch.setattr(_graph, "_QUERIES", 7)
    parts = neighbor_graph(rows, 8)
    np.testing.assert_array_equal(parts.indices, whole.indices)
    np.testing.assert_array_equal(parts.distances, whole.distances)


@pytest.mark.parametrize(("factor", "offset"), [(1e-60, 0.0), (1e60, 0.0), (1.0, 1e6)])
def test_units_and_offsets_cost_no_precision(rows, factor, offset):
    found, indices = sorted_distances(neighbor_graph(rows * factor + offset, 6))
    expected, order = sorted_distances(neighbor_graph(rows, 6))
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(found, expected * factor, rtol=1e-7, atol=1e-9 * factor)


def test_the_backend_is_named(rows):
    assert neighbor_graph(rows, 5).backend in ("faiss", "faiss-gpu")
    assert neighbor_graph(rows, 300).backend == "numpy"


def test_without_faiss_scikit_learn_finds_the_same(rows, no_faiss):
    with pytest.warns(DistillkitWarning, match="scikit-learn is used instead"):
        graph = neighbor_graph(rows, 7)
    assert graph.backend == "scikit-learn"
    found, indices = sorted_distances(graph)
    every = cdist(rows, rows)
    np.testing.assert_array_equal(indices, np.argsort(every, axis=1, kind="stable")[:, :7])
    np.testing.assert_allclose(found, np.sort(every, axis=1)[:, :7], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("t", [0, 301])
def test_t_out_of_range_is_refused(rows, t):
    with pytest.raises(DataError, match=f"t={t} neighbours cannot be found among 300 rows"):
        neighbor_graph(rows, t)
