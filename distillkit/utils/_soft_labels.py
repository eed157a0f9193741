"""Soft labels for models that know only hard ones: each row once per class, weighted by its probability."""

from __future__ import annotations

import numpy as np

__all__ = ["expand_soft_labels"]


def expand_soft_labels(
    X: np.ndarray, soft_labels: np.ndarray, classes: np.ndarray, weight: np.ndarray | None = None, *, tiny: float = 1e-4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Repeat rows once per class with the class's probability as weight.

    For a model that minimizes a weighted log-loss this is soft cross-entropy exactly.

    Parameters
    ----------
    X : ndarray of shape (m, ...)
    soft_labels : ndarray of shape (m, n_classes)
        Probabilities.
    classes : ndarray of shape (n_classes,)
        Labels of the columns.
    weight : ndarray of shape (m,) or None
        Weights of the rows; ones if None.
    tiny : float
        Probabilities below are left out, but for the largest of a row; the rest is scaled to the row's weight.

    Returns
    -------
    X, y, weight
        Of at most ``m * n_classes`` rows.
    """
    soft = np.asarray(soft_labels, dtype=np.float64)
    kept = (soft >= tiny) | (soft == soft.max(axis=1, keepdims=True))
    soft = np.where(kept, soft, 0.0)
    soft = soft / soft.sum(axis=1, keepdims=True)
    if weight is not None:
        soft = soft * np.asarray(weight, dtype=np.float64)[:, None]
    rows, columns = np.nonzero(kept)
    return X[rows], np.asarray(classes)[columns], soft[rows, columns]
