"""The closed form for a linear feature map: a few rows on which ridge regression gives exactly what it gives on all."""

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
    """Return rows in the units of the data, and their labels or numbers.

    Parameters
    ----------
    problem : Problem
    init : str or distiller
        Where rows start that are more than the coefficients need.
    alpha : float
    run : Run

    Warns
    -----
    DistillkitWarning
        If a continuous target gets one row in all, which tells a mean but no slope.
    """
    rows = problem.rows
    assert rows.y is not None
    X = rows.flat.astype(np.float64)
    parts = first_rows(init, problem, run)
    start = np.concatenate([part.reshape(len(part), -1) for part, _ in parts])
    weight = rows_per_label(rows)
    if rows.task == "regression":
        if len(start) == 1:
            warnings.warn(
                "budget=1 gives one row in all, which tells the mean of y but no slope: give budget=2 or more.",
                DistillkitWarning,
                stacklevel=5,
            )
        y = linear_targets(X, rows.y.astype(np.float64), np.asarray(parts[0][1]), alpha)
        Y, targets = rows.y.astype(np.float64)[:, None], y[:, None]
    else:
        y, _ = row_labels(problem, torch.zeros(0))
        classes = np.array([group.label for group in rows.groups])
        Y, targets = (np.asarray(labels[:, None] == classes, dtype=np.float64) for labels in (rows.y, y))
    made = ridge_equivalent_rows(X, Y, start, targets, weight, alpha)
    return made.reshape(-1, *problem.shape), y


def ridge_equivalent_rows(
    X: np.ndarray, Y: np.ndarray, start: np.ndarray, targets: np.ndarray, weight: np.ndarray, alpha: float
) -> np.ndarray:
    """Return rows whose weighted ridge regression has the coefficients and the intercept of that on all rows.

    With W the coefficients on all rows, rows and targets centred and multiplied by the roots of the weights, the rows Z must solve
    ``Z^T (Z Z^T + alpha I)^-1 T = W``. With ``M = W T^+ = U S V^T`` one solution is ``V R U^T``, where
    ``R = (1 + sqrt(1 - 4 alpha S^2)) / (2 S)``. What the start has across the targets (V) and across the coefficients (U) can be
    added without a change of the coefficients.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    Y : ndarray of shape (n, k)
        Targets: one column per class, or numbers.
    start : ndarray of shape (m, d)
        Rows to stay near to, where there are more than the coefficients need.
    targets : ndarray of shape (m, k)
        Of the same weighted mean as Y, and such that ``4 alpha S^2 <= 1``, as those of `linear_targets` and labels with the weights
        of their classes are.
    weight : ndarray of shape (m,)
        Positive, with sum n.
    alpha : float
        As of `sklearn.linear_model.Ridge`.

    Returns
    -------
    ndarray of shape (m, d)

    References
    ----------
    Chen, Huang and Weng, "Provable and efficient dataset distillation for kernel ridge regression", NeurIPS 2024; there without
    intercept and weights.
    """
    W = _coefficients(X, Y, alpha)
    root = np.sqrt(weight)[:, None]
    T = root * (targets - np.average(targets, axis=0, weights=weight))
    U, S, Vt = np.linalg.svd(W @ np.linalg.pinv(T), full_matrices=False)
    used = S[0] * 1e-10 < S if S[0] > 0 else np.zeros(len(S), dtype=bool)
    U, S, V = U[:, used], S[used], Vt[used].T
    # rounding can take the root's argument below zero, where all singular values of X are equal
    solved = V * ((1 + np.sqrt(np.maximum(0.0, 1 - 4 * alpha * S**2))) / (2 * S)) @ U.T
    free = root * start
    taken = np.linalg.qr(np.column_stack([root, T]))[0] if np.any(T) else root / np.linalg.norm(root)
    free = free - taken @ (taken.T @ free)
    free = free - (free @ U) @ U.T
    rows: np.ndarray = X.mean(axis=0) + (solved + free) / root
    return rows


def linear_targets(X: np.ndarray, y: np.ndarray, start: np.ndarray, alpha: float) -> np.ndarray:
    """Return targets for `ridge_equivalent_rows`: those of a start, with the mean of y and the spread of the ridge predictions.

    With the spread of y instead, rows would lie outside the data, the farther the less of y their features tell. The spread
    is raised where ``alpha`` is large beside the singular values of X, since no rows solve the equation otherwise.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y, start : ndarray of shape (n,) and (m,)
    alpha : float

    Returns
    -------
    ndarray of shape (m,)
    """
    w = _coefficients(X, y[:, None], alpha)
    spread = max(float((X @ w).std()), 2 * float(np.sqrt(alpha / len(X)) * np.linalg.norm(w)))
    pattern = start - start.mean()
    if not pattern.any():  # all alike: any pattern will do
        pattern = np.arange(len(start)) - (len(start) - 1) / 2
    return y.mean() + pattern * (spread / pattern.std() if pattern.any() else 0.0)  # type: ignore[no-any-return]


def _coefficients(X: np.ndarray, Y: np.ndarray, alpha: float) -> np.ndarray:
    found: np.ndarray = Ridge(alpha).fit(X, Y).coef_.reshape(Y.shape[1], -1).T
    return found
