"""Soft labels for models that accept only hard labels, by repeating rows with weights."""

from __future__ import annotations

import numpy as np

__all__ = ["expand_soft_labels"]


def expand_soft_labels(
    X: np.ndarray, soft_labels: np.ndarray, classes: np.ndarray, weight: np.ndarray | None = None, *, tiny: float = 1e-4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Repeat each row once per class, with the probability of the class as its weight.

    For a model that minimizes a weighted log-loss this is exactly the soft cross-entropy.

    Parameters
    ----------
    X : ndarray of shape (m, ...)
    soft_labels : ndarray of shape (m, n_classes)
        Class probabilities.
    classes : ndarray of shape (n_classes,)
        Labels of the columns.
    weight : ndarray of shape (m,) or None
        Weights of the rows; ones if None.
    tiny : float
        Probabilities below this value are dropped, except for the largest of a row; the others are
        scaled to the weight of the row.

    Returns
    -------
    X, y, weight
        At most ``m * n_classes`` rows with their labels and weights.
    """
    soft = np.asarray(soft_labels, dtype=np.float64)
    is_kept = (soft >= tiny) | (soft == soft.max(axis=1, keepdims=True))
    soft = np.where(is_kept, soft, 0.0)
    soft = soft / soft.sum(axis=1, keepdims=True)
    if weight is not None:
        soft = soft * np.asarray(weight, dtype=np.float64)[:, None]
    rows, columns = np.nonzero(is_kept)
    return X[rows], np.asarray(classes)[columns], soft[rows, columns]
