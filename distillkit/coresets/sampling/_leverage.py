"""Leverage scores: rows that a least-squares fit leans on."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.linalg import cholesky, eigh, solve_triangular
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome
from distillkit.coresets.sampling._sampling import inclusion_probabilities, systematic_sample
from distillkit.coresets.shared._ranking import interleave

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["LeverageCoreset", "leverage_scores"]


class LeverageCoreset(BaseDistiller):
    """Rows drawn in proportion to their leverage on a least-squares fit, with weights that keep its sums unbiased.

    The leverage of row i is ``h_ii = x_i' (X'X)^+ x_i`` with ``x_i = [features, 1]``: the share of its own target in its
    prediction. Rows are drawn without replacement with probabilities

    ``pi_i = min(1, t ((1 - uniform) h_ii / sum h + uniform / n))``, t such that they sum to the rows wanted,

    and weigh ``1 / pi_i``: sums over rows, and with them ``X'X`` and ``X'y``, are right in expectation. Classes are
    sampled each by itself, with leverages in the class; a continuous target, or none, makes one group of all rows.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    uniform : float, default=0.5
        Share of plain random sampling in [0, 1]; no weight is above ``n / (m uniform)``. With 0, a row of small leverage
        that is drawn by chance outweighs all others.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    scores_ : ndarray of shape (n,)
        Leverages in [0, 1]; over a class they sum to the rank of its rows.
    inclusion_probabilities_ : ndarray of shape (n,)
        pi_i; over a class they sum to the rows drawn.
    sample_weight_ : ndarray of shape (m,)
        ``1 / pi_i``, scaled to sum to the rows of each class as all weights are: ``1 / inclusion_probabilities_`` are
        the exactly unbiased ones.

    Notes
    -----
    Time O(n d^2), by products and one eigendecomposition of the columns of a class (of its rows where these are
    fewer); memory ``24 n_c d`` bytes for the largest class of n_c rows. With n_c independent columns every leverage is
    1, and the sample is a plain random one.
    Drineas, Mahoney and Muthukrishnan, SODA 2006; mixed with uniform sampling: Ma, Mahoney and Yu, arXiv:1306.5362.
    Fixed sample sizes with given probabilities: Madow 1949 (systematic sampling in random order); weights:
    Horvitz and Thompson 1952.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.0], [0.0], [10.0]])
    >>> coreset = LeverageCoreset(budget=2, random_state=0).fit(X, np.array([0.1, 0.2, 0.3, 9.9]))
    >>> coreset.scores_.round(6).tolist()
    [0.333333, 0.333333, 0.333333, 1.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        "uniform": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self, budget: Any = 0.1, *, uniform: float = 0.5, task: str = "auto", random_state: Any = None
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.uniform = uniform

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        X, n = rows.flat, len(rows.X)
        self.scores_, self.inclusion_probabilities_ = np.empty(n), np.empty(n)
        picks, weights = [], []
        for group in rows.groups:
            leverage = leverage_scores(X[group.rows])
            share = (1 - self.uniform) * leverage / leverage.sum() + self.uniform / len(leverage)
            included = inclusion_probabilities(share, group.size)
            found = systematic_sample(included, group.size, run.rng)
            self.scores_[group.rows], self.inclusion_probabilities_[group.rows] = leverage, included
            picks.append(group.rows[found])
            weight = 1 / included[found]
            weights.append(weight * (len(leverage) / weight.sum()))
        order = interleave([group.size for group in rows.groups])
        return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order])


def leverage_scores(X: np.ndarray) -> np.ndarray:
    """Diagonal of the projection onto the columns of [X, 1], dependent ones allowed.

    Directions in which the columns, centred and scaled to one length, are shorter than the root of rounding are taken
    for dependence.

    Parameters
    ----------
    X : ndarray of shape (n, d)

    Returns
    -------
    ndarray of shape (n,)
        In [0, 1]; sums to the rank.
    """
    varies = X.max(axis=0) > X.min(axis=0)
    design = np.ones((len(X), int(varies.sum()) + 1))
    np.subtract(X[:, varies], X[:, varies].mean(axis=0, dtype=np.float64), out=design[:, :-1])
    # columns of length one, so that units do not decide which of them are taken for dependent
    length = np.sqrt(np.einsum("ij,ij->j", design, design))
    design /= np.where(length > 0, length, 1)
    if design.shape[1] > len(X):  # the same projection from the side of the rows
        values, vectors = eigh(design @ design.T)
        kept = values > values[-1] * np.finfo(np.float64).eps * max(design.shape)
        return np.asarray(np.square(vectors[:, kept]).sum(axis=1))
    values, vectors = eigh(design.T @ design)
    kept = values > values[-1] * np.finfo(np.float64).eps * max(design.shape)
    basis = design @ (vectors[:, kept] / np.sqrt(values[kept]))
    # squares have lost half of the digits: made orthogonal once more, the basis has them all (Cholesky QR, twice)
    basis = solve_triangular(cholesky(basis.T @ basis), basis.T, trans=1)
    return np.asarray(np.clip(np.einsum("ij,ij->j", basis, basis), 0, 1))
