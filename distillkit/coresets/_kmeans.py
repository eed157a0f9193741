"""The coreset that is hard to beat: k-means in each class."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit._feature_space import FEATURE_SPACE
from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.coresets._clock import stop_rules
from distillkit.coresets._joint import joint_points
from distillkit.neighbors import KMeansResult, kmeans
from distillkit.neighbors._empty import squared_distances_to_owner
from distillkit.neighbors._lloyd import group_sums
from distillkit.neighbors._threads import block_threads

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["KMeansCoreset"]


class KMeansCoreset(BaseDistiller):
    """Centroids of k-means in each class, or the row nearest to each, weighted by the rows of their clusters.

    Centroids minimise ``sum_i |x_i - c(i)|^2`` within each class and keep the mean: the weighted mean of a class's
    distilled rows is the mean of the class. Without y, all rows are one group.

    A continuous target is clustered together with the features, as one more column

    ``target_weight * (y - mean(y)) / std(y) * sqrt(mean_j var(x_j))``,

    so that with ``target_weight=1`` the target counts as much as one average feature; each centroid's target is the
    mean of its rows' targets.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`. Exactly this many rows come back, also where a class has fewer different rows.
    representative : {"centroid", "member"}, default="centroid"
        "centroid": made rows, each the mean of a cluster. "member": picked rows, of each cluster the one nearest to
        its centroid: all different, from the class itself.
    target_weight : float, default=1.0
        Weight of a continuous target beside the features; 0 ignores it while clustering. ``sqrt(d)`` gives it as much
        variance as all d features together. Larger values serve local models (neighbours, trees); linear models
        prefer small ones, because grouping rows by their target biases slopes.
    spherical : bool, default=False
        Cluster by direction (cosine): rows are scaled to unit length for the clustering alone. Distilled rows stay
        in the units of X. A continuous target is one of the columns so scaled.
    n_init : int, default=1
        Starts per class, of which the one with the lowest inertia is kept.
    max_iter : int, default=25
        Steps per class at most.
    max_seconds : float or None, default=None
        Wall-clock budget, divided over the classes by their work and checked during the k-means++ start and after each
        step; each class gets at least one step.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : {"auto", "cpu", "cuda"}, default="auto"
        "auto" takes a GPU if faiss sees one.
    feature_space : transformer, torch module, callable or None, default=None
        Where rows are clustered; centroids are then the means of their members' own rows. See `feature_rows`.
    certify : bool, default=False
        Measure `error_` after the fit.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    n_iter_ : int
        Steps of the class that took most.
    history_ : list of dict
        One per class: label, rows, size, inertia (in the space that was clustered), n_iter, backend, seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    Time O(n k d) per step, where n and k are of one class at a time; memory a float32 copy of the class and 320 bytes per row.
    k-means++ start: Arthur and Vassilvitskii, SODA 2007. On a GPU faiss clusters: Johnson et al., arXiv:1702.08734.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [10.0], [11.0], [12.0], [50.0]])
    >>> y = np.array(["a", "a", "a", "a", "a", "b"])
    >>> coreset = KMeansCoreset(budget={"a": 2, "b": 1}, random_state=0).fit(X, y)
    >>> sorted(coreset.X_distilled_.ravel().tolist()), sorted(coreset.sample_weight_.tolist())
    ([0.5, 11.0, 50.0], [1.0, 2.0, 3.0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "representative": [StrOptions({"centroid", "member"})],
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "spherical": ["boolean"],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "device": [StrOptions({"auto", "cpu", "cuda"})],
        "feature_space": FEATURE_SPACE,
        "certify": ["boolean"],
    }
    _weighs_rows: ClassVar[bool] = True

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        representative: str = "centroid",
        target_weight: float = 1.0,
        spherical: bool = False,
        n_init: int = 1,
        max_iter: int = 25,
        max_seconds: float | None = None,
        task: str = "auto",
        device: str = "auto",
        feature_space: Any = None,
        certify: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.representative = representative
        self.target_weight = target_weight
        self.spherical = spherical
        self.n_init = n_init
        self.max_iter = max_iter
        self.max_seconds = max_seconds
        self.device = device
        self.feature_space = feature_space
        self.certify = certify

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        y = rows.y if rows.task == "regression" else None
        parts = []
        for group, should_stop in zip(rows.groups, stop_rules(rows, run), strict=True):
            found = self._cluster(rows, group, run, should_stop)
            parts.append(self._represent(rows, y, group, found))
        return _join(parts, rows)

    def _cluster(
        self, rows: TrainingRows, group: Group, run: Run, should_stop: Callable[[], bool] | None
    ) -> KMeansResult:
        found = kmeans(
            joint_points(rows, group, self.target_weight),
            group.size,
            weights=None if rows.weight is None else rows.weight[group.rows],
            max_iter=self.max_iter,
            n_init=self.n_init,
            spherical=self.spherical,
            seed=run.seed(),
            device=self.device,
            should_stop=should_stop,
        )
        run.n_iter = max(run.n_iter, found.n_iter)
        run.record(
            label=group.label,
            rows=len(group.rows),
            size=group.size,
            inertia=found.inertia,
            n_iter=found.n_iter,
            backend=found.backend,
        )
        return found

    def _represent(self, rows: TrainingRows, y: np.ndarray | None, group: Group, found: KMeansResult) -> Outcome:
        """Rows of one group: picked, or made with the mean of a continuous target."""
        weight = None if rows.weight is None else rows.weight[group.rows]
        mass = np.bincount(found.owner, weights=weight)
        if self.representative == "member":
            # rows by cluster, the nearest first, so that each cluster's first row is its nearest: distinct by construction
            order = np.lexsort((found.squared_distances, found.owner))
            first = np.concatenate([[0], np.cumsum(np.bincount(found.owner))[:-1]])
            return Outcome(indices=group.rows[order[first]], weight=mass)
        own = rows.flat if len(group.rows) == len(rows.flat) else rows.flat[group.rows]
        factor = np.ones(len(own)) if weight is None else weight.astype(np.float64)
        with block_threads(own.size) as each:
            means = group_sums(own, found.owner, len(mass), factor, each) / mass[:, None]
        offset = float(squared_distances_to_owner(own, means, found.owner) @ factor)
        labels: np.ndarray | None = None
        if y is not None:
            labels = np.bincount(found.owner, weights=factor * y[group.rows]) / mass
        elif rows.y is not None:
            labels = np.full(len(mass), group.label, dtype=rows.y.dtype)
        return Outcome(X=means, y=labels, weight=mass, offset=offset)


def _join(parts: list[Outcome], rows: TrainingRows) -> Outcome:
    weight = np.concatenate([np.asarray(part.weight, dtype=np.float64) for part in parts])
    if parts[0].indices is not None:
        return Outcome(
            indices=np.concatenate([part.indices for part in parts if part.indices is not None]), weight=weight
        )
    X = np.concatenate([part.X for part in parts if part.X is not None])
    y = None if rows.y is None else np.concatenate([part.y for part in parts if part.y is not None])
    offset = sum(part.offset or 0.0 for part in parts)
    return Outcome(X=X.reshape(-1, *rows.X.shape[1:]), y=y, weight=weight, offset=offset)
