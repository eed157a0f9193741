"""Weighted samples and the distances between their rows: what every distance starts from."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.exceptions import DataError

__all__ = ["check_pair", "normalized_weight", "squared_distances", "subsample"]


def check_pair(
    X: Any, Y: Any, x_weight: Any = None, y_weight: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Validate two weighted samples.

    Parameters
    ----------
    X, Y : array-like of shape (n, d) and (m, d)
    x_weight, y_weight : array-like of shape (n,) and (m,), or None

    Returns
    -------
    X, Y, a, b : ndarray
        Rows as floating points and weights that sum to 1, in float64.

    Raises
    ------
    DataError
        If a sample is empty, not two-dimensional or not finite, or if the samples differ in their features.
    """
    X, Y = _check_rows(X, "X"), _check_rows(Y, "Y")
    if X.shape[1] != Y.shape[1]:
        raise DataError(f"X has {X.shape[1]} features, but Y has {Y.shape[1]}: give both samples in one space.")
    return X, Y, normalized_weight(x_weight, len(X), "x_weight"), normalized_weight(y_weight, len(Y), "y_weight")


def _check_rows(rows: Any, name: str) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.size == 0:
        raise DataError(
            f"{name} has shape {rows.shape}: give at least one row, in shape (n, d); flatten images and series."
        )
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        raise DataError(f"{name} holds NaN or infinite values: a distance is defined for finite rows only.")
    return np.asarray(rows)


def normalized_weight(weight: Any, n_rows: int, name: str = "weight") -> np.ndarray:
    """Return weights that sum to 1; equal ones for None.

    Raises
    ------
    DataError
        If there is not one weight per row, any is negative or not finite, or all are zero.
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
    """Draw `max_rows` rows without replacement where there are more; the weights drawn are scaled to sum to 1.

    The draw depends on the number of rows and the seed alone, so two equal samples stay equal.

    Raises
    ------
    DataError
        If `max_rows` is not positive, or all rows drawn have zero weight.
    """
    if max_rows < 1:
        raise DataError(f"max_rows={max_rows} must be at least 1.")
    if len(rows) <= max_rows:
        return rows, weight
    picks = np.random.default_rng(seed).choice(len(rows), size=max_rows, replace=False, shuffle=False)
    return rows[picks], normalized_weight(weight[picks], max_rows)


def squared_distances(X: np.ndarray, Y: np.ndarray, *, dtype: Any = np.float64) -> np.ndarray:
    """Squared Euclidean distances between all rows, as one matrix product.

    Parameters
    ----------
    X, Y : ndarray of shape (n, d) and (m, d)
    dtype : dtype, default=float64
        Precision of the computation. The rounding error is some units in the last place of the squared norms of the
        rows after the mean of `Y` is subtracted.

    Returns
    -------
    ndarray of shape (n, m)
        Never negative.
    """
    centre = Y.mean(axis=0, dtype=np.float64).astype(dtype)
    # ||x - y||^2 = ||x||^2 - 2 x.y + ||y||^2 cancels badly far from the origin, hence the common shift
    X, Y = X.astype(dtype, copy=False) - centre, Y.astype(dtype, copy=False) - centre
    squares = X @ Y.T
    squares *= -2
    squares += np.einsum("ij,ij->i", X, X)[:, None]
    squares += np.einsum("ij,ij->i", Y, Y)[None, :]
    return np.asarray(np.maximum(squares, 0, out=squares))
