"""The coreset that is hard to beat: k-means in each class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import repeat
from numbers import Integral, Real
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import BaseDistiller, Outcome, iterative_constraints
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.shared._joint_space import joint_points
from distillkit.coresets.shared._time_budget import split_time_budget
from distillkit.neighbors import KMeansResult, gpu_wanted, kmeans
from distillkit.neighbors._empty_clusters import squared_distances_to_centers
from distillkit.neighbors._lloyd import group_sums
from distillkit.neighbors._threads import block_threads, thread_count

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["KMeansCoreset"]

_UNEVEN = 1.25  # work of the largest group over what each thread would have of all: above, threads share each group


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
    Where no class has much more work than a thread's part of all, and there is neither a GPU nor `max_seconds`, each thread
    takes a class, and memory is that of as many classes; the result is the same.
    k-means++ start: Arthur and Vassilvitskii, SODA 2007. On a GPU, and for up to 16 columns, faiss clusters: Johnson et al.,
    arXiv:1702.08734; see `distillkit.neighbors.kmeans`.

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
        gpu = gpu_wanted(self.device)
        seeds, parts, broken = [run.seed() for _ in rows.groups], [], Event()
        in_turn = gpu or run.max_seconds is not None or _is_uneven(rows)

        def of_group(group: Group, seed: int, should_stop: Callable[[], bool] | None) -> tuple[KMeansResult, Outcome]:
            with _setting(broken):
                found = self._cluster(rows, group, seed, self.device if gpu else "cpu", should_stop)
                return found, self._represent(rows, group, found)

        # once an error, or Ctrl-C, ends one of them, the others end after their step
        rules = split_time_budget(rows, run) if in_turn else repeat(broken.is_set, len(seeds))
        with nullcontext(map) if in_turn else block_threads(_numbers(rows)) as each, _setting(broken):
            for group, (found, part) in zip(rows.groups, each(of_group, rows.groups, seeds, rules), strict=True):
                self._record(run, group, found)
                parts.append(part)
        return _join(parts, rows)

    def _cluster(
        self, rows: TrainingRows, group: Group, seed: int, device: str, should_stop: Callable[[], bool] | None
    ) -> KMeansResult:
        return kmeans(
            joint_points(rows, group, self.target_weight),
            group.size,
            weights=None if rows.weight is None else rows.weight[group.rows],
            max_iter=self.max_iter,
            n_init=self.n_init,
            spherical=self.spherical,
            seed=seed,
            device=device,
            should_stop=should_stop,
        )

    def _record(self, run: Run, group: Group, found: KMeansResult) -> None:
        run.n_iter = max(run.n_iter, found.n_iter)
        run.record(
            label=group.label,
            rows=len(group.rows),
            size=group.size,
            inertia=found.inertia,
            n_iter=found.n_iter,
            backend=found.backend,
        )

    def _represent(self, rows: TrainingRows, group: Group, found: KMeansResult) -> Outcome:
        """Rows of one group: picked, or made with the mean of a continuous target."""
        weight = None if rows.weight is None else rows.weight[group.rows]
        mass = np.bincount(found.labels, weights=weight)
        if self.representative == "member":
            # rows by cluster, the nearest first, so that each cluster's first row is its nearest: distinct by construction
            order = np.lexsort((found.squared_distances, found.labels))
            first = np.concatenate([[0], np.cumsum(np.bincount(found.labels))[:-1]])
            return Outcome(indices=group.rows[order[first]], weight=mass)
        own = rows.flat if len(group.rows) == len(rows.flat) else rows.flat[group.rows]
        factor = np.ones(len(own)) if weight is None else weight.astype(np.float64)
        with block_threads(own.size) as each:
            means = group_sums(own, found.labels, len(mass), factor, each) / mass[:, None]
        offset = float(squared_distances_to_centers(own, means, found.labels) @ factor)
        labels: np.ndarray | None = None
        if rows.y is not None and rows.task == "regression":
            labels = np.bincount(found.labels, weights=factor * rows.y[group.rows]) / mass
        elif rows.y is not None:
            labels = np.full(len(mass), group.label, dtype=rows.y.dtype)
        return Outcome(X=means, y=labels, weight=mass, offset=offset)


@contextmanager
def _setting(broken: Event) -> Iterator[None]:
    try:
        yield
    except BaseException:
        broken.set()
        raise


def _is_uneven(rows: TrainingRows) -> bool:
    """Tell whether threads that take a group each would wait long for the one with most work."""
    work = _work(rows)
    return max(work) * thread_count() > _UNEVEN * sum(work)


def _numbers(rows: TrainingRows) -> int:
    """What `block_threads` asks for: all numbers, and the arithmetic of a step in units of 64."""
    columns = int(rows.points.shape[1])
    return max(columns * len(rows.points), columns * sum(_work(rows)) // 64)


def _work(rows: TrainingRows) -> list[int]:
    return [len(group.rows) * group.size for group in rows.groups]


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
