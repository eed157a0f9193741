"""Validation, subsampling and pairwise distances of weighted samples, which all distances share."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.exceptions import DataError

__all__ = ["check_pair", "normalized_weight", "squared_distances", "subsample"]


def check_pair(
    X: Any, Y: Any, x_weight: Any = None, y_weight: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Validate two weighted samples and normalize their weights.

    Parameters
    ----------
    X, Y : array-like of shape (n, d) and (m, d)
    x_weight, y_weight : array-like of shape (n,) and (m,), or None
        Weights of the rows; None gives equal weights.

    Returns
    -------
    X, Y, a, b : ndarray
        The rows in float32 or float64, and the weights in float64, scaled to sum to 1.

    Raises
    ------
    DataError
        If a sample is empty, not two-dimensional or not finite, if the two numbers of features
        differ, or if the weights cannot be used.
    """
    X, Y = _check_rows(X, "X"), _check_rows(Y, "Y")
    if X.shape[1] != Y.shape[1]:
        raise DataError(
            f"X has {X.shape[1]} features, but Y has {Y.shape[1]}: give both samples with the same features."
        )
    return X, Y, normalized_weight(x_weight, len(X), "x_weight"), normalized_weight(y_weight, len(Y), "y_weight")


def _check_rows(rows: Any, name: str) -> np.ndarray:
    """Return rows as a finite array of shape (n, d) in float32 or float64."""
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.size == 0:
        raise DataError(
            f"{name} has shape {rows.shape}: give at least one row, in shape (n, d); flatten images and series."
        )
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        raise DataError(
            f"{name} holds NaN or infinite values: drop or fill these rows, since distances need finite values."
        )
    return np.asarray(rows)


def normalized_weight(weight: Any, n_rows: int, name: str = "weight") -> np.ndarray:
    """Return weights scaled to sum to 1; None gives equal weights.

    Raises
    ------
    DataError
        If there is not one weight per row, if any weight is negative or not finite, or if all are
        zero.
    """
    if weight is None:
        return np.full(n_rows, 1.0 / n_rows)
    weight = np.asarray(weight, dtype=np.float64)
    if weight.shape != (n_rows,):
        raise DataError(f"{name} has shape {weight.shape}, but there are {n_rows} rows: give one weight per row.")
    total = weight.sum()
    if not np.isfinite(total) or (weight < 0).any() or total <= 0:
        raise DataError(f"{name} must be finite, without negative values and not all zero; its sum is {total}.")
    return np.asarray(weight / total)


def subsample(rows: np.ndarray, weight: np.ndarray, max_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `max_rows` rows without replacement if there are more, and renormalize their weights.

    The draw depends only on the number of rows and on the seed, so equal samples remain equal.

    Raises
    ------
    DataError
        If `max_rows` is not positive, or if all drawn rows have zero weight.
    """
    if max_rows < 1:
        raise DataError(f"max_rows={max_rows} must be at least 1.")
    if len(rows) <= max_rows:
        return rows, weight
    drawn = np.random.default_rng(seed).choice(len(rows), size=max_rows, replace=False, shuffle=False)
    return rows[drawn], normalized_weight(weight[drawn], max_rows)


def squared_distances(X: np.ndarray, Y: np.ndarray, *, dtype: Any = np.float64) -> np.ndarray:
    """Squared Euclidean distances between all pairs of rows, by one matrix product.

    Parameters
    ----------
    X, Y : ndarray of shape (n, d) and (m, d)
    dtype : dtype, default=float64
        Precision of the computation. The rounding error is a few units in the last place of the
        squared norms of the rows, measured from the mean of `Y`.

    Returns
    -------
    ndarray of shape (n, m)
        The squared distances, never negative.
    """
    center = Y.mean(axis=0, dtype=np.float64).astype(dtype)
    # The expansion ||x - y||^2 = ||x||^2 - 2 x.y + ||y||^2 loses digits by cancellation far from
    # the origin, so both samples are first shifted by the same vector.
    X, Y = X.astype(dtype, copy=False) - center, Y.astype(dtype, copy=False) - center
    squares = X @ Y.T
    squares *= -2
    squares += np.einsum("ij,ij->i", X, X)[:, None]
    squares += np.einsum("ij,ij->i", Y, Y)[None, :]
    return np.asarray(np.maximum(squares, 0, out=squares))
