"""The herding coreset, which selects rows whose mean stays nearest to the mean of their class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller, iterative_constraints
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.shared._joint_space import joint_points
from distillkit.coresets.shared._ranking import interleave
from distillkit.coresets.shared._time_budget import split_time_budget
from distillkit.utils._moments import column_means

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["HerdingCoreset", "HerdingResult", "herd"]


class HerdingCoreset(WeightedDistiller):
    """Select rows of each class greedily so that their mean is nearest to the mean of the class.

    With mu the mean of the class and S the t rows selected so far, the next row is the one, not yet
    selected, that minimizes ``|(t + 1) mu - sum(S) - x|``; among equals it is the first. (An
    implementation that is often cited maximizes this distance, which selects worse rows than
    chance.) All distilled rows of a class have the same weight, because herding preserves their
    unweighted mean. If the training rows have weights, mu is their weighted mean.

    Rows are in ranking order: the first j rows of a class are the result for ``budget=j``.

    A continuous target is one more column, scaled as in `KMeansCoreset`.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    target_weight : float, default=1.0
        Weight of a continuous target relative to the features: with 1 it counts as much as one
        average feature, with 0 it is ignored.
    max_seconds : float or None, default=None
        Wall-clock budget, divided over the classes in proportion to their work and checked before
        each selection. When the time is over, the remaining rows are the next best by the distances
        of the last step.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    feature_space : transformer, torch module, callable or None, default=None
        Space in which means are computed. See `feature_rows`.

    Attributes
    ----------
    mean_errors_ : ndarray of shape (m,)
        For each row, the distance from the mean of the class to the mean of the rows of the class
        selected up to and including this one, in the space in which means are computed.
    history_ : list of dict
        One entry per class: label, rows, size, error (the last of its `mean_errors_`), complete
        (False if `max_seconds` cut it short), backend, seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    Time is O(n k d), where n and k are the rows and the selected rows of one class at a time.
    Memory is ``8 n (d + 5)`` bytes for the largest class, besides a copy of its rows. Distances are
    in float64; rows whose distances differ only by rounding count as equally near.

    References
    ----------
    Welling, "Herding dynamical weights to learn", ICML 2009. Herding without replacement: Rebuffi
    et al., arXiv:1611.07725.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [9.0]])
    >>> herding = HerdingCoreset(budget=3).fit(X)
    >>> herding.X_distilled_.ravel().tolist(), herding.mean_errors_.tolist()
    ([3.0, 2.0, 1.0], [0.0, 0.5, 1.0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "budget": BaseDistiller._parameter_constraints["budget"],
        "task": BaseDistiller._parameter_constraints["task"],
        **iterative_constraints(),
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "feature_space": FEATURE_SPACE,
    }
    _accepts_sparse: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        target_weight: float = 1.0,
        max_seconds: float | None = None,
        task: str = "auto",
        verbose: bool = False,
        feature_space: Any = None,
    ) -> None:
        self.budget = budget
        self.target_weight = target_weight
        self.max_seconds = max_seconds
        self.verbose = verbose
        self.task = task
        self.feature_space = feature_space

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Select rows in each class by themselves, each class within its part of the time.
        picks, errors, weights = [], [], []
        for group, should_stop in zip(rows.groups, split_time_budget(rows.groups, run), strict=True):
            mass = rows.weight_in(group)
            selection = herd(joint_points(rows, group, self.target_weight), group.size, mass, should_stop)
            picks.append(group.rows[selection.picks])
            errors.append(selection.errors)
            weights.append(rows.equal_weight(group))
            run.record(
                label=group.label,
                rows=len(group.rows),
                size=group.size,
                error=selection.errors[-1],
                complete=selection.complete,
                backend="numpy",
            )
        # 2. Order the selected rows of all classes as one ranking.
        order = interleave([group.size for group in rows.groups])
        self.mean_errors_ = np.concatenate(errors)[order]
        return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order], ranked=True)


@dataclass(frozen=True, eq=False)
class HerdingResult:
    """Result of `herd`.

    Parameters
    ----------
    picks : ndarray of shape (size,), int64
        Positions of the selected rows in ranking order.
    errors : ndarray of shape (size,)
        ``errors[i]`` is the distance from the mean of the first i + 1 selected rows to the mean of
        all.
    complete : bool
        Whether every row was selected by the rule, and none by the distances of an earlier step.
    """

    picks: np.ndarray
    errors: np.ndarray
    complete: bool


def herd(
    points: np.ndarray,
    size: int,
    mass: np.ndarray | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> HerdingResult:
    """Select rows one by one so that their mean stays nearest to the (weighted) mean of all rows.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    size : int
        Number of rows to select, 1 <= size <= n.
    mass : ndarray of shape (n,) or None
        Weights of the rows in the mean.
    should_stop : callable or None
        Called before every selection but the first; True ends the search, see
        `HerdingResult.complete`.

    Returns
    -------
    HerdingResult
    """
    # 1. Center the rows. The target (t + 1) mu - sum(S) is then minus the sum of the centered rows
    #    selected so far, which is small, so that no digits cancel.
    mean = column_means(points, mass)
    centered = np.subtract(points, mean, dtype=np.float64)
    squares = np.einsum("ij,ij->i", centered, centered)
    rounding = 8 * np.finfo(np.float64).eps * np.sqrt(points.shape[1])
    centered_sum, free = np.zeros(points.shape[1]), np.ones(len(points), dtype=bool)
    picks, errors = np.empty(size, dtype=np.int64), np.empty(size)
    complete, distances = True, squares
    # 2. Add the row that brings the sum of the selected rows nearest to zero.
    for step in range(size):
        if step and complete and should_stop is not None and should_stop():
            complete = False
        if complete:
            # |sum(S) + x - (t + 1) mu|^2 without the terms that are equal for all rows
            distances = squares + 2 * (centered @ centered_sum)
        # Distances that differ only by rounding are ties, which the first row wins.
        tolerance = rounding * (squares + centered_sum @ centered_sum)
        free_distances = np.where(free, distances, np.inf)
        pick = int(np.argmax(free_distances - tolerance <= free_distances.min()))
        picks[step], free[pick] = pick, False
        centered_sum += centered[pick]
        errors[step] = np.linalg.norm(centered_sum) / (step + 1)
    return HerdingResult(picks, errors, complete)
