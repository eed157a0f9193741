"""Herding: rows picked one after another so that their mean stays the mean of their class."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import BaseDistiller, Outcome
from distillkit_herding._gaussian import herd_gaussian, median_bandwidth
from distillkit_herding._mean import herd_mean

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["HerdingCoreset"]


class HerdingCoreset(BaseDistiller):
    """Rows of each class, picked greedily so that their mean is nearest to the mean of the class.

    The rows come in ranking order: the first m of a class are what a budget of m would have picked. All rows of one
    class weigh the same. A continuous target is one more feature, standardized; without y, all rows are one class.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `distillkit.BaseDistiller`.
    kernel : {"mean", "gaussian"}, default="mean"
        "mean": keep the mean of the rows, by the rule ``argmin_x || (t + 1) mu - sum(S) - x ||`` (Welling 2009;
        Rebuffi et al., arXiv:1611.07725). "gaussian": keep the mean in the space of a Gaussian kernel, by the rule
        ``argmax_x mu(x) - sum_{s in S} k(x, s) / (t + 1)`` (Chen, Welling and Smola 2010, arXiv:1203.3472).
    bandwidth : float or None, default=None
        Standard deviation of the Gaussian kernel, in the units of the rows. None: the median distance between two
        rows of the class, of at most 1,000 drawn ones.
    task : {"auto", "classification", "regression"}, default="auto"
        See `distillkit.BaseDistiller`.
    random_state : int, RandomState instance or None, default=None
        Draws the rows that the bandwidth is taken from, in classes of more than 1,000 rows; all else is fixed.

    Attributes
    ----------
    history_ : list of dict
        One per class: label, rows, size, error (distance of the means, or the maximum mean discrepancy), bandwidth
        (None with "mean"), seconds.

    See Also
    --------
    distillkit.BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    With n rows of d features and k picks in a class: "mean" takes time O(n d k); "gaussian" takes O(n^2 d + n d k),
    but memory only for a few copies of the rows of one class and 64 MiB, never for n x n kernel values.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [9.0]])
    >>> HerdingCoreset(budget=2).fit(X).X_distilled_.ravel().tolist()
    [3.0, 2.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        "kernel": [StrOptions({"mean", "gaussian"})],
        "bandwidth": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        kernel: str = "mean",
        bandwidth: float | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.kernel = kernel
        self.bandwidth = bandwidth

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        picks = [group.rows[self._pick(_points(rows, group), group, run)] for group in rows.groups]
        weight = [np.full(group.size, len(group.rows) / group.size) for group in rows.groups]
        return Outcome(indices=np.concatenate(picks), weight=np.concatenate(weight))

    def _pick(self, points: np.ndarray, group: Group, run: Run) -> np.ndarray:
        bandwidth = None
        if self.kernel == "mean":
            picks, error = herd_mean(points, group.size)
        else:
            bandwidth = median_bandwidth(points, run.rng) if self.bandwidth is None else float(self.bandwidth)
            picks, error = herd_gaussian(points, group.size, bandwidth)
        label = group.label.item() if isinstance(group.label, np.generic) else group.label
        run.record(label=label, rows=len(points), size=group.size, error=error, bandwidth=bandwidth)
        return picks


def _points(rows: TrainingRows, group: Group) -> np.ndarray:
    """Rows of a group as (n, d), with the standardized target as one more column where it is continuous."""
    points: np.ndarray = rows.flat[group.rows]
    if rows.task != "regression" or rows.y is None:
        return points
    y = rows.y[group.rows].astype(np.float64)
    spread = float(y.std())
    return np.column_stack([points, ((y - y.mean()) / (spread or 1.0)).astype(points.dtype)])
