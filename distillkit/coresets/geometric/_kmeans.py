"""The k-means coreset, which replaces each class by the centers of its clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import repeat
from numbers import Integral, Real
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.base import BaseDistiller, Outcome, WeightedDistiller, iterative_constraints
from distillkit.base._feature_space import FEATURE_SPACE
from distillkit.coresets.shared._joint_space import joint_points
from distillkit.coresets.shared._time_budget import split_time_budget
from distillkit.neighbors import KMeansResult, gpu_wanted, kmeans, medoids, squared_distances_to_centers
from distillkit.neighbors._dask import is_dask
from distillkit.neighbors._lloyd import group_sums
from distillkit.neighbors._threads import block_threads, thread_count

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["KMeansCoreset"]

_UNEVEN = 1.25
"""Work of the largest group relative to one thread's share of all work, above which the groups are
clustered one after another and the threads share the work within each group."""


class KMeansCoreset(WeightedDistiller):
    """Cluster each class by k-means and keep the centroids, or the row nearest to each centroid.

    Each distilled row is weighted by the number of rows of its cluster. Centroids minimize
    ``sum_i |x_i - c(i)|^2`` within each class, and the weighted mean of the centroids of a class is
    the mean of the class. Without y, all rows are one group.

    A continuous target is clustered together with the features, as one more column

    ``target_weight * (y - mean(y)) / std(y) * sqrt(mean_j var(x_j))``,

    so that with ``target_weight=1`` the target counts as much as one average feature. The target of
    a centroid is the mean of the targets of its rows.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`. Exactly this many rows are returned, even if a class has fewer distinct
        rows.
    representative : {"centroid", "member"}, default="centroid"
        "centroid" returns synthetic rows, each the mean of a cluster. "member" returns, for each
        cluster, the training row nearest to its centroid; no row is returned twice.
    target_weight : float, default=1.0
        Weight of a continuous target relative to the features; 0 ignores it in the clustering.
        ``sqrt(d)`` gives it as much variance as all d features together. Larger values suit local
        models (neighbors, trees). Linear models need small values, because grouping rows by their
        target biases the slopes.
    spherical : bool, default=False
        Whether to cluster by direction (cosine): rows are scaled to unit length for the clustering
        alone, and a continuous target is one of the columns scaled this way. Distilled rows stay in
        the units of X.
    n_init : int, default=1
        Number of starts per class, of which the one with the lowest inertia is kept.
    max_iter : int, default=25
        Maximal number of steps per class.
    max_seconds : float or None, default=None
        Wall-clock budget, divided over the classes in proportion to their work and checked during
        the k-means++ start and after each step; each class gets at least one step.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where rows are clustered; "auto" takes a GPU if faiss finds one.
    feature_space : transformer, torch module, callable or None, default=None
        Space in which rows are clustered; centroids are then the means of the original rows of the
        clusters. See `feature_rows`.
    certify : bool, default=False
        Whether to measure `error_` after the fit; see `distillkit.coresets.certify`.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    n_iter_ : int
        Number of steps in the class that took the most.
    history_ : list of dict
        One entry per class: label, rows, size, inertia (in the space of the clustering), n_iter,
        backend, seconds.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    Time is O(n k d) per step, where n and k are the rows and clusters of one class at a time.
    Memory is a float32 copy of the class and 320 bytes per row. Without a GPU and without
    `max_seconds`, several classes are clustered in parallel threads if their work is balanced;
    memory is then that of as many classes, and the result is the same. The encoded rows of a mixed
    table are computed block by block if they take more than 256 MiB, and are then never in memory
    at once, except on a GPU, with ``spherical=True``, `certify` or a `feature_space`.

    Rows of a dask array or frame are clustered by `distillkit.neighbors.dask_kmeans` on the workers
    of dask, all classes in the same passes; see there for the memory. A continuous target,
    ``spherical=True``, a `feature_space` and `certify` need rows in memory. There are three starts
    at least, on a sample, and the steps end where one lowers the cost by less than 0.01 percent.

    The start is k-means++ (Arthur and Vassilvitskii, SODA 2007). On a GPU, and on the CPU for up to
    16 columns, faiss clusters (Johnson et al., arXiv:1702.08734); see
    `distillkit.neighbors.kmeans`.

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
    _reads_in_blocks: ClassVar[bool] = True
    _accepts_sparse: ClassVar[bool] = True

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
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.representative = representative
        self.target_weight = target_weight
        self.spherical = spherical
        self.n_init = n_init
        self.max_iter = max_iter
        self.max_seconds = max_seconds
        self.verbose = verbose
        self.device = device
        self.feature_space = feature_space
        self.certify = certify

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Distill (X, y) and set the fitted attributes.

        Parameters
        ----------
        X : array-like or dask array of shape (n, ...), or dask frame of numbers
            The rows of a dask collection are clustered on the workers of dask, chunk by chunk.
        y : array-like or dask array of shape (n,) or None
            Class labels, or, for rows in memory, numbers.
        sample_weight : array-like or dask array of shape (n,), number or None, default=None
            Weights of the rows: a row of weight k counts as k rows.

        Returns
        -------
        self

        Raises
        ------
        BudgetError
            If there are fewer rows of positive weight than the budget asks for.
        DataError
            If the weights are not one finite number for each row, none negative and not all zero;
            or, for a dask collection, if a chunk is invalid or a parameter needs rows in memory.
        MissingPackageError
            If dask is not installed.
        ValueError
            If X or y are invalid; see `BaseDistiller.fit`.
        """
        if is_dask(X):
            self._fit_chunks(X, y, sample_weight)
            return self
        super().fit(X, y, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def _fit_chunks(self, X: Any, y: Any, sample_weight: Any) -> None:
        from distillkit.coresets.geometric._kmeans_of_chunks import fit_chunks

        fit_chunks(self, X, y, sample_weight)

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        gpu = gpu_wanted(self.device)
        seeds, outcomes, failed = [run.seed() for _ in rows.groups], [], Event()
        one_by_one = gpu or run.max_seconds is not None or _is_uneven(rows)

        def distill_group(
            group: Group, seed: int, should_stop: Callable[[], bool] | None
        ) -> tuple[KMeansResult, Outcome]:
            with _set_on_error(failed):
                clustering = self._cluster(rows, group, seed, self.device if gpu else "cpu", should_stop)
                return clustering, self._represent(rows, group, clustering)

        # Groups are clustered one by one with a time limit each, or in parallel threads. In
        # parallel, an error or Ctrl-C in one group ends the other groups after their current step.
        stop_rules = (
            split_time_budget(rows.groups, run, by_row=False) if one_by_one else repeat(failed.is_set, len(seeds))
        )
        with nullcontext(map) if one_by_one else block_threads(_work_size(rows)) as parallel_map, _set_on_error(failed):
            for group, (clustering, outcome) in zip(
                rows.groups, parallel_map(distill_group, rows.groups, seeds, stop_rules), strict=True
            ):
                self._record(run, group, clustering)
                outcomes.append(outcome)
                run.progress.update(sum(group.size for group in rows.groups[: len(outcomes)]), rows.size)
        return _join(outcomes, rows)

    def _cluster(
        self, rows: TrainingRows, group: Group, seed: int, device: str, should_stop: Callable[[], bool] | None
    ) -> KMeansResult:
        return kmeans(
            joint_points(rows, group, self.target_weight),
            group.size,
            weights=rows.weight_in(group),
            max_iter=self.max_iter,
            n_init=self.n_init,
            spherical=self.spherical,
            seed=seed,
            device=device,
            should_stop=should_stop,
        )

    def _record(self, run: Run, group: Group, clustering: KMeansResult) -> None:
        run.n_iter = max(run.n_iter, clustering.n_iter)
        run.record(
            label=group.label,
            rows=len(group.rows),
            size=group.size,
            inertia=clustering.inertia,
            n_iter=clustering.n_iter,
            backend=clustering.backend,
        )

    def _represent(self, rows: TrainingRows, group: Group, clustering: KMeansResult) -> Outcome:
        """Return the distilled rows of one group: medoids, or centroids with their targets."""
        weight = rows.weight_in(group)
        cluster_weight = np.bincount(clustering.labels, weights=weight)
        if self.representative == "member":
            return Outcome(indices=group.rows[medoids(clustering)], weight=cluster_weight)
        # 1. Average the rows of each cluster in the units of X, whatever the feature space.
        group_rows = rows.flat_of(group)
        weights = np.ones(len(group_rows)) if weight is None else weight.astype(np.float64)
        with block_threads(group_rows.size) as parallel_map:
            means = (
                group_sums(group_rows, clustering.labels, len(cluster_weight), weights, parallel_map)
                / cluster_weight[:, None]
            )
        # 2. Keep the spread within the clusters, a constant term of the k-means cost of all rows.
        offset = float(squared_distances_to_centers(group_rows, means, clustering.labels) @ weights)
        # 3. Label the centroids with their class, or with the mean target of their rows.
        labels: np.ndarray | None = None
        if rows.y is not None and rows.task == "regression":
            labels = np.bincount(clustering.labels, weights=weights * rows.y[group.rows]) / cluster_weight
        elif rows.y is not None:
            labels = np.full(len(cluster_weight), group.label, dtype=rows.y.dtype)
        return Outcome(X=means, y=labels, weight=cluster_weight, offset=offset)


@contextmanager
def _set_on_error(event: Event) -> Iterator[None]:
    """Set the event if the block raises an exception, KeyboardInterrupt included."""
    try:
        yield
    except BaseException:
        event.set()
        raise


def _is_uneven(rows: TrainingRows) -> bool:
    """Whether threads that take one group each would wait long for the group with the most work."""
    work = _work(rows)
    return max(work) * thread_count() > _UNEVEN * sum(work)


def _work_size(rows: TrainingRows) -> int:
    """Return the size of the whole computation in the unit of `block_threads` (numbers read)."""
    columns = int(rows.points.shape[1])
    return max(columns * rows.n_rows, columns * sum(_work(rows)) // 64)


def _work(rows: TrainingRows) -> list[int]:
    """Return the work of each group in one step, as rows times clusters."""
    return [len(group.rows) * group.size for group in rows.groups]


def _join(outcomes: list[Outcome], rows: TrainingRows) -> Outcome:
    """Concatenate the outcomes of the groups."""
    weight = np.concatenate([np.asarray(outcome.weight, dtype=np.float64) for outcome in outcomes])
    if outcomes[0].indices is not None:
        return Outcome(
            indices=np.concatenate([outcome.indices for outcome in outcomes if outcome.indices is not None]),
            weight=weight,
        )
    X = np.concatenate([outcome.X for outcome in outcomes if outcome.X is not None])
    y = None if rows.y is None else np.concatenate([outcome.y for outcome in outcomes if outcome.y is not None])
    offset = sum(outcome.offset or 0.0 for outcome in outcomes)
    return Outcome(X=X.reshape(-1, *rows.X.shape[1:]), y=y, weight=weight, offset=offset)
