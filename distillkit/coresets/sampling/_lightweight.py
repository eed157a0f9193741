"""The lightweight coreset, which samples rows by their distance to the mean in two passes."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.sampling._sampling import draw_rows
from distillkit.coresets.sampling._two_pass import squared_distances_to_means

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["LightweightCoreset", "lightweight_share"]


class LightweightCoreset(WeightedDistiller):
    """Sample rows by their distance to the mean, with weights that keep k-means costs unbiased.

    In a class of n rows with mean mu, row i has the sampling share

    ``q_i = 1 / (2 n) + |x_i - mu|^2 / (2 sum_j |x_j - mu|^2)``.

    Exactly as many different rows as the budget allows are drawn: row i with probability
    ``pi_i = min(1, t q_i)``, where t makes these sum to the number of rows to draw. A drawn row has
    weight ``1 / pi_i``, which makes the sum of any function over the rows correct in expectation.
    If no probability reaches 1, this is the weight ``1 / (m q_i)`` of the paper, which draws with
    replacement and so may draw a row twice.

    The method reads the rows twice, which makes it the cheapest method with a guarantee.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
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
    SensitivityCoreset : Sampling with a guarantee relative to the cost alone, in O(n k d) time.

    Notes
    -----
    With independent draws, ``m = O((d k log k + log(1 / delta)) / eps^2)`` rows preserve the cost
    phi(Q) of any k centers Q up to ``eps / 2 (phi(Q) + phi({mu}))``, with probability 1 - delta.
    Time is O(n d). Memory is 40 bytes per row and blocks of 4 MiB per thread.

    References
    ----------
    Bachem, Lucic and Krause, "Scalable k-means clustering via lightweight coresets", KDD 2018,
    arXiv:1702.08248.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[-3.0], [-1.0], [1.0], [3.0]])
    >>> coreset = LightweightCoreset(budget=2, random_state=0).fit(X)
    >>> coreset.inclusion_probabilities_.round(3).tolist()  # 2 (1 / 8 + x^2 / 40)
    [0.7, 0.3, 0.3, 0.7]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "feature_space": FEATURE_SPACE,
    }
    _row_attributes: ClassVar[dict[str, float]] = {"inclusion_probabilities_": 0.0}
    _accepts_sparse: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        target_weight: float = 1.0,
        task: str = "auto",
        feature_space: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.target_weight = target_weight
        self.feature_space = feature_space

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        squared = squared_distances_to_means(rows.points, [group.rows for group in rows.groups], rows.weight)
        shares = [self._share(rows, group, squared[group.rows]) for group in rows.groups]
        outcome, self.inclusion_probabilities_ = draw_rows(rows, run, shares)
        return outcome

    def _share(self, rows: TrainingRows, group: Group, squared: np.ndarray) -> np.ndarray:
        """Return the sampling shares of the rows of one group, which sum to 1."""
        mass = rows.mass_in(group)
        if rows.task == "regression" and rows.y is not None:
            columns = rows.points.shape[1]
            squared = squared + self.target_weight**2 * _squared_target_distances(
                rows.y[group.rows].astype(np.float64), squared, mass, columns
            )
        return lightweight_share(squared, mass)


def lightweight_share(squared: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Return the sampling shares q, half of which is uniform in the mass of the rows.

    Parameters
    ----------
    squared : ndarray of shape (n,)
        Squared distances of the rows to their mean.
    mass : ndarray of shape (n,)
        Weights of the rows.

    Returns
    -------
    ndarray of shape (n,)
        Shares that sum to 1.
    """
    uniform, scatter = mass / mass.sum(), mass * squared
    total = scatter.sum()
    return np.asarray(uniform if total <= 0 else (uniform + scatter / total) / 2)


def _squared_target_distances(y: np.ndarray, squared: np.ndarray, mass: np.ndarray, columns: int) -> np.ndarray:
    """Return squared distances of the targets to their mean, scaled to an average feature."""
    squared_target = (y - np.average(y, weights=mass)) ** 2
    variance, feature_variance = np.average(squared_target, weights=mass), np.average(squared, weights=mass) / columns
    if y.max() == y.min() or not variance > 0:
        return np.zeros(len(y))
    return np.asarray(squared_target * ((feature_variance or 1.0) / variance))
