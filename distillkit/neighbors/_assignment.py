"""Assignment of rows to the first of their nearest centers, in float64."""

from __future__ import annotations

import numpy as np

from distillkit.neighbors._faiss import BLOCK_BYTES, as_rows, origin_and_scale
from distillkit.neighbors._k_center_cover import rounding_of

__all__ = ["first_nearest"]


def first_nearest(X: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the nearest center of each row; of several that are equally near, the first.

    Distances that differ only by rounding count as equal, as in `greedy_k_center`. The labels are
    therefore those of its result for the same rows and these picks, except that a pick which equals
    an earlier one is not its own nearest pick.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    centers : ndarray of shape (k, d)

    Returns
    -------
    ndarray of shape (n,), int64

    Raises
    ------
    DataError
        If rows or centers are not finite or too large.
    """
    X, centers = as_rows(X), as_rows(centers, "centers")
    origin, scale = origin_and_scale(X, centers)
    scaled_centers = np.subtract(centers, origin, dtype=np.float64) * scale
    center_norms = np.einsum("ij,ij->i", scaled_centers, scaled_centers)
    rounding, labels = rounding_of(X.shape[1]), np.empty(len(X), dtype=np.int64)
    step = max(1, BLOCK_BYTES // (8 * (len(centers) + X.shape[1])))
    for begin in range(0, len(X), step):
        points = np.subtract(X[begin : begin + step], origin, dtype=np.float64) * scale
        norms = np.einsum("ij,ij->i", points, points)
        squared = np.maximum(norms[:, None] + center_norms - 2 * (points @ scaled_centers.T), 0)
        highest = squared.min(axis=1) * (1 + rounding) + rounding * norms
        labels[begin : begin + step] = np.argmax(squared <= highest[:, None], axis=1)
    return labels
