"""Kernel herding: rows picked one after another so that their mean in a kernel's space stays that of their class."""

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
    """Rows of each class, picked greedily so that their mean in the space of a Gaussian kernel is nearest to that of the class.

    The next row is ``argmax_x mu(x) - sum_{s in S} k(x, s) / (t + 1)``, with S the t rows picked so far (Chen, Welling and
    Smola 2010, arXiv:1203.3472), without replacement. The mean of the rows themselves is kept by distillkit's own
    `distillkit.coresets.HerdingCoreset`; a Gaussian kernel has all moments.

    The rows come in ranking order: the first m of a class are what a budget of m would have picked. All rows of one
    class weigh the same. A continuous target is one more feature, standardized; without y, all rows are one class.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `distillkit.BaseDistiller`.
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
        One per class: label, rows, size, error (the maximum mean discrepancy), bandwidth, seconds.

    See Also
    --------
    distillkit.BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    With n rows of d features and k picks in a class: time O(n^2 d + n d k), but memory only for a few copies of the
    rows of one class and 64 MiB, never for n x n kernel values.

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
        picks = [group.rows[self._pick(_points(rows, group), group, run)] for group in rows.groups]
        weight = [np.full(group.size, len(group.rows) / group.size) for group in rows.groups]
        return Outcome(indices=np.concatenate(picks), weight=np.concatenate(weight))

    def _pick(self, points: np.ndarray, group: Group, run: Run) -> np.ndarray:
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
