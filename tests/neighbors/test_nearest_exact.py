"""The nearest rows are exact where float32 cannot tell distances apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from distillkit.neighbors import nearest


def rows_of(kind: str, d: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, d))
    if kind == "clusters":
        rows = rows * 1e-5 + np.arange(400)[:, None] % 3
    elif kind == "grid":
        rows = np.round(rows * 2)
    elif kind == "outlier":
        rows[0] = 1e6
    elif kind == "duplicates":
        rows = rows[np.arange(400) % 7]
    return rows


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e8])
@pytest.mark.parametrize("kind", ["normal", "clusters", "grid", "outlier", "duplicates"])
@pytest.mark.parametrize("d", [2, 80])
@pytest.mark.parametrize("k", [1, 5])
def test_neighbors_are_those_of_brute_force_at_any_offset(offset, kind, d, k):
    X = rows_of(kind, d) + offset
    queries = X[::5] + 1e-6
    squared = cdist(queries, X, "sqeuclidean")
    expected = np.argsort(squared, axis=1, kind="stable")[:, :k]

    distances, indices = nearest(queries, X, k, device="cpu")

    np.testing.assert_allclose(distances, np.take_along_axis(squared, expected, axis=1), rtol=1e-12)
    if kind not in ("grid", "duplicates"):
        np.testing.assert_array_equal(indices, expected)
    tree = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(X)
    np.testing.assert_allclose(np.sqrt(distances), tree.kneighbors(queries)[0], rtol=1e-9)


def test_ties_go_to_the_first_rows():
    X = np.zeros((500, 3))
    _, indices = nearest(X[:4], X, 3, device="cpu")
    np.testing.assert_array_equal(indices, np.tile([0, 1, 2], (4, 1)))
