"""Facility location: rows to which all others are near."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.geometric._sparse_facility_location import Facilities, facilities
from distillkit.coresets.shared._joint_space import joint_points
from distillkit.coresets.shared._ranking import interleave
from distillkit.coresets.shared._time_budget import split_time_budget
from distillkit.neighbors import nearest

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["FacilityLocationCoreset"]


class FacilityLocationCoreset(BaseDistiller):
    """Rows of each class picked greedily so that every row is near to one of them (facility location).

    The rows S maximise ``f(S) = sum_i max(0, r_i - min_{j in S} d_ij)``, where r_i is the distance of row i to the
    farthest of its `n_neighbors` nearest rows: what a row gains by having a picked row nearer than that. Rows beyond r_i
    gain nothing, so the graph of nearest rows holds all of f, and no matrix of all distances is needed. With
    ``n_neighbors`` of at least the rows of a class, f is the k-medoids cost turned around,
    ``constant - sum_i min_{j in S} d_ij``.

    Each next row is the one with the largest gain in f, the first of equals, so no other rows have more than
    ``1 / (1 - 1/e)`` times the value (Nemhauser, Wolsey and Fisher 1978); `guarantee_` says how much it can be for these
    rows. Gains are asked for only where an older one leaves it open (Minoux 1978), which changes no pick.

    Rows are in ranking order: the first j of a class are those of ``budget=j``. Equal rows are one facility with several
    customers; they are picked again only when all different rows are.

    A continuous target is one more column, scaled as in `KMeansCoreset`.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`.
    n_neighbors : int or None, default=None
        Nearest rows, of the class and with itself, that a row counts. None: all, but at most 2**24 divided by the
        (different) rows of the class, and at least 16, which bounds the memory. Values below rows divided by budget leave
        rows that no pick can serve.
    metric : {"euclidean", "cosine"}, default="euclidean"
        d_ij: Euclidean distance, or one minus the cosine.
    target_weight : float, default=1.0
        Weight of a continuous target beside the features: 1 makes it count as much as one average feature, 0
        ignores it.
    max_seconds : float or None, default=None
        Wall-clock budget, divided over the classes by their work and checked before each pick; the graph of the nearest
        rows is always made. When it is over, the rows still lacking are those with the largest gains at an earlier
        step, and their `gains_` are upper bounds.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : {"auto", "cpu", "cuda"}, default="auto"
        "auto" takes a GPU if faiss sees one.
    feature_space : transformer, torch module, callable or None, default=None
        Where distances are taken. See `feature_rows`.

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        Rows of the own class that have this one as their nearest.
    gains_ : ndarray of shape (m,)
        What each row added to f when it was picked, in the units of the distances; never rising within a class.
    guarantee_ : float
        In (0, 1]: the sum of the gains is at least this part of what any rows within the budget reach, by the bound of
        Leskovec et al. (KDD 2007) from the gains left at the end. Often far above 1 - 1/e.
    history_ : list of dict
        One per class: label, rows, size, n_neighbors, value (of f), bound (on f of any other rows), complete (not cut
        short by `max_seconds`), backend, seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.
    CraigCoreset : The same objective between gradients.

    Notes
    -----
    With t neighbours in a class of n rows: time O(n^2 d) for the graph and O(t) for an average gain; memory ``16 n t`` bytes
    (256 MiB by default, for up to a million rows of a class) and a float32 copy of the class (float64 with ``t = n``).
    Distances are float64 up to ``n t d = 2**27`` and float32 beyond, where rows that differ by less may change places.

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
    _weighs_rows: ClassVar[bool] = True

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
        feature_space: Any = None,
    ) -> None:
        self.budget = budget
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.target_weight = target_weight
        self.max_seconds = max_seconds
        self.task = task
        self.device = device
        self.feature_space = feature_space

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        found, weights = [], []
        for group, should_stop in zip(rows.groups, split_time_budget(rows, run), strict=True):
            part, weight = self._pick(rows, group, run, should_stop)
            found.append(part)
            weights.append(weight)
        order = interleave([group.size for group in rows.groups])
        self.gains_ = np.concatenate([part.gains for part in found])[order]
        bound = sum(part.bound for part in found)
        self.guarantee_ = float(min(1.0, sum(part.value for part in found) / bound)) if bound > 0 else 1.0
        indices = np.concatenate([group.rows[part.picks] for group, part in zip(rows.groups, found, strict=True)])
        # nearness between features, directions or with a target cannot be told later
        plain = rows.features is None and self.metric == "euclidean" and rows.task != "regression"
        return Outcome(
            indices=indices[order],
            weight=np.concatenate(weights)[order],
            ranked=True,
            weighting="nearest" if plain else None,
        )

    def _pick(
        self, rows: TrainingRows, group: Group, run: Run, should_stop: Callable[[], bool] | None
    ) -> tuple[Facilities, np.ndarray]:
        points = joint_points(rows, group, self.target_weight)
        mass = None if rows.weight is None else rows.weight[group.rows]
        if self.metric == "cosine":
            points = _directions(points)
        found = facilities(
            points,
            group.size,
            n_neighbors=self.n_neighbors,
            squared=self.metric == "cosine",  # 1 - cos is half the squared distance of directions
            mass=mass,
            device=self.device,
            should_stop=should_stop,
        )
        run.record(
            label=group.label,
            rows=len(group.rows),
            size=group.size,
            n_neighbors=found.n_neighbors,
            value=found.value,
            bound=found.bound,
            complete=found.complete,
            backend=found.backend,
        )
        labels = nearest(points, points[found.picks], 1, device=self.device)[1][:, 0]
        labels[found.picks] = np.arange(len(found.picks))  # also where another pick is equal
        return found, np.bincount(labels, weights=mass, minlength=len(found.picks))


def _directions(points: np.ndarray) -> np.ndarray:
    """Rows of length one; rows of zeros have no direction and stay."""
    largest = np.abs(points).max(axis=1, keepdims=True)
    rows = points / np.where(largest > 0, largest, 1)  # first: squares of large or small values leave their range
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1))
