"""The leverage coreset, which samples rows by their influence on a least-squares fit."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.linalg import cholesky, eigh, solve_triangular
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller
from distillkit.coresets.sampling._sampling import inclusion_probabilities, systematic_sample
from distillkit.coresets.shared._ranking import interleave
from distillkit.utils._moments import column_means

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["LeverageCoreset", "leverage_scores"]


class LeverageCoreset(WeightedDistiller):
    """Sample rows in proportion to their leverage on a least-squares fit, with unbiased weights.

    The leverage of row i is ``h_ii = x_i' (X'X)^+ x_i`` with ``x_i = [features, 1]``: the weight of
    its own target in its prediction. Rows are drawn without replacement with the probabilities

    ``pi_i = min(1, t ((1 - uniform) h_ii / sum h + uniform / n))``,

    where t makes them sum to the number of rows to draw. A drawn row has weight ``1 / pi_i``, so
    that sums over rows, and with them ``X'X`` and ``X'y``, are correct in expectation. Each class
    is sampled by itself, with the leverages within the class; a continuous target, or none, makes
    one group of all rows. A row of weight w counts as w equal rows:
    ``h_ii = w_i x_i' (X'WX)^+ x_i``, its share of the weights takes the place of ``1 / n``, and if
    drawn it has weight ``w_i / pi_i``.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    uniform : float, default=0.5
        Proportion of uniform sampling in [0, 1]. No weight exceeds ``n / (m uniform)``. With 0, a
        row of small leverage that happens to be drawn outweighs all others.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    scores_ : ndarray of shape (n,)
        Leverages in [0, 1]; over a class they sum to the rank of its rows.
    inclusion_probabilities_ : ndarray of shape (n,)
        Probability pi_i of each training row; over a class they sum to the number of drawn rows.
    sample_weight_ : ndarray of shape (m,)
        ``1 / pi_i``, scaled to sum to the number of rows of each class, as all weights are here.
        The exactly unbiased weights are ``1 / inclusion_probabilities_``.

    Notes
    -----
    Time is O(n d^2), for matrix products and one eigendecomposition per class (over columns, or
    over rows if there are fewer). Memory is ``24 n_c d`` bytes for the largest class of n_c rows.
    If a class has as many independent columns as rows, every leverage is 1 and the sample is
    uniform.

    References
    ----------
    Leverage scores: Drineas, Mahoney and Muthukrishnan, SODA 2006; mixed with uniform sampling: Ma,
    Mahoney and Yu, arXiv:1306.5362. Samples of fixed size with given probabilities: Madow 1949
    (systematic sampling in random order). Weights: Horvitz and Thompson 1952.

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
    _row_attributes: ClassVar[dict[str, float]] = {"scores_": 0.0, "inclusion_probabilities_": 0.0}

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
            leverage, mass = leverage_scores(X[group.rows], rows.weight_in(group)), rows.mass_in(group)
            shares = (1 - self.uniform) * leverage / leverage.sum() + self.uniform * mass / mass.sum()
            included = inclusion_probabilities(shares, group.size)
            drawn = systematic_sample(included, group.size, run.rng)
            self.scores_[group.rows], self.inclusion_probabilities_[group.rows] = leverage, included
            picks.append(group.rows[drawn])
            weight = mass[drawn] / included[drawn]
            weights.append(weight * (mass.sum() / weight.sum()))
        order = interleave([group.size for group in rows.groups])
        return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order])


def leverage_scores(X: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return the diagonal of the projection onto the columns of [X, 1], which may be dependent.

    With weights it is the projection onto the columns multiplied by their square roots.

    The columns are centered and scaled to unit length. Directions whose length is then below the
    square root of the rounding error are treated as linearly dependent.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weight : ndarray of shape (n,) or None
        Positive weights of the rows; None gives equal weights.

    Returns
    -------
    ndarray of shape (n,)
        Leverages in [0, 1]; they sum to the rank of [X, 1].
    """
    # 1. Center the columns and scale them to unit length, so that units do not affect the rank.
    is_variable = X.max(axis=0) > X.min(axis=0)
    design = np.ones((len(X), int(is_variable.sum()) + 1))
    variable = X[:, is_variable]
    np.subtract(variable, column_means(variable, weight), out=design[:, :-1])
    if weight is not None:
        design *= np.sqrt(weight / weight.max())[:, None]
    length = np.sqrt(np.einsum("ij,ij->j", design, design))
    design /= np.where(length > 0, length, 1)
    # 2. With more columns than rows, the projection follows from the Gram matrix of the rows.
    if design.shape[1] > len(X):
        values, vectors = eigh(design @ design.T)
        independent = values > values[-1] * np.finfo(np.float64).eps * max(design.shape)
        return np.asarray(np.square(vectors[:, independent]).sum(axis=1))
    # 3. Otherwise build an orthonormal basis of the columns, without dependent directions.
    values, vectors = eigh(design.T @ design)
    independent = values > values[-1] * np.finfo(np.float64).eps * max(design.shape)
    basis = design @ (vectors[:, independent] / np.sqrt(values[independent]))
    # Squaring loses half of the digits. Orthogonalizing a second time restores them (Cholesky QR2).
    basis = solve_triangular(cholesky(basis.T @ basis), basis.T, trans=1)
    return np.asarray(np.clip(np.einsum("ij,ij->j", basis, basis), 0, 1))
