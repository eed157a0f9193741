"""Closed-form condensation for linear features: rows with the same ridge regression as all rows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.linear_model import Ridge

from distillkit.condensation.problem._labels import row_labels, rows_per_label
from distillkit.condensation.problem._start import first_rows
from distillkit.exceptions import DistillkitWarning

if TYPE_CHECKING:
    from distillkit.base import Run
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["closed_form", "linear_targets", "ridge_equivalent_rows"]


def closed_form(problem: CondensationProblem, init: Any, alpha: float, run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Return the closed-form rows in the units of the data, and their labels or targets.

    Parameters
    ----------
    problem : CondensationProblem
    init : str or distiller
        First rows, which the result stays close to where the coefficients leave freedom.
    alpha : float
        Regularization of the ridge regression.
    run : Run

    Returns
    -------
    X : ndarray of shape (m, ...)
    y : ndarray of shape (m,)

    Warns
    -----
    DistillkitWarning
        If a continuous target is distilled to a single row, which determines a mean but no slope.
    """
    rows = problem.rows
    assert rows.y is not None
    X = rows.flat.astype(np.float64)
    # 1. Make the first rows, and weight each by the number of training rows that it stands for.
    parts = first_rows(init, problem, run)
    start = np.concatenate([part.reshape(len(part), -1) for part, _ in parts])
    weight = rows_per_label(rows)
    # 2. Choose the targets of the synthetic rows: numbers, or one indicator column per class.
    if rows.task == "regression":
        if len(start) == 1:
            warnings.warn(
                "budget=1 gives one row in all, which determines the mean of y but no slope: give budget=2 or more.",
                DistillkitWarning,
                stacklevel=5,
            )
        y = linear_targets(X, rows.y.astype(np.float64), np.asarray(parts[0][1]), alpha, rows.weight)
        Y, targets = rows.y.astype(np.float64)[:, None], y[:, None]
    else:
        y, _ = row_labels(problem, torch.zeros(0))
        classes = np.array([group.label for group in rows.groups])
        Y, targets = (np.asarray(labels[:, None] == classes, dtype=np.float64) for labels in (rows.y, y))
    # 3. Solve for the rows.
    synthetic = ridge_equivalent_rows(X, Y, start, targets, weight, alpha, rows.weight)
    return synthetic.reshape(-1, *problem.shape), y


def ridge_equivalent_rows(
    X: np.ndarray,
    Y: np.ndarray,
    start: np.ndarray,
    targets: np.ndarray,
    weight: np.ndarray,
    alpha: float,
    row_weight: np.ndarray | None = None,
) -> np.ndarray:
    """Return rows on which weighted ridge regression gives the same model as on all rows.

    Coefficients and intercept are equal. Let W be the coefficients on all rows, and let Z and T be
    the synthetic rows and their targets, centered and multiplied by the square roots of the
    weights. Z must solve ``Z^T (Z Z^T + alpha I)^-1 T = W``. With the singular value decomposition
    ``M = W T^+ = U S V^T``, one solution is ``V R U^T``, where
    ``R = (1 + sqrt(1 - 4 alpha S^2)) / (2 S)``. The component of the first rows that is orthogonal
    to the targets on one side and to U on the other can be added without changing the coefficients.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    Y : ndarray of shape (n, k)
        Targets: one indicator column per class, or numbers.
    start : ndarray of shape (m, d)
        First rows, which the result stays close to where the coefficients leave freedom.
    targets : ndarray of shape (m, k)
        Targets of the synthetic rows, with the same weighted mean as Y and ``4 alpha S^2 <= 1``.
        The targets of `linear_targets` fulfill both, as do labels with the weights of their
        classes.
    weight : ndarray of shape (m,)
        Positive weights of the synthetic rows, with sum n, or the sum of `row_weight`.
    alpha : float
        Regularization as in `sklearn.linear_model.Ridge`.
    row_weight : ndarray of shape (n,) or None
        Weights of the rows in X; None gives equal weights.

    Returns
    -------
    ndarray of shape (m, d)

    References
    ----------
    Chen, Huang and Weng, "Provable and efficient dataset distillation for kernel ridge regression",
    NeurIPS 2024, which treats the case without intercept and weights.
    """
    # 1. Fit all rows, and decompose the map from the weighted targets to the coefficients.
    W = _coefficients(X, Y, alpha, row_weight)
    root = np.sqrt(weight)[:, None]
    T = root * (targets - np.average(targets, axis=0, weights=weight))
    U, S, Vt = np.linalg.svd(W @ np.linalg.pinv(T), full_matrices=False)
    nonzero = S[0] * 1e-10 < S if S[0] > 0 else np.zeros(len(S), dtype=bool)
    U, S, V = U[:, nonzero], S[nonzero], Vt[nonzero].T
    # 2. Solve for the component that determines the coefficients. If all singular values of X are
    #    equal, rounding can make the argument of the square root negative.
    solution = V * ((1 + np.sqrt(np.maximum(0.0, 1 - 4 * alpha * S**2))) / (2 * S)) @ U.T
    # 3. Project the first rows onto the directions that change neither mean nor coefficients.
    free = root * start
    basis = np.linalg.qr(np.column_stack([root, T]))[0] if np.any(T) else root / np.linalg.norm(root)
    free = free - basis @ (basis.T @ free)
    free = free - (free @ U) @ U.T
    # 4. Add both components, and undo the weighting and the centering.
    rows: np.ndarray = np.average(X, axis=0, weights=row_weight) + (solution + free) / root
    return rows


def linear_targets(
    X: np.ndarray, y: np.ndarray, start: np.ndarray, alpha: float, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return targets for `ridge_equivalent_rows`: first targets, shifted and scaled.

    They get the mean of y and the standard deviation of the ridge predictions. With the standard
    deviation of y itself, rows would lie outside the data, and the farther, the less of y can be
    predicted from the features. The standard deviation is increased if ``alpha`` is large compared
    with the singular values of X, because the equation for the rows has no solution otherwise.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y, start : ndarray of shape (n,) and (m,)
        Targets of all rows, and first targets of the synthetic rows.
    alpha : float
        Regularization of the ridge regression.
    weight : ndarray of shape (n,) or None
        Weights of the rows; None gives equal weights.

    Returns
    -------
    ndarray of shape (m,)
    """
    w = _coefficients(X, y[:, None], alpha, weight)
    predicted = X @ w
    deviation, total = float(predicted.std()), float(len(X))
    if weight is not None:
        centered, total = predicted[:, 0] - np.average(predicted[:, 0], weights=weight), float(weight.sum())
        deviation = float(np.sqrt(np.average(np.square(centered), weights=weight)))
    spread = max(deviation, 2 * float(np.sqrt(alpha / total) * np.linalg.norm(w)))
    pattern = start - start.mean()
    if not pattern.any():  # all first targets are equal, so that evenly spaced ones replace them
        pattern = np.arange(len(start)) - (len(start) - 1) / 2
    scale = spread / pattern.std() if pattern.any() else 0.0
    return np.asarray(np.average(y, weights=weight) + pattern * scale)


def _coefficients(X: np.ndarray, Y: np.ndarray, alpha: float, weight: np.ndarray | None) -> np.ndarray:
    """Return the coefficients (d, k) of ridge regression with an intercept."""
    model = Ridge(alpha).fit(X, Y, sample_weight=weight)
    coefficients: np.ndarray = model.coef_.reshape(Y.shape[1], -1).T
    return coefficients
