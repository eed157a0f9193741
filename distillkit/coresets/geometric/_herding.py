"""Herding: rows picked one after another so that their mean stays the mean of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.shared._joint_space import joint_points
from distillkit.coresets.shared._ranking import interleave
from distillkit.coresets.shared._time_budget import split_time_budget

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["Herd", "HerdingCoreset", "herd"]


class HerdingCoreset(BaseDistiller):
    """Rows of each class, picked greedily so that their mean is nearest to the mean of the class.

    With mu the mean of the class and S the t rows picked so far, the next is the row not yet picked that minimises
    ``|(t + 1) mu - sum(S) - x|``, the first of equals. (An implementation that is often cited maximises it, which picks
    worse than random rows.) All rows of a class weigh the same, as their plain mean is what is kept.

    Rows are in ranking order: the first j of a class are those of ``budget=j``.

    A continuous target is one more column, scaled as in `KMeansCoreset`.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    target_weight : float, default=1.0
        Weight of a continuous target beside the features: 1 makes it count as much as one average feature, 0
        ignores it.
    max_seconds : float or None, default=None
        Wall-clock budget, divided over the classes by their work and checked before each pick. When it is over, the
        rows still lacking are the next best by the distances of the last pick.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    feature_space : transformer, torch module, callable or None, default=None
        Where means are taken. See `feature_rows`.

    Attributes
    ----------
    mean_errors_ : ndarray of shape (m,)
        Distance from the mean of the class to the mean of its picks up to and with each row, in the space that was
        herded.
    history_ : list of dict
        One per class: label, rows, size, error (the last of its `mean_errors_`), complete (not cut short by
        `max_seconds`), backend, seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    Time O(n k d), n and k of one class at a time; memory ``8 n (d + 5)`` bytes for the largest class, beside a copy of its
    rows. Distances are float64; rows whose distances differ by rounding only count as equally near.
    Welling, "Herding dynamical weights to learn", ICML 2009; without replacement: Rebuffi et al., arXiv:1611.07725.

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
    _weighs_rows: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        target_weight: float = 1.0,
        max_seconds: float | None = None,
        task: str = "auto",
        feature_space: Any = None,
    ) -> None:
        self.budget = budget
        self.target_weight = target_weight
        self.max_seconds = max_seconds
        self.task = task
        self.feature_space = feature_space

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        picks, errors, weights = [], [], []
        for group, should_stop in zip(rows.groups, split_time_budget(rows, run), strict=True):
            mass = None if rows.weight is None else rows.weight[group.rows]
            found = herd(joint_points(rows, group, self.target_weight), group.size, mass, should_stop)
            picks.append(group.rows[found.picks])
            errors.append(found.errors)
            weights.append(np.full(group.size, (len(group.rows) if mass is None else mass.sum()) / group.size))
            run.record(
                label=group.label,
                rows=len(group.rows),
                size=group.size,
                error=found.errors[-1],
                complete=found.complete,
                backend="numpy",
            )
        order = interleave([group.size for group in rows.groups])
        self.mean_errors_ = np.concatenate(errors)[order]
        return Outcome(indices=np.concatenate(picks)[order], weight=np.concatenate(weights)[order], ranked=True)


@dataclass(frozen=True, eq=False)
class Herd:
    """What `herd` picked.

    Parameters
    ----------
    picks : ndarray of shape (size,), int64
        Positions in ranking order.
    errors : ndarray of shape (size,)
        Distance of the mean of the first i + 1 picks to the mean of all.
    complete : bool
        Whether every pick was made by the rule.
    """

    picks: np.ndarray
    errors: np.ndarray
    complete: bool


def herd(
    points: np.ndarray,
    size: int,
    mass: np.ndarray | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Herd:
    """Pick rows one after another so that the mean of those picked stays nearest to the (weighted) mean of all.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    size : int
        1 <= size <= n.
    mass : ndarray of shape (n,) or None
        Weights of the rows in the mean.
    should_stop : callable or None
        Asked before every pick but the first; see `Herd.complete`.

    Returns
    -------
    Herd
    """
    # from the mean, the target (t + 1) mu - sum(S) is minus the sum of the centred picks: small, so nothing cancels
    mean = points.mean(axis=0, dtype=np.float64) if mass is None else (mass @ points) / mass.sum()
    centred = np.subtract(points, mean, dtype=np.float64)
    squares = np.einsum("ij,ij->i", centred, centred)
    rounding = 8 * np.finfo(np.float64).eps * np.sqrt(points.shape[1])
    total, free = np.zeros(points.shape[1]), np.ones(len(points), dtype=bool)
    picks, errors = np.empty(size, dtype=np.int64), np.empty(size)
    complete, distances = True, squares
    for place in range(size):
        if place and complete and should_stop is not None and should_stop():
            complete = False
        if complete:
            # |sum(S) + x - (t + 1) mu|^2, less what is the same for all rows
            distances = squares + 2 * (centred @ total)
        room = rounding * (squares + total @ total)
        left = np.where(free, distances, np.inf)
        pick = int(np.argmax(left - room <= left.min()))
        picks[place], free[pick] = pick, False
        total += centred[pick]
        errors[place] = np.linalg.norm(total) / (place + 1)
    return Herd(picks, errors, complete)
