"""Rows drawn by an upper bound of what each may contribute to any k-means cost."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.sampling._sampling import draw_rows
from distillkit.coresets.shared._joint_space import joint_points
from distillkit.neighbors import kmeans_plus_plus, squared_distances_to_centers

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["SensitivityCoreset", "sensitivity_bounds"]


class SensitivityCoreset(BaseDistiller):
    """Rows drawn by their sensitivity, with weights that keep every k-means cost unbiased (Feldman and Langberg).

    The sensitivity of a row is the largest share that it can have in the cost of any k centres. An upper bound comes
    from a solution that is good enough, k rows B drawn by k-means++: with ``a = 16 (log k + 2)``, d the distance to B,
    C(x) the rows of x's nearest centre and c the mean of d^2 over all rows,

    ``s(x) = a d(x)^2 / c + 2 a mean_{C(x)} d^2 / c + 4 n / |C(x)|``.

    Rows are drawn in proportion to s, in each class apart. So far rows, rows of loose clusters and rows of small clusters
    are likely to be there, and weigh little.

    Exactly as many different rows as wanted are drawn: row i with probability ``pi_i = min(1, t s_i)``, t such that
    these sum to the rows wanted. A drawn row weighs ``1 / pi_i``, the weight that makes sums of any function over the
    rows right in expectation; where no probability reaches 1 that is the ``1 / (m q_i)`` of the papers, which draw with
    replacement and so may draw a row twice.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    n_clusters : int, default=10
        k of the k-means costs that are to be kept; in a class with fewer rows, as many as it has.
    target_weight : float, default=1.0
        Weight of a continuous target beside the features, which it then joins as one more column; see `KMeansCoreset`.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    feature_space : transformer, torch module, callable or None, default=None
        Where distances are taken. See `feature_rows`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        ``1 / pi_i``, scaled to sum to the rows of each class, as all weights are here. The scaling makes weighted means
        exact for constants; sums are then no longer unbiased, but for an error that vanishes with the budget.
    inclusion_probabilities_ : ndarray of shape (n,)
        pi_i of every row; over a class they sum to the rows drawn. Exactly unbiased weights of the distilled rows are
        ``1 / inclusion_probabilities_[sample_indices_]``.
    history_ : list of dict
        One per class: label, rows, size, unscaled (the sum of the unbiased weights, an estimate of rows), seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    LightweightCoreset : The same in two passes over the rows, with a weaker guarantee.

    Notes
    -----
    With independent draws, ``m = O~(k eps^-2 min(sqrt(k), eps^-2))`` rows keep the cost of any k centres to a factor
    1 +- eps (Cohen-Addad et al., arXiv:2405.01339 and references there). Time O(n k d); memory a float32 copy of the
    class and 320 bytes per row. Feldman and Langberg, STOC 2011, arXiv:1106.1379; constants of s: Bachem, Lucic and Krause,
    arXiv:1703.06476, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.0], [0.0], [0.0], [90.0]])
    >>> coreset = SensitivityCoreset(budget=2, n_clusters=2, random_state=0).fit(X)
    >>> coreset.inclusion_probabilities_.tolist()  # the lone row is certain to be there
    [0.25, 0.25, 0.25, 0.25, 1.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "feature_space": FEATURE_SPACE,
    }
    _weighs_rows: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        n_clusters: int = 10,
        target_weight: float = 1.0,
        task: str = "auto",
        feature_space: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.n_clusters = n_clusters
        self.target_weight = target_weight
        self.feature_space = feature_space

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        shares = [self._share(rows, group, run) for group in rows.groups]
        outcome, self.inclusion_probabilities_ = draw_rows(rows, run, shares)
        return outcome

    def _share(self, rows: TrainingRows, group: Group, run: Run) -> np.ndarray:
        mass = np.ones(len(group.rows)) if rows.weight is None else rows.weight[group.rows]
        points = joint_points(rows, group, self.target_weight)
        clusters = min(self.n_clusters, len(points))
        return np.asarray(mass * sensitivity_bounds(points, clusters, mass, run.seed()))


def sensitivity_bounds(points: np.ndarray, k: int, mass: np.ndarray, seed: int) -> np.ndarray:
    """Return upper bounds of the rows' sensitivities for k-means, per unit of mass.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    k : int
        1 <= k <= n.
    mass : ndarray of shape (n,)
        Positive; n is their sum in the formula.
    seed : int

    Returns
    -------
    ndarray of shape (n,)
    """
    start = kmeans_plus_plus(points, k, seed=seed, weights=mass)
    squared = squared_distances_to_centers(points, points[start.indices], start.labels)
    in_cluster = np.bincount(start.labels, weights=mass, minlength=k)
    cost = np.bincount(start.labels, weights=mass * squared, minlength=k)
    mean = cost.sum() / mass.sum()
    bound = 4 * mass.sum() / in_cluster[start.labels]
    if mean > 0:  # else every row lies on a centre, and only the sizes of the clusters count
        factor = 16 * (np.log(k) + 2)
        bound += factor * squared / mean + 2 * factor * cost[start.labels] / in_cluster[start.labels] / mean
    return np.asarray(bound)
