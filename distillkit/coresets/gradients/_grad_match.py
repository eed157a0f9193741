"""GradMatch: few rows, weighted, whose gradients add up to that of all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls
from sklearn.utils._param_validation import HasMethods, Interval

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.coresets.shared._proxy import LastLayer, last_layer
from distillkit.coresets.shared._ranking import interleave, stratified
from distillkit.coresets.shared._time_budget import split_time_budget

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["GradMatchCoreset", "PursuitResult", "match_sum", "solve_weights"]

_SMALL = 1e-9  # of the largest inner product with the target: below it, no row makes the match better


class GradMatchCoreset(BaseDistiller):
    r"""Rows of each class and weights whose gradients add up to that of the whole class (GradMatch).

    With g_i the gradient of row i's loss in the last layer of a proxy model, orthogonal matching pursuit lowers

    .. math:: | \sum_{j \in S} w_j a_j - \sum_i a_i |^2 + \lambda |w|^2, \quad w \ge 0, \quad a_i = [g_i, \kappa],

    one class at a time: the row joins S whose a_j has the largest inner product with what is not matched yet, and all
    weights are solved for again by non-negative least squares. The column kappa, the root mean square length of the
    gradients, is there because weights have to sum to the rows of the class: without it they would be scaled after the
    match, and the match with them. A row whose weight becomes zero leaves S again.

    For a continuous target the classes are up to ten quantile bins of y.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`. Exactly this many rows are picked: where fewer match as well as any can, the rest is
        filled by the rows with the largest inner products, each of which counts itself alone.
    penalty : float, default=1.0
        lambda, in units of the mean squared length of the a_i. Zero lets few rows carry all the weight, which small
        coresets of a noisy target pay for.
    proxy : estimator or None, default=None
        Model with the gradients; see `CraigCoreset`.
    max_seconds : float or None, default=None
        Wall-clock budget of fit, divided over the classes by their work and checked before each pick. When it is over,
        the rest is filled as above.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Only seeds a proxy whose own `random_state` is None.

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        Solved weights, scaled to sum to the rows of each class.
    history_ : list of dict
        One per class: label, rows, size, matched (rows in S, the others are fill), error
        (``|sum_j w_j a_j - sum_i a_i| / |sum_i a_i|``), seconds.

    Notes
    -----
    Time O(n_c d c) per pick for c classes, and O(m_c^3) for weights of m_c picks that have to be solved by `nnls` of
    SciPy; memory a copy of X.
    Killamsetty et al., "GRAD-MATCH", arXiv:2103.00123.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.arange(40.0).reshape(20, 2) % 7, np.repeat([0, 1], 10)
    >>> coreset = GradMatchCoreset(budget=4, penalty=0).fit(X, y)
    >>> [round(step["error"], 1) for step in coreset.history_]
    [0.0, 0.0]
    """

    _needs_y: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "penalty": [Interval(Real, 0, None, closed="left")],
        "proxy": [HasMethods(["fit"]), None],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        penalty: float = 1.0,
        proxy: Any = None,
        max_seconds: float | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.penalty = penalty
        self.proxy = proxy
        self.max_seconds = max_seconds

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        gradients = last_layer(self.proxy, rows, run)
        rows = stratified(rows)
        picks, weights = [], []
        for group, should_stop in zip(rows.groups, split_time_budget(rows, run), strict=True):
            found = match_sum(gradients.take(group.rows), group.size, self.penalty, should_stop)
            weight, n = found.weight, len(group.rows)
            filled = group.size - len(weight)  # each counts itself; the others stand for the rest
            weight = np.concatenate([weight * ((n - filled) / weight.sum()), np.ones(filled)])
            picks.append(group.rows[np.concatenate([found.support, found.fill])])
            weights.append(weight)
            run.record(label=group.label, rows=n, size=group.size, matched=len(found.support), error=found.errors[-1])
        order = interleave([group.size for group in rows.groups])
        return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order])


@dataclass(frozen=True)
class PursuitResult:
    """Result of `match_sum`.

    Parameters
    ----------
    support : ndarray of shape (s,)
        Rows in the order they were picked.
    weight : ndarray of shape (s,)
        All positive.
    fill : ndarray of shape (size - s,)
        Rows that complete the number asked for.
    errors : list of float
        Relative length of what is not matched, before the first pick and after each.
    """

    support: np.ndarray
    weight: np.ndarray
    fill: np.ndarray
    errors: list[float]


def match_sum(
    gradients: LastLayer, size: int, penalty: float, should_stop: Callable[[], bool] | None = None
) -> PursuitResult:
    """Match the sum of all gradients by a few, with positive weights: orthogonal matching pursuit.

    Parameters
    ----------
    gradients : LastLayer
    size : int
        Rows at most, and with `fill` exactly.
    penalty : float
        Of the squared weights, in units of the mean squared length of an atom.
    should_stop : callable or None
        Asked before each pick but the first.
    """
    n = len(gradients.residual)
    unit = float(gradients.squared_norms().mean(dtype=np.float64)) or 1.0  # kappa^2: all gradients may be zero
    total = gradients.weighted_sum(np.ones(n))
    lengths = np.sqrt(gradients.squared_norms().astype(np.float64) + unit)
    target = gradients.along(total) + unit * n  # inner products of the atoms with their sum
    length = np.sqrt(np.square(total).sum() + unit * n**2)
    open_, support, weight = target, np.empty(0, dtype=np.intp), np.empty(0)
    errors, gram = [1.0], np.empty((0, 0))
    while len(support) < size and not (len(support) and should_stop is not None and should_stop()):
        gain = _without(open_ / lengths, support)  # squared, it is what this row alone could take off the error
        best = int(np.argmax(gain))
        if gain[best] <= _SMALL * length:
            break
        trial = np.append(support, best)
        gram = _grow(gram, gradients, trial, unit)
        solved = solve_weights(gram + penalty * 2 * unit * np.eye(len(trial)), target[trial])
        if solved[-1] <= 0:  # rounding alone speaks for the row
            break
        kept = solved > 0
        support, weight, gram = trial[kept], solved[kept], gram[np.ix_(kept, kept)]
        rest = total - gradients.take(support).weighted_sum(weight)
        open_ = gradients.along(rest) + unit * (n - weight.sum())
        errors.append(float(np.sqrt(np.square(rest).sum() + unit * (n - weight.sum()) ** 2) / length))
    fill = np.argsort(-_without(open_ / lengths, support), kind="stable")[: size - len(support)]
    return PursuitResult(support, weight, fill, errors)


def _without(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[rows] = -np.inf
    return values


def _grow(gram: np.ndarray, gradients: LastLayer, support: np.ndarray, unit: float) -> np.ndarray:
    """Add the last row of the support to the inner products of the others."""
    column = gradients.take(support).inner(gradients.take(support[-1:]))[:, 0].astype(np.float64) + unit
    grown = np.empty((len(support), len(support)))
    grown[:-1, :-1] = gram
    grown[-1], grown[:, -1] = column, column
    return grown


def solve_weights(gram: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Minimise ``w' gram w - 2 target' w`` over w >= 0.

    Parameters
    ----------
    gram : ndarray of shape (s, s)
        Positive semidefinite.
    target : ndarray of shape (s,)

    Returns
    -------
    ndarray of shape (s,)
    """
    rounding = np.finfo(np.float64).eps * len(gram) * np.trace(gram)
    factor = cholesky(gram + rounding * np.eye(len(gram)), lower=False)  # repeated rows make the matrix singular
    right = solve_triangular(factor, target, trans=1)
    free = solve_triangular(factor, right)
    # where the minimum over all weights is positive it is that over the positive ones, and nnls need not look for it
    return np.asarray(free if free.min() > 0 else nnls(factor, right)[0])
