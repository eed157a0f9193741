"""The kernel herding coreset, which selects rows by their mean under a Gaussian kernel."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome
from distillkit_herding._gaussian import herd_gaussian, median_bandwidth

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["KernelHerdingCoreset"]


class KernelHerdingCoreset(BaseDistiller):
    """Select rows of each class so that their Gaussian kernel mean is nearest to that of the class.

    The next row is ``argmax_x mu(x) - sum_{s in S} k(x, s) / (t + 1)``, where S are the t rows
    selected so far and mu(x) is the mean of k(x, .) over the class; no row is selected twice.
    Herding on the rows themselves (`distillkit.coresets.HerdingCoreset`) preserves only their mean,
    whereas a Gaussian kernel accounts for all moments.

    Rows are in ranking order: the first m rows of a class are the result for a budget of m. All
    rows of a class have the same weight. A continuous target is one more feature, standardized;
    without y, all rows are one class.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `distillkit.BaseDistiller`.
    bandwidth : float or None, default=None
        Standard deviation of the Gaussian kernel, in the units of the rows. None takes the median
        distance between two rows of the class, from at most 1,000 random rows.
    task : {"auto", "classification", "regression"}, default="auto"
        See `distillkit.BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Draws the rows from which the bandwidth is estimated in classes of more than 1,000 rows. The
        method is otherwise deterministic.

    Attributes
    ----------
    history_ : list of dict
        One entry per class: label, rows, size, error (maximum mean discrepancy), bandwidth,
        seconds.

    See Also
    --------
    distillkit.BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    With n rows of d features and k selected rows in a class, time is O(n^2 d + n d k). Memory is a
    few copies of the rows of one class and 64 MiB, never n x n kernel values.

    References
    ----------
    Chen, Welling and Smola, "Super-samples from kernel herding", 2010, arXiv:1203.3472.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [9.0]])
    >>> KernelHerdingCoreset(budget=2, bandwidth=1.0).fit(X).X_distilled_.ravel().tolist()
    [2.0, 0.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        "bandwidth": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        bandwidth: float | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.bandwidth = bandwidth

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        picks = [group.rows[self._select(_points(rows, group), group, run)] for group in rows.groups]
        weight = [np.full(group.size, len(group.rows) / group.size) for group in rows.groups]
        return Outcome(indices=np.concatenate(picks), weight=np.concatenate(weight))

    def _select(self, points: np.ndarray, group: Group, run: Run) -> np.ndarray:
        bandwidth = median_bandwidth(points, run.rng) if self.bandwidth is None else float(self.bandwidth)
        picks, error = herd_gaussian(points, group.size, bandwidth)
        label = group.label.item() if isinstance(group.label, np.generic) else group.label
        run.record(label=label, rows=len(points), size=group.size, error=error, bandwidth=bandwidth)
        return picks


def _points(rows: TrainingRows, group: Group) -> np.ndarray:
    """Return the rows of a group, with a standardized continuous target as one more column."""
    points: np.ndarray = rows.flat[group.rows]
    if rows.task != "regression" or rows.y is None:
        return points
    y = rows.y[group.rows].astype(np.float64)
    deviation = float(y.std())
    return np.column_stack([points, ((y - y.mean()) / (deviation or 1.0)).astype(points.dtype)])
