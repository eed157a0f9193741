"""The GradMatch coreset, whose weighted gradients sum to the gradient of all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls
from sklearn.utils._param_validation import HasMethods, Interval

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller, iterative_constraints
from distillkit.coresets.shared._proxy import LastLayer, last_layer
from distillkit.coresets.shared._ranking import interleave, stratified
from distillkit.coresets.shared._time_budget import split_time_budget

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["GradMatchCoreset", "PursuitResult", "match_sum", "solve_weights"]

_TOLERANCE = 1e-9  # smallest relevant correlation of a row with the residual, relative to the target


class GradMatchCoreset(WeightedDistiller):
    r"""Select and weight rows of each class so that their gradients sum to that of the class.

    With g_i the gradient of row i's loss in the last layer of a proxy model, orthogonal matching
    pursuit (GradMatch) minimizes

    .. math::

        | \sum_{j \in S} w_j a_j - \sum_i a_i |^2 + \lambda |w|^2,
        \quad w \ge 0, \quad a_i = [g_i, \kappa],

    one class at a time. Each step adds to S the row whose a_j has the largest inner product with
    the residual, and solves for all weights again by non-negative least squares. The constant
    column kappa, the root mean square length of the gradients, favors weights that sum to the
    number of rows of the class; without it, scaling the weights to this sum afterwards would
    degrade the match. A row whose weight becomes zero is removed from S.

    For a continuous target, up to ten quantile bins of y take the place of the classes. Weights of
    the rows weight the sum over i, the root mean square and the rows of the proxy.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`. Exactly this many rows are selected. If fewer rows suffice for the best
        possible match, the rows with the next largest inner products are added with weight 1.
    penalty : float, default=1.0
        The factor lambda, in units of the mean squared length of the a_i. With 0, few rows can get
        almost all of the weight, which harms small coresets of a noisy target.
    proxy : estimator or None, default=None
        Model of the gradients; see `CraigCoreset`.
    max_seconds : float or None, default=None
        Wall-clock budget of fit, divided over the classes in proportion to their work and checked
        before each selection. When the time is over, the remaining rows are added with weight 1, as
        above.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Only seeds a proxy whose own `random_state` is None.

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        Solved weights, scaled to sum to the number of rows of each class.
    history_ : list of dict
        One entry per class: label, rows, size, matched (number of rows in S; the others were added
        with weight 1), error (``|sum_j w_j a_j - sum_i a_i| / |sum_i a_i|``), seconds.

    Notes
    -----
    Time is O(n_c d c) per selected row for c classes, and O(m_c^3) for the weights of m_c selected
    rows if they have to be solved by `nnls` of SciPy. Memory is a copy of X.

    References
    ----------
    Killamsetty et al., "GRAD-MATCH: Gradient matching based data subset selection",
    arXiv:2103.00123.

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
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.penalty = penalty
        self.proxy = proxy
        self.max_seconds = max_seconds
        self.verbose = verbose

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        gradients = last_layer(self.proxy, rows, run)
        rows = stratified(rows)
        picks, weights = [], []
        for group, should_stop in zip(rows.groups, split_time_budget(rows.groups, run), strict=True):
            mass = rows.mass_in(group)
            match = match_sum(gradients.take(group.rows), group.size, self.penalty, should_stop, mass)
            # Added rows represent themselves; the matched rows share the weight of all the others.
            added = mass[match.fill]
            rest = match.weight * ((mass.sum() - added.sum()) / match.weight.sum())
            weight = np.concatenate([rest, added])
            picks.append(group.rows[np.concatenate([match.support, match.fill])])
            weights.append(weight)
            run.record(
                label=group.label,
                rows=len(group.rows),
                size=group.size,
                matched=len(match.support),
                error=match.errors[-1],
            )
        order = interleave([group.size for group in rows.groups])
        return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order])


@dataclass(frozen=True)
class PursuitResult:
    """Result of `match_sum`.

    Parameters
    ----------
    support : ndarray of shape (s,)
        Selected rows in the order of their selection.
    weight : ndarray of shape (s,)
        Their weights, all positive.
    fill : ndarray of shape (size - s,)
        Further rows that complete the requested number.
    errors : list of float
        Relative length of the residual, before the first selection and after each.
    """

    support: np.ndarray
    weight: np.ndarray
    fill: np.ndarray
    errors: list[float]


def match_sum(
    gradients: LastLayer,
    size: int,
    penalty: float,
    should_stop: Callable[[], bool] | None = None,
    mass: np.ndarray | None = None,
) -> PursuitResult:
    """Approximate the (weighted) sum of all gradients by few gradients with positive weights.

    The algorithm is orthogonal matching pursuit with non-negative least squares.

    Parameters
    ----------
    gradients : LastLayer
    size : int
        Number of rows to return, those of `fill` included.
    penalty : float
        Factor of the squared weights, in units of the mean squared length of an atom.
    should_stop : callable or None
        Called before each selection but the first; True ends the search.
    mass : ndarray of shape (n,) or None
        Weights of the gradients in their sum; None gives equal weights.

    Returns
    -------
    PursuitResult
    """
    mass = np.ones(len(gradients.residual)) if mass is None else mass
    n = float(mass.sum())
    # 1. The atoms a_i = [g_i, kappa] and their sum, which is the target.
    squares = gradients.squared_norms().astype(np.float64)
    kappa_squared = float(np.average(squares, weights=mass)) or 1.0  # 1 if all gradients are zero
    total = gradients.weighted_sum(mass)
    lengths = np.sqrt(squares + kappa_squared)
    target = gradients.along(total) + kappa_squared * n  # inner products of the atoms with their sum
    target_length = np.sqrt(np.square(total).sum() + kappa_squared * n**2)
    correlation, support, weight = target, np.empty(0, dtype=np.intp), np.empty(0)
    errors, gram = [1.0], np.empty((0, 0))
    while len(support) < size and not (len(support) and should_stop is not None and should_stop()):
        # 2. Find the atom most correlated with the residual. The square of its score is the
        #    reduction of the squared error by this atom alone.
        scores = _without(correlation / lengths, support)
        best = int(np.argmax(scores))
        if scores[best] <= _TOLERANCE * target_length:
            break
        # 3. Solve for the weights of all selected atoms, and drop those whose weight becomes zero.
        candidates = np.append(support, best)
        gram = _extended_gram(gram, gradients, candidates, kappa_squared)
        candidate_weight = solve_weights(
            gram + penalty * 2 * kappa_squared * np.eye(len(candidates)), target[candidates]
        )
        if candidate_weight[-1] <= 0:  # only rounding errors favor the row
            break
        positive = candidate_weight > 0
        support, weight, gram = candidates[positive], candidate_weight[positive], gram[np.ix_(positive, positive)]
        # 4. Update the residual and its correlation with all atoms.
        residual = total - gradients.take(support).weighted_sum(weight)
        correlation = gradients.along(residual) + kappa_squared * (n - weight.sum())
        errors.append(
            float(np.sqrt(np.square(residual).sum() + kappa_squared * (n - weight.sum()) ** 2) / target_length)
        )
    fill = np.argsort(-_without(correlation / lengths, support), kind="stable")[: size - len(support)]
    return PursuitResult(support, weight, fill, errors)


def _without(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the values with minus infinity at the given rows."""
    values = values.copy()
    values[rows] = -np.inf
    return values


def _extended_gram(gram: np.ndarray, gradients: LastLayer, support: np.ndarray, kappa_squared: float) -> np.ndarray:
    """Extend the Gram matrix by the inner products with the last row of the support."""
    column = gradients.take(support).inner(gradients.take(support[-1:]))[:, 0].astype(np.float64) + kappa_squared
    extended = np.empty((len(support), len(support)))
    extended[:-1, :-1] = gram
    extended[-1], extended[:, -1] = column, column
    return extended


def solve_weights(gram: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Minimize ``w' gram w - 2 target' w`` over w >= 0.

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
    factor = cholesky(gram + rounding * np.eye(len(gram)), lower=False)  # duplicates make it singular
    transformed = solve_triangular(factor, target, trans=1)
    unconstrained = solve_triangular(factor, transformed)
    # A positive unconstrained minimum is also the constrained one, which saves the slower nnls.
    return np.asarray(unconstrained if unconstrained.min() > 0 else nnls(factor, transformed)[0])
