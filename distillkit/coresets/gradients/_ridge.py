"""A ridge model that grows by one row at a time, with the effect of adding or removing rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

__all__ = ["RidgeState", "leave_one_out_increase"]

_BLOCK = 4096


@dataclass
class _Step:
    """The quantities of a selected row s that update those of the other rows; see `RidgeState`."""

    b: np.ndarray  # P x_s, before the update
    w: np.ndarray  # P C b
    gamma: float  # 1 + x_s' P x_s
    beta: float  # b' C b
    error: np.ndarray  # e_s, before the update
    g: np.ndarray  # G' b, after the update


class _ClassRows:
    """The rows of one class with their quantities, updated when it is the turn of the class."""

    def __init__(self, numbers: np.ndarray, X: np.ndarray, Y: np.ndarray, state: RidgeState) -> None:
        self.numbers = numbers
        self.X = X[numbers]
        self.error = Y[numbers].astype(np.float64)
        self.h = np.einsum("ij,ij->i", self.X, self.X, dtype=np.float64) / state.alpha  # x' P x, P = I / alpha
        projected = self.X @ state.hessian.astype(self.X.dtype)
        self.q = np.einsum("ij,ij->i", projected, self.X, dtype=np.float64) / state.alpha**2  # x' P C P x
        self.m = (self.X @ state.gradient.astype(self.X.dtype)).astype(np.float64) / state.alpha  # x' P G
        self.length = np.sqrt(self.h * state.alpha)
        self.is_free = np.ones(len(numbers), dtype=bool)
        self.n_applied = 0

    def apply(self, steps: list[_Step]) -> None:
        """Apply the selections since the last turn, with one matrix product for all of them."""
        steps, self.n_applied = steps[self.n_applied :], len(steps)
        if not steps:
            return
        directions = np.column_stack([step.b for step in steps] + [step.w for step in steps])
        projections = (self.X @ directions.astype(self.X.dtype)).astype(np.float64)
        for number, step in enumerate(steps):
            u, z = projections[:, number], projections[:, len(steps) + number]
            ratio = u / step.gamma
            self.h -= u * ratio
            self.q += ratio * (ratio * step.beta - 2 * z)
            self.m -= np.outer(z / step.gamma, step.error) + np.outer(ratio, step.g)
            self.error -= np.outer(ratio, step.error)

    def scores(self, kind: str) -> np.ndarray:
        """Return the score of each row, shape (n_class,); minus infinity for selected rows."""
        squares = np.einsum("ij,ij->i", self.error, self.error)
        if kind == "gradient":
            score = self.length * np.sqrt(squares)
        else:
            squared_change = squares * np.maximum(self.q, 0) / (1 + self.h) ** 2  # |X Delta_j|^2
            if kind == "sensitivity":
                score = squared_change
            else:
                score = 2 * np.einsum("ij,ij->i", self.m, self.error) / (1 + self.h) - squared_change
        return np.where(self.is_free, score, -np.inf)


class RidgeState:
    """The ridge model of the rows selected so far, and its squared error over all rows.

    With S the selected rows, ``P = (alpha I + X_S' X_S)^-1``, ``C = X' X`` and
    ``G = X' (Y - X theta_S)``, adding row j changes theta by ``P x_j e_j' / (1 + h_j)`` with
    ``h_j = x_j' P x_j``, and decreases the squared error over all rows by

    ``2 e_j . m_j / (1 + h_j) - |e_j|^2 q_j / (1 + h_j)^2``, ``q_j = x_j' P C P x_j``,
    ``m_j = G' P x_j``.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    Y : ndarray of shape (n, c)
    alpha : float
        Penalty of the ridge model.
    groups : list of ndarray
        Positions of the rows of each class.
    weight : ndarray of shape (n,) or None
        Weights w of the rows in the squared error over all rows: ``C = X' W X``, and G likewise.
    """

    def __init__(
        self, X: np.ndarray, Y: np.ndarray, alpha: float, groups: list[np.ndarray], weight: np.ndarray | None = None
    ) -> None:
        self.alpha = alpha
        self.hessian, self.gradient = _products(X, Y, weight)  # C, and G at theta = 0
        self.inverse = np.eye(X.shape[1]) / alpha
        self.loss = float(np.square(Y).sum() if weight is None else weight @ np.square(Y).sum(axis=1))
        self.rows = [_ClassRows(numbers, X, Y, self) for numbers in groups]
        self.steps: list[_Step] = []

    def scores(self, group: int, kind: str) -> np.ndarray:
        """Return the current score of each row of a class for the next selection."""
        self.rows[group].apply(self.steps)
        return self.rows[group].scores(kind)

    def pick(self, group: int, kind: str) -> int:
        """Add the best row of a class to the model, and return its position among all rows."""
        rows = self.rows[group]
        best = int(np.argmax(self.scores(group, kind)))
        rows.is_free[best] = False
        self._add(rows.X[best].astype(np.float64), rows.error[best].copy())
        return int(rows.numbers[best])

    def fill(self, turns: np.ndarray, kind: str) -> list[int]:
        """Return the best rows of each class by its last scores, without updating the model."""
        order = [iter(np.argsort(-rows.scores(kind), kind="stable")) for rows in self.rows]
        return [int(self.rows[turn].numbers[next(order[turn])]) for turn in turns]

    def _add(self, x: np.ndarray, error: np.ndarray) -> None:
        """Update the inverse Hessian, the gradient and the loss by the Sherman-Morrison formula."""
        b = self.inverse @ x
        gamma = 1 + float(x @ b)
        Cb = self.hessian @ b
        beta = float(b @ Cb)
        step = error / gamma  # theta changes by the outer product of b and this
        self.loss += beta * float(step @ step) - 2 * float((self.gradient.T @ b) @ step)
        self.gradient -= np.outer(Cb, step)
        w = self.inverse @ Cb
        self.inverse -= np.outer(b, b / gamma)
        self.steps.append(_Step(b, w, gamma, beta, error, self.gradient.T @ b))


def _products(X: np.ndarray, Y: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return X'WX and X'WY in float64, computed block by block; None gives equal weights."""
    squares, cross = np.zeros((X.shape[1], X.shape[1])), np.zeros((X.shape[1], Y.shape[1]))
    for start in range(0, len(X), _BLOCK):
        block = X[start : start + _BLOCK].astype(np.float64)
        weighted = block if weight is None else block * weight[start : start + _BLOCK, None]
        squares += weighted.T @ block
        cross += weighted.T @ Y[start : start + _BLOCK]
    return squares, cross


def leave_one_out_increase(
    X: np.ndarray, Y: np.ndarray, hessian: np.ndarray, alpha: float, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the increase of the squared error over all rows when one row is left out of the fit.

    Without row i, theta changes by ``-P x_i e_i' / (1 - h_i)`` with ``P = (alpha I + X'X)^-1`` and
    ``h_i = x_i' P x_i``. With weights, ``C = X' W X``, and the whole row of weight w_i is left out:
    theta changes by ``-w_i P x_i e_i' / (1 - w_i h_i)``.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    Y : ndarray of shape (n, c)
    hessian : ndarray of shape (d, d)
        X'X.
    alpha : float
        Penalty of the ridge model.
    weight : ndarray of shape (n,) or None
        Weights of the rows in the fit and in the error.

    Returns
    -------
    ndarray of shape (n,)
    """
    factor: Any = cho_factor(hessian + alpha * np.eye(len(hessian)))
    inverse = cho_solve(factor, np.eye(len(hessian)))
    theta = cho_solve(factor, _products(X, Y, weight)[1])
    increase = np.empty(len(X))
    for start in range(0, len(X), _BLOCK):
        block = slice(start, start + _BLOCK)
        rows = X[block].astype(np.float64)
        error = Y[block] - rows @ theta
        projected = rows @ inverse  # rows of P x_i
        h = np.einsum("ij,ij->i", projected, rows)
        quadratic = h - alpha * np.einsum("ij,ij->i", projected, projected)  # x' P C P x, with C = 1 / P - alpha
        # G = X'(Y - X theta) is alpha theta at the optimum
        linear = alpha * np.einsum("ij,ij->i", projected @ theta, error)
        squares = np.einsum("ij,ij->i", error, error)
        # Leaving out w_i rows of a kind changes theta by w_i / (1 - w_i h_i) of P x_i e_i'.
        step = 1 / (1 - h) if weight is None else weight[block] / (1 - weight[block] * h)
        increase[block] = 2 * linear * step + squares * quadratic * step**2
    return increase
