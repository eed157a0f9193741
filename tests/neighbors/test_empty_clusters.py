"""Clusters that own no row are put right, and distances are exact."""

from __future__ import annotations

import numpy as np
import pytest

from distillkit.neighbors import _empty_clusters as _empty
from distillkit.neighbors._empty_clusters import fill_empty, squared_distances_to_centers


def assign(X, centroids):
    every = ((X[:, None] - centroids) ** 2).sum(axis=2)
    return every.argmin(axis=1), every.min(axis=1)


def test_distances_are_exact_far_from_the_origin():
    X = 1e8 + np.array([[0.0, 0.0], [3.0, 4.0]])
    assert squared_distances_to_centers(X, X[:1], np.zeros(2, dtype=int)).tolist() == [0.0, 25.0]


def test_float32_rows_are_subtracted_in_float64():
    X = np.array(
        [[16777216.0], [1.0]], dtype=np.float32
    )  # 2**24 - 1 is no float32 difference of a float32 pair's square
    assert squared_distances_to_centers(X, X[:1], np.zeros(2, dtype=int))[1] == (2.0**24 - 1) ** 2


def test_blocks_do_not_change_the_distances(monkeypatch):
    rng = np.random.default_rng(0)
    X, centroids, labels = rng.normal(size=(50, 3)), rng.normal(size=(4, 3)), rng.integers(4, size=50)
    whole = squared_distances_to_centers(X, centroids, labels)
    monkeypatch.setattr(_empty, "BLOCK_BYTES", 7 * 24)
    np.testing.assert_array_equal(squared_distances_to_centers(X, centroids, labels), whole)
    np.testing.assert_allclose(whole, ((X - centroids[labels]) ** 2).sum(axis=1))


@pytest.mark.parametrize("seed", range(10))
def test_an_empty_cluster_takes_the_farthest_row_and_what_is_nearer_to_it(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 2))
    centroids = rng.normal(size=(12, 2))
    centroids[6:] += 100  # six clusters far from every row
    labels, distances = assign(X, centroids)
    before = distances.copy()
    farthest = X[distances.argmax()].copy()
    fill_empty(X, centroids, labels, distances)
    assert np.bincount(labels, minlength=12).min() >= 1
    assert (distances <= before).all()
    assert any(np.array_equal(centroid, farthest) for centroid in centroids)
    expected_owner, expected = assign(X, centroids)
    np.testing.assert_allclose(distances, expected, atol=1e-12)  # every row is with its nearest centroid
    np.testing.assert_array_equal(labels, expected_owner)


def test_nothing_changes_where_no_cluster_is_empty():
    X = np.arange(6.0)[:, None]
    centroids = np.array([[1.0], [4.0]])
    labels, distances = assign(X, centroids)
    fill_empty(X, centroids, labels, distances)
    assert centroids.ravel().tolist() == [1.0, 4.0]
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_where_all_rows_lie_on_their_centroids_the_largest_cluster_is_halved():
    X = np.array([[0.0]] * 8 + [[5.0]] * 3)
    centroids = np.array([[0.0], [5.0], [70.0], [80.0]])
    labels, distances = assign(X, centroids)
    fill_empty(X, centroids, labels, distances)
    assert sorted(np.bincount(labels).tolist()) == [2, 2, 3, 4]
    np.testing.assert_array_equal(X, centroids[labels])


def test_as_many_clusters_as_equal_rows():
    X, centroids = np.ones((7, 2)), np.ones((7, 2))
    labels, distances = np.zeros(7, dtype=int), np.zeros(7)
    fill_empty(X, centroids, labels, distances)
    assert sorted(labels.tolist()) == list(range(7))
