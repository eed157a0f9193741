"""The k-center coreset, which covers every row within a known radius."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import StrOptions

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller, iterative_constraints
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.shared._ranking import interleave
from distillkit.coresets.shared._time_budget import split_time_budget
from distillkit.neighbors import KCenterResult, greedy_k_center, row_nearest_to_mean

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["KCenterCoreset"]


class KCenterCoreset(WeightedDistiller):
    """Select rows of each class greedily, each the farthest from those before it (k-center).

    No selection of equally many rows per class has a covering radius below half of `radius_`.
    Distances are those between features alone; a continuous target plays no part, and all its rows
    are one group. Weights of the rows change no selection but the first row (the mean is weighted,
    and a random row is drawn in proportion to the weights) and count in `sample_weight_`.

    Rows are in ranking order: one row of each class first, then further rows in proportion to the
    budgets of the classes, within each class in the order of selection. With c classes and
    ``budget=k``, the first ``c * j`` rows are those of ``budget=j`` (with the same `random_state`),
    for every j up to k; only the weights differ.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`. Exactly this many rows are selected, even if the data contain
        duplicates.
    start : {"medoid", "random"}, default="medoid"
        First row of each class: the row nearest to the mean of the class, or a random row. Only
        "random" uses `random_state`.
    max_seconds : float or None, default=None
        Wall-clock budget, divided over the classes in proportion to their work and checked between
        blocks of selections. When the time is over, the remaining rows are those that are farthest
        from the rows selected so far; each has weight only for itself, and `radius_` is still an
        upper bound.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    feature_space : transformer, torch module, callable or None, default=None
        Space in which distances are measured, those of `radius_` included. See `feature_rows`.
    certify : bool, default=False
        Whether to measure `error_` after the fit; see `distillkit.coresets.certify`.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        For each distilled row, the number of rows of its class that have it as their nearest.
    radius_ : float
        Largest distance from a training row to the nearest distilled row of its class, in the units
        of X (Euclidean distance over all features). It is a guarantee for every training row.
    radii_ : ndarray of shape (m,)
        ``radii_[i]`` is the radius of the first i + 1 distilled rows. It is infinite until each
        class has a row, and ``radii_[-1] == radius_``. Once it stops decreasing, a larger budget
        does not improve the cover.
    history_ : list of dict
        One entry per class: label, rows, size, radius, complete (False if `max_seconds` cut it
        short), backend, seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    Time is O(n k d), where n and k are the rows and the selected rows of one class at a time.
    Memory is ``4 n (d + 74)`` bytes for the largest class, besides a copy of its rows, and twice
    that for data in which many rows are equally far (such as a grid), so that float32 cannot
    distinguish them.

    References
    ----------
    Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical Computer
    Science 38, 1985. As a coreset: Sener and Savarese, arXiv:1708.00489.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [10.0]])
    >>> coreset = KCenterCoreset(budget=2).fit(X)
    >>> coreset.X_distilled_.ravel().tolist(), coreset.sample_weight_.tolist(), coreset.radius_
    ([2.0, 10.0], [3.0, 1.0], 2.0)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "start": [StrOptions({"medoid", "random"})],
        "feature_space": FEATURE_SPACE,
        "certify": ["boolean"],
    }
    _accepts_sparse: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        start: str = "medoid",
        max_seconds: float | None = None,
        task: str = "auto",
        feature_space: Any = None,
        certify: bool = False,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.start = start
        self.max_seconds = max_seconds
        self.verbose = verbose
        self.feature_space = feature_space
        self.certify = certify

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Select rows in each class by themselves, each class within its part of the time.
        selections = []
        for group, should_stop in zip(rows.groups, split_time_budget(rows.groups, run, by_row=False), strict=True):
            points = rows.points_of(group)
            first = self._first_row(points, rows.weight_in(group), run)
            selection = greedy_k_center(points, group.size, start=first, should_stop=should_stop)
            selections.append(selection)
            _record(run, group, selection)
        # 2. Order the selected rows of all classes as one ranking, with the radius of each prefix.
        order, self.radii_ = _interleave([selection.radii for selection in selections])
        self.radius_ = float(self.radii_[-1])
        indices = np.concatenate(
            [group.rows[selection.indices] for group, selection in zip(rows.groups, selections, strict=True)]
        )
        # 3. Each row represents the rows that are nearest to it.
        weight = np.concatenate(
            [
                np.bincount(selection.labels, weights=rows.weight_in(group))
                for group, selection in zip(rows.groups, selections, strict=True)
            ]
        )
        # Distances in a feature space cannot be computed again from the distilled rows.
        weighting = "nearest" if rows.features is None else None
        return Outcome(indices=indices[order], weight=weight[order], ranked=True, weighting=weighting)

    def _first_row(self, points: np.ndarray, weight: np.ndarray | None, run: Run) -> int:
        """Return the position of the first selected row of a class."""
        if self.start == "medoid":
            return row_nearest_to_mean(points, weight)
        if weight is None:
            return int(run.rng.randint(len(points)))
        return int(run.rng.choice(len(points), p=weight / weight.sum()))


def _record(run: Run, group: Group, selection: KCenterResult) -> None:
    run.record(
        label=group.label,
        rows=len(group.rows),
        size=group.size,
        radius=selection.radii[-1],
        complete=selection.complete,
        backend=selection.backend,
    )


def _interleave(radii: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Order the rows of all classes as one ranking; return it and the radius of each prefix."""
    sizes = [len(group_radii) for group_radii in radii]
    order = interleave(sizes)
    group = np.repeat(np.arange(len(sizes)), sizes)[order]
    group_radius = np.concatenate(radii)[order]
    current = np.full(len(sizes), np.inf)
    prefix = np.empty(len(order))
    for i in range(len(order)):
        current[group[i]] = group_radius[i]
        prefix[i] = current.max()
    return order, prefix
