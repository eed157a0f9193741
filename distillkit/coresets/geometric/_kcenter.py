"""The coreset with a certificate: no row is farther from it than `radius_`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import StrOptions

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.shared._ranking import interleave
from distillkit.coresets.shared._time_budget import split_time_budget
from distillkit.neighbors import KCenterResult, greedy_k_center

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["KCenterCoreset"]


class KCenterCoreset(BaseDistiller):
    """Rows of each class picked greedily, each the farthest from those before it (k-center, Gonzalez).

    No choice of as many rows per class has a covering radius below half of `radius_`. A continuous target plays no
    part in the distances: geometry is that of the features alone, all rows together.

    Picked rows are in ranking order: one of each class, then on in proportion to the classes' budgets, and
    within each class as picked. With c classes and ``budget=k``, the first ``c * j`` rows are those of ``budget=j``
    (with the same `random_state`), for every j up to k; only the weights differ.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`. Exactly this many rows are picked, also where rows repeat.
    start : {"medoid", "random"}, default="medoid"
        First pick of each class: the row nearest to the mean of the class, or a random one. Only "random" uses
        `random_state`.
    max_seconds : float or None, default=None
        Wall-clock budget, divided over the classes by their work and checked between blocks of picks. When it is
        over, the rows still lacking are those that are farthest from the picks so far; they count only themselves in
        the weights, and `radius_` stays an upper bound.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    feature_space : transformer, torch module, callable or None, default=None
        Where distances are taken, those of `radius_`, too. See `feature_rows`.
    certify : bool, default=False
        Measure `error_` after the fit.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    sample_weight_ : ndarray of shape (m,)
        Rows of the own class that have this one as their nearest.
    radius_ : float
        Largest distance of a row to the nearest distilled row of its class, in the units of X (Euclidean over all
        features). A guarantee for every row seen.
    radii_ : ndarray of shape (m,)
        ``radii_[i]`` is the radius of the coreset made of the first i + 1 distilled rows: infinite until each class
        has a row, and ``radii_[-1] == radius_``. Where it falls no more, a larger budget buys nothing.
    history_ : list of dict
        One per class: label, rows, size, radius, complete (not cut short by `max_seconds`), backend, seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    Time O(n k d), n and k of one class at a time; memory ``4 n (d + 74)`` bytes for the largest class, beside a copy of
    its rows, and twice that where so many rows are equally far (a grid) that float32 cannot tell them apart.
    Gonzalez, Theoretical Computer Science 38, 1985; as a coreset: Sener and Savarese, arXiv:1708.00489.

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
    _weighs_rows: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        start: str = "medoid",
        max_seconds: float | None = None,
        task: str = "auto",
        feature_space: Any = None,
        certify: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.start = start
        self.max_seconds = max_seconds
        self.feature_space = feature_space
        self.certify = certify

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        found = []
        for group, should_stop in zip(rows.groups, split_time_budget(rows, run), strict=True):
            points = rows.points[group.rows]
            first = _medoid(points) if self.start == "medoid" else int(run.rng.randint(len(points)))
            picked = greedy_k_center(points, group.size, start=first, should_stop=should_stop)
            found.append(picked)
            _record(run, group, picked)
        order, self.radii_ = _interleave([picked.radii for picked in found])
        self.radius_ = float(self.radii_[-1])
        indices = np.concatenate([group.rows[picked.indices] for group, picked in zip(rows.groups, found, strict=True)])
        weight = np.concatenate(
            [
                np.bincount(picked.labels, weights=None if rows.weight is None else rows.weight[group.rows])
                for group, picked in zip(rows.groups, found, strict=True)
            ]
        )
        weighting = "nearest" if rows.features is None else None  # distances between features cannot be told later
        return Outcome(indices=indices[order], weight=weight[order], ranked=True, weighting=weighting)


def _medoid(X: np.ndarray) -> int:
    """First of the rows nearest to the mean."""
    difference = X - X.mean(axis=0, dtype=np.float64)
    return int(np.argmin(np.einsum("ij,ij->i", difference, difference)))


def _record(run: Run, group: Group, picked: KCenterResult) -> None:
    radius, complete = picked.radii[-1], picked.complete
    run.record(
        label=group.label,
        rows=len(group.rows),
        size=group.size,
        radius=radius,
        complete=complete,
        backend=picked.backend,
    )


def _interleave(radii: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Order the picks of all classes by their share of the class's budget; return it with the radius of each prefix."""
    sizes = [len(part) for part in radii]
    order = interleave(sizes)
    label = np.repeat(np.arange(len(sizes)), sizes)[order]
    own = np.concatenate(radii)[order]
    current = np.full(len(sizes), np.inf)
    prefix = np.empty(len(order))
    for place in range(len(order)):
        current[label[place]] = own[place]
        prefix[place] = current.max()
    return order, prefix
