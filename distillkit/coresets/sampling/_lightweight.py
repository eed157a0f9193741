"""Rows drawn in two passes: half uniformly, half by their squared distance to the mean."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.sampling._sampling import draw_rows
from distillkit.coresets.sampling._two_pass import squared_distances_to_means

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["LightweightCoreset", "lightweight_share"]


class LightweightCoreset(BaseDistiller):
    """Rows drawn by size and distance to the mean, with weights that keep every k-means cost unbiased (lightweight).

    In each class of n rows with mean mu, row i has the share

    ``q_i = 1 / (2 n) + |x_i - mu|^2 / (2 sum_j |x_j - mu|^2)``.

    Exactly as many different rows as wanted are drawn: row i with probability ``pi_i = min(1, t q_i)``, t such that
    these sum to the rows wanted. A drawn row weighs ``1 / pi_i``, the weight that makes sums of any function over the
    rows right in expectation; where no probability reaches 1 that is the ``1 / (m q_i)`` of the paper, which draws with
    replacement and so may draw a row twice.

    Two passes over the rows: the cheapest method with a guarantee.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
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
    SensitivityCoreset : A guarantee relative to the cost alone, for O(n k d).

    Notes
    -----
    With independent draws, ``m = O((d k log k + log(1 / delta)) / eps^2)`` rows keep the cost phi(Q) of any k centres Q to
    ``eps / 2 (phi(Q) + phi({mu}))``, with probability 1 - delta. Time O(n d); memory 40 bytes per row and blocks of 4 MiB per thread.
    Bachem, Lucic and Krause, "Scalable k-means clustering via lightweight coresets", KDD 2018, arXiv:1702.08248.

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
    _weighs_rows: ClassVar[bool] = True

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
        mass = np.ones(len(group.rows)) if rows.weight is None else rows.weight[group.rows]
        if rows.task == "regression" and rows.y is not None:
            columns = rows.points.shape[1]
            squared = squared + self.target_weight**2 * _of_target(rows.y[group.rows], squared, mass, columns)
        return lightweight_share(squared, mass)


def lightweight_share(squared: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Return q for rows with these squared distances to their mean; half of its sum of 1 is each row's mass.

    Parameters
    ----------
    squared, mass : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
    """
    uniform, spread = mass / mass.sum(), mass * squared
    total = spread.sum()
    return np.asarray(uniform if total <= 0 else (uniform + spread / total) / 2)


def _of_target(y: np.ndarray, squared: np.ndarray, mass: np.ndarray, columns: int) -> np.ndarray:
    """Squared distances of the targets to their mean, scaled to the variance of an average feature."""
    centred = (y - np.average(y, weights=mass)) ** 2
    variance, unit = np.average(centred, weights=mass), np.average(squared, weights=mass) / columns
    if np.ptp(y) == 0 or not variance > 0:
        return np.zeros(len(y))
    return np.asarray(centred * ((unit or 1.0) / variance))
