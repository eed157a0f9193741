"""Medoids against a search over all members of each cluster."""

import numpy as np
import pytest

from distillkit.neighbors import kmeans, medoids, row_nearest_to_mean


def nearest_member(clustering, cluster):
    """Return the first of the members with the smallest distance, by comparing all of them."""
    best = None
    for row in np.flatnonzero(clustering.labels == cluster):
        if best is None or clustering.squared_distances[row] < clustering.squared_distances[best]:
            best = row
    return best


@pytest.mark.parametrize(("n", "d", "k"), [(200, 3, 7), (60, 20, 1), (40, 2, 40), (30, 4, 29)])
@pytest.mark.parametrize("grid", [False, True])  # rows on a grid repeat and tie
def test_medoids_are_the_nearest_members(n, d, k, grid):
    rng = np.random.RandomState(n + k)
    X = rng.randint(3, size=(n, d)).astype(float) if grid else rng.normal(size=(n, d))
    clustering = kmeans(X, k, seed=0)
    expected = [nearest_member(clustering, cluster) for cluster in range(k)]
    positions = medoids(clustering)
    assert positions.tolist() == expected
    assert len(set(expected)) == k


def test_the_row_nearest_to_the_mean_is_the_first_of_equals():
    X = np.random.RandomState(0).randint(3, size=(50, 2)).astype(float)
    distances = [float(((row - X.mean(axis=0)) ** 2).sum()) for row in X]
    assert row_nearest_to_mean(X) == distances.index(min(distances))
