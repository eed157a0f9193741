"""The fit of the k-means coreset for rows of a dask array, which no machine holds together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.base import Outcome, Run, TrainingRows
from distillkit.base._outcome import SourceSummary, distilled_pair
from distillkit.budget import Budget
from distillkit.exceptions import DataError
from distillkit.neighbors._chunked_kmeans import ChunkedKMeansResult, cluster_chunks, describe_chunks
from distillkit.neighbors._dask import DaskChunks
from distillkit.utils._process_settings import standard_settings
from distillkit.utils._progress import progress_task, shown_progress

if TYPE_CHECKING:
    from distillkit.neighbors._chunk_steps import Description

__all__ = ["fit_chunks"]

_TOL = 1e-4  # relative fall of the cost in a step, after which another step is worth its pass
_STARTS = 3  # at least, of the clustering of the sample, which take no pass over all rows
_IN_MEMORY = {"spherical": False, "feature_space": None, "certify": False}
"""Parameters that need all rows in memory for other values than these."""

_MOST_LABELS = 20  # whole numbers of which there are more, and more than a twentieth, are no labels


@standard_settings()
def fit_chunks(coreset: Any, X: Any, y: Any, sample_weight: Any) -> None:
    """Cluster the rows of each class on the workers of dask, and set the fitted attributes.

    Parameters
    ----------
    coreset : KMeansCoreset
    X, y, sample_weight
        See `KMeansCoreset.fit`.
    """
    _check(coreset)
    run = Run(coreset.max_seconds, coreset.random_state)
    with (
        shown_progress(enabled=coreset.verbose),
        progress_task(type(coreset).__name__, "pass", run.max_seconds) as run.progress,
    ):
        # 1. Count the rows of each class, and divide the budget among them.
        chunks, seed = DaskChunks(X, y, sample_weight), run.seed()
        described = dict(sorted(describe_chunks(chunks, seed).items()))
        if y is not None:
            _check_labels(coreset, described)
        n_rows = sum(one.count for one in described.values())
        budget, counts = Budget(coreset.budget), {label: one.count for label, one in described.items()}
        sizes = {None: budget.total(n_rows)} if y is None else budget.per_class(counts)
        # 2. Cluster all classes in the same passes over the rows.
        found = cluster_chunks(
            chunks,
            described,
            sizes,
            max_iter=coreset.max_iter,
            n_init=max(_STARTS, coreset.n_init),
            tol=_TOL,
            seed=seed,
            should_stop=run.out_of_time,
        )
    for label, one in found.items():
        run.n_iter = max(run.n_iter, one.n_iter)
        run.record(
            label=label, rows=one.n_rows, size=sizes[label], inertia=one.inertia, n_iter=one.n_iter, backend="dask"
        )
    # 3. Return the centroids, or the row nearest to each.
    _store(coreset, X, chunks, found, run, weighted=sample_weight is not None, labeled=y is not None)


def _check(coreset: Any) -> None:
    for name, value in _IN_MEMORY.items():
        if getattr(coreset, name) != value:
            raise DataError(
                f"{name}={getattr(coreset, name)!r} needs all rows in memory: give {name}={value!r} for a dask array, "
                "or the rows as a NumPy array."
            )
    if coreset.task == "regression":
        raise DataError(
            "task='regression' needs all rows in memory: give them as a NumPy array, or use StreamingCoreset."
        )


def _check_labels(coreset: Any, described: dict[Any, Description]) -> None:
    """Refuse a continuous target, unless the task says that it holds labels."""
    labels, n_rows = list(described), sum(one.count for one in described.values())
    if coreset.task == "classification" or not all(isinstance(label, (int, float)) for label in labels):
        return
    whole = all(float(label).is_integer() for label in labels)
    if not whole or len(labels) > max(_MOST_LABELS, n_rows / _MOST_LABELS):
        raise DataError(
            f"y holds {len(labels)} different numbers, a continuous target, which needs all rows in memory: give "
            "task='classification' if they are labels, or use StreamingCoreset."
        )


def _store(
    coreset: Any,
    X: Any,
    chunks: DaskChunks,
    found: dict[Any, ChunkedKMeansResult],
    run: Run,
    *,
    weighted: bool,
    labeled: bool,
) -> None:
    """Set the fitted attributes."""
    results, picks = list(found.values()), coreset.representative == "member"
    rows = np.concatenate([one.members if picks else one.centroids for one in results])
    rows = rows.reshape(len(rows), *chunks.shape[1:])
    weight = np.concatenate([one.weights for one in results])
    labels = np.array(list(found)) if labeled else None
    y = None if labels is None else np.repeat(labels, [len(one.weights) for one in results])
    task = "classification" if labeled else None
    dtype = chunks.dtype if chunks.dtype.kind == "f" else np.dtype(np.float64)
    pair = distilled_pair(Outcome(X=rows, y=y), np.empty((0, *rows.shape[1:]), dtype), TrainingRows(rows, y, task, ()))
    # The base takes the positions of selected rows from the outcome, and the rows from the pair.
    outcome = Outcome(X=rows, y=y, weight=weight, offset=float(sum(one.inertia for one in results)))
    if picks:
        starts = np.concatenate([[0], np.cumsum(chunks.lengths())])
        places = np.concatenate([one.places for one in results])
        outcome = Outcome(indices=starts[places[:, 0]] + places[:, 1], weight=weight)
        pair = rows.astype(chunks.dtype, copy=False), pair[1]
    n_rows, n_features = sum(one.n_rows for one in results), int(chunks.shape[1])
    total = float(weight.sum()) if weighted else None
    nbytes = n_rows * int(np.prod(chunks.shape[1:])) * chunks.dtype.itemsize
    counts = np.array([one.n_rows for one in results]) if labeled else None
    coreset.n_features_in_ = n_features
    coreset.__dict__.pop("feature_names_in_", None)
    if hasattr(X, "columns"):
        coreset.feature_names_in_ = np.asarray(X.columns, dtype=object)
    coreset._set_results(outcome, pair, SourceSummary(n_rows, nbytes, task, labels, counts, total), run)  # noqa: SLF001
