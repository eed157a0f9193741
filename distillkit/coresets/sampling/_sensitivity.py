"""The sensitivity coreset, which samples rows by a bound on their part in any k-means cost."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.sampling._sampling import draw_rows
from distillkit.coresets.shared._joint_space import joint_points
from distillkit.neighbors import kmeans_plus_plus, squared_distances_to_centers

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["SensitivityCoreset", "sensitivity_bounds"]


class SensitivityCoreset(WeightedDistiller):
    """Sample rows by their sensitivity, with weights that keep k-means costs unbiased.

    The sensitivity of a row is the largest fraction of the cost of any k centers that it can have.
    It is bounded by means of an approximate solution B, k rows drawn by k-means++ (Feldman and
    Langberg). With ``a = 16 (log k + 2)``, d the distance to B, C(x) the cluster of x and c the
    mean of d^2 over all rows, the bound is

    ``s(x) = a d(x)^2 / c + 2 a mean_{C(x)} d^2 / c + 4 n / |C(x)|``.

    Rows are drawn in proportion to s, separately in each class. So outliers, rows of scattered
    clusters and rows of small clusters are drawn with high probability and get small weights.

    Exactly as many different rows as the budget allows are drawn: row i with probability
    ``pi_i = min(1, t s_i)``, where t makes these sum to the number of rows to draw. A drawn row has
    weight ``1 / pi_i``, which makes the sum of any function over the rows correct in expectation.
    If no probability reaches 1, this is the weight ``1 / (m q_i)`` of the papers, which draw with
    replacement and so may draw a row twice.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    n_clusters : int, default=10
        Number k of centers of the k-means costs to preserve. In a class with fewer rows it is the
        number of rows.
    target_weight : float, default=1.0
        Weight of a continuous target relative to the features, which it joins as one more column;
        see `KMeansCoreset`.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    feature_space : transformer, torch module, callable or None, default=None
        Space in which distances are measured. See `feature_rows`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        ``1 / pi_i``, scaled to sum to the number of rows of each class, as all weights are here.
        The scaling makes weighted means of constants exact; sums are then unbiased except for an
        error that vanishes as the budget grows.
    inclusion_probabilities_ : ndarray of shape (n,)
        Probability pi_i of each training row; over a class they sum to the number of drawn rows.
        The exactly unbiased weights are ``1 / inclusion_probabilities_[sample_indices_]``.
    history_ : list of dict
        One entry per class: label, rows, size, unscaled (sum of the unbiased weights, an estimate
        of rows), seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    LightweightCoreset : Sampling in two passes over the rows, with a weaker guarantee.

    Notes
    -----
    With independent draws, ``m = O~(k eps^-2 min(sqrt(k), eps^-2))`` rows preserve the cost of any
    k centers up to a factor 1 +- eps (Cohen-Addad et al., arXiv:2405.01339 and references there).
    Time is O(n k d). Memory is a float32 copy of the class and 320 bytes per row.

    References
    ----------
    Feldman and Langberg, "A unified framework for approximating and clustering data", STOC 2011,
    arXiv:1106.1379. Constants of s: Bachem, Lucic and Krause, arXiv:1703.06476, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.0], [0.0], [0.0], [90.0]])
    >>> coreset = SensitivityCoreset(budget=2, n_clusters=2, random_state=0).fit(X)
    >>> coreset.inclusion_probabilities_.tolist()  # the outlier is certain to be drawn
    [0.25, 0.25, 0.25, 0.25, 1.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "feature_space": FEATURE_SPACE,
    }
    _row_attributes: ClassVar[dict[str, float]] = {"inclusion_probabilities_": 0.0}
    _accepts_sparse: ClassVar[bool] = True

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
        """Return the sampling shares of the rows of one group."""
        mass = rows.mass_in(group)
        points = joint_points(rows, group, self.target_weight)
        clusters = min(self.n_clusters, len(points))
        return np.asarray(mass * sensitivity_bounds(points, clusters, mass, run.seed()))


def sensitivity_bounds(points: np.ndarray, k: int, mass: np.ndarray, seed: int) -> np.ndarray:
    """Return upper bounds on the k-means sensitivities of the rows, per unit of mass.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    k : int
        Number of centers, 1 <= k <= n.
    mass : ndarray of shape (n,)
        Positive weights of the rows; their sum takes the place of n in the formula.
    seed : int
        Seed of the k-means++ start.

    Returns
    -------
    ndarray of shape (n,)
    """
    # 1. Take an approximate solution: k rows drawn by k-means++.
    start = kmeans_plus_plus(points, k, seed=seed, weights=mass)
    squared = squared_distances_to_centers(points, points[start.indices], start.labels)
    cluster_mass = np.bincount(start.labels, weights=mass, minlength=k)
    cluster_cost = np.bincount(start.labels, weights=mass * squared, minlength=k)
    mean_cost = cluster_cost.sum() / mass.sum()
    # 2. Bound the part of each row in any cost by its own cost, and its cluster's size and cost.
    bound = 4 * mass.sum() / cluster_mass[start.labels]
    if mean_cost > 0:  # otherwise every row is a center, and only the cluster sizes count
        factor = 16 * (np.log(k) + 2)
        bound += (
            factor * squared / mean_cost
            + 2 * factor * cluster_cost[start.labels] / cluster_mass[start.labels] / mean_cost
        )
    return np.asarray(bound)
