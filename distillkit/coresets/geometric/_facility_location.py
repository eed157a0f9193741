"""The facility location coreset, which selects rows that are near to all the other rows."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller, iterative_constraints
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.geometric._sparse_facility_location import FacilityLocationResult, sparse_facility_location
from distillkit.coresets.shared._joint_space import joint_points
from distillkit.coresets.shared._ranking import interleave
from distillkit.coresets.shared._time_budget import split_time_budget
from distillkit.neighbors._assignment import first_nearest

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["FacilityLocationCoreset"]


class FacilityLocationCoreset(WeightedDistiller):
    """Select rows greedily so that every row is near to a selected one (facility location).

    The set S of selected rows maximizes ``f(S) = sum_i max(0, r_i - min_{j in S} d_ij)``, where r_i
    is the distance of row i to the farthest of its `n_neighbors` nearest rows. A row adds to f only
    if a selected row is nearer than r_i, so the graph of nearest neighbors determines f, and no
    matrix of all distances is needed. If `n_neighbors` is at least the number of rows of a class,
    then f is a constant minus the k-medoids cost, ``constant - sum_i min_{j in S} d_ij``.

    Each step adds the row with the largest gain in f, and among equal gains the first row. No other
    set of the same size has more than ``1 / (1 - 1/e)`` times the value (Nemhauser, Wolsey and
    Fisher 1978); `guarantee_` gives the bound for the rows at hand. Gains are recomputed only for
    rows whose earlier gain still exceeds the best one (lazy evaluation, Minoux 1978), which changes
    no selection.

    Rows are in ranking order: the first j rows of a class are the result for ``budget=j``. Rows
    with identical features count as one facility that serves several customers; duplicates are
    selected only after all distinct rows have been.

    A continuous target is one more column, scaled as in `KMeansCoreset`.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    n_neighbors : int or None, default=None
        Number of nearest rows of its class, itself included, that each row takes into account. None
        takes all rows, but at most 2**24 divided by the number of distinct rows of the class and at
        least 16, which bounds the memory. With fewer neighbors than rows divided by budget, some
        rows cannot be near to any selected row.
    metric : {"euclidean", "cosine"}, default="euclidean"
        The distance d_ij: Euclidean distance, or one minus the cosine of the angle.
    target_weight : float, default=1.0
        Weight of a continuous target relative to the features: with 1 it counts as much as one
        average feature, with 0 it is ignored.
    max_seconds : float or None, default=None
        Wall-clock budget, divided over the classes in proportion to their work and checked before
        each selection; the graph of nearest neighbors is always built. When the time is over, the
        remaining rows are those with the largest gains at an earlier step, and their `gains_` are
        upper bounds.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where neighbors are searched; "auto" takes a GPU if faiss finds one.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    feature_space : transformer, torch module, callable or None, default=None
        Space in which distances are measured. See `feature_rows`.

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        For each distilled row, the number of rows of its class that have it as their nearest.
    gains_ : ndarray of shape (m,)
        Gain in f of each row at its selection, in the units of the distances; never increasing
        within a class.
    guarantee_ : float
        In (0, 1]. The sum of the gains is at least this fraction of the value of any selection
        within the budget, by the bound of Leskovec et al. (KDD 2007) from the gains that remain at
        the end. It is often well above 1 - 1/e.
    history_ : list of dict
        One entry per class: label, rows, size, n_neighbors, value (of f), bound (upper bound on f
        for any other selection), complete (False if `max_seconds` cut it short), backend, seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    CraigCoreset : Facility location on distances between gradients.

    Notes
    -----
    With t neighbors in a class of n rows, the graph takes O(n^2 d) time and a gain O(t) on average.
    Memory is ``16 n t`` bytes (256 MiB by default, for up to a million rows of a class) and a
    float32 copy of the class (float64 with ``t = n``). Distances are in float64 up to
    ``n t d = 2**27`` and in float32 beyond, where rows whose distances differ by less than the
    rounding may change places.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [10.0], [11.0]])
    >>> coreset = FacilityLocationCoreset(budget=2).fit(X)
    >>> coreset.X_distilled_.ravel().tolist(), coreset.sample_weight_.tolist()
    ([2.0, 10.0], [3.0, 2.0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "budget": BaseDistiller._parameter_constraints["budget"],
        "task": BaseDistiller._parameter_constraints["task"],
        **iterative_constraints(),
        "n_neighbors": [Interval(Integral, 2, None, closed="left"), None],
        "metric": [StrOptions({"euclidean", "cosine"})],
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "device": [StrOptions({"auto", "cpu", "cuda"})],
        "feature_space": FEATURE_SPACE,
    }
    _accepts_sparse: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        n_neighbors: int | None = None,
        metric: str = "euclidean",
        target_weight: float = 1.0,
        max_seconds: float | None = None,
        task: str = "auto",
        device: str = "auto",
        verbose: bool = False,
        feature_space: Any = None,
    ) -> None:
        self.budget = budget
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.target_weight = target_weight
        self.max_seconds = max_seconds
        self.verbose = verbose
        self.task = task
        self.device = device
        self.feature_space = feature_space

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        # 1. Select rows in each class by themselves, each class within its part of the time.
        selections, weights = [], []
        for group, should_stop in zip(rows.groups, split_time_budget(rows.groups, run), strict=True):
            selection, weight = self._select(rows, group, run, should_stop)
            selections.append(selection)
            weights.append(weight)
        # 2. Order the selected rows of all classes as one ranking.
        order = interleave([group.size for group in rows.groups])
        self.gains_ = np.concatenate([selection.gains for selection in selections])[order]
        bound = sum(selection.bound for selection in selections)
        self.guarantee_ = (
            float(min(1.0, sum(selection.value for selection in selections) / bound)) if bound > 0 else 1.0
        )
        indices = np.concatenate(
            [group.rows[selection.picks] for group, selection in zip(rows.groups, selections, strict=True)]
        )
        # The weights of a prefix can be counted again only from distances between the rows of X,
        # not in a feature space, between directions, or with the target as a column.
        can_be_recounted = rows.features is None and self.metric == "euclidean" and rows.task != "regression"
        return Outcome(
            indices=indices[order],
            weight=np.concatenate(weights)[order],
            ranked=True,
            weighting="nearest" if can_be_recounted else None,
        )

    def _select(
        self, rows: TrainingRows, group: Group, run: Run, should_stop: Callable[[], bool] | None
    ) -> tuple[FacilityLocationResult, np.ndarray]:
        """Select rows of one class, and return the selection with the weights of the rows."""
        points = joint_points(rows, group, self.target_weight)
        mass = rows.weight_in(group)
        if self.metric == "cosine":
            points = _unit_rows(points)
        selection = sparse_facility_location(
            points,
            group.size,
            n_neighbors=self.n_neighbors,
            squared=self.metric == "cosine",  # 1 - cos is half the squared distance between unit vectors
            mass=mass,
            device=self.device,
            should_stop=should_stop,
        )
        run.record(
            label=group.label,
            rows=len(group.rows),
            size=group.size,
            n_neighbors=selection.n_neighbors,
            value=selection.value,
            bound=selection.bound,
            complete=selection.complete,
            backend=selection.backend,
        )
        # Assign each row to its nearest selected row; a selected row always represents itself.
        labels = first_nearest(points, points[selection.picks])
        labels[selection.picks] = np.arange(len(selection.picks))  # also if an equal row was selected earlier
        return selection, np.bincount(labels, weights=mass, minlength=len(selection.picks))


def _unit_rows(points: np.ndarray) -> np.ndarray:
    """Scale rows to unit length; rows of zeros have no direction and stay as they are."""
    # Divide by the largest value first, so that squares neither overflow nor underflow.
    largest = np.abs(points).max(axis=1, keepdims=True)
    rows = points / np.where(largest > 0, largest, 1)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1))
