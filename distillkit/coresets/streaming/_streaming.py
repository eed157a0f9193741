"""A coreset of rows that arrive in pieces and do not fit into memory, by merge-and-reduce."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval

from distillkit.base import BaseDistiller, Outcome, Run, TrainingRows, WeightedDistiller, iterative_constraints
from distillkit.base._input_weights import in_input, positive_weight
from distillkit.base._outcome import SourceSummary, distilled_pair
from distillkit.budget import Budget
from distillkit.coresets.streaming._merge_reduce import Summary, Tree
from distillkit.coresets.streaming._sources import is_stream, pieces_of
from distillkit.coresets.streaming._stream_checks import check_chunk, reducing_method
from distillkit.exceptions import DataError
from distillkit.utils._containers import label_array
from distillkit.utils._interpolation import to_dtype
from distillkit.utils._process_settings import standard_settings
from distillkit.utils._progress import progress_task, shown_progress
from distillkit.utils._targets import one_column

__all__ = ["StreamingCoreset"]

_RESULTS = (
    "X_distilled_",
    "y_distilled_",
    "sample_weight_",
    "sample_indices_",
    "ranking_",
    "history_",
    "preprocessing_",
    "distilled_",
)


_MANY_VALUES = 20  # so many different whole numbers are a continuous target in any chunk


class StreamingCoreset(WeightedDistiller):
    """Apply a coreset method to a stream of rows in one pass and with bounded memory.

    Rows are collected in blocks. Each full block is reduced to a summary, and two summaries that
    represent equally many rows are merged and reduced to one (merge-and-reduce). The result is the
    reduction of all rows held in memory. It depends on the order of the rows, on `chunk_size` and
    on `random_state`, but not on how the rows are divided into chunks or where they come from. For
    up to `chunk_size` rows it is exactly the result of the method itself.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`. With a share, memory grows with the number of rows, because the result
        does; see the notes.
    coreset : str or distiller, default="kmeans"
        Method that computes the result: a registered name ("kmeans:medoids", "kcenter", "herding",
        "facility-location", "lightweight", "sensitivity", "random", ...) or an instance that uses
        row weights. Its own `budget`, `task`, `max_seconds` and `random_state` are ignored.
        "random" selects rows whose weighted sums are unbiased (VarOpt). A `feature_space` is fitted
        on each block anew, unless it is a `sklearn.frozen.FrozenEstimator`.
    summary : str, distiller or None, default=None
        Method that computes the summaries; None takes `coreset`. If `coreset` is slow,
        ``summary="random"`` with a large `oversampling`, such as 20, runs it only once, on a large
        random sample of the stream.
    chunk_size : int, default=65536
        Number of rows of a block.
    oversampling : float, default=2.0
        Rows of a summary per row of the result, at least 1. Each level of summaries adds an error,
        which larger summaries reduce.
    max_seconds : float or None, default=None
        Wall-clock budget of `fit`, checked between blocks. Rows not read in time are ignored, and
        the weights sum to the number of rows read. The last reduction gets the remaining time, but
        at least a tenth of the budget.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`. "auto" is resolved by the whole y if it is in memory, otherwise by the
        first chunk. A first chunk of so few whole numbers that they may be labels or measurements
        raises an error that asks for the task.
    verbose : bool, default=False
        Whether to show the progress of `fit`; see `BaseDistiller`.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    n_rows_seen_ : int
        Number of rows so far, without those of weight zero.
    n_rows_held_ : int
        Number of rows in memory.
    history_ : list of dict
        One entry per summary in memory (level, rows that it represents, size), then those of the
        last reduction.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    For a budget of m rows in all and n rows of the stream, memory holds at most

    ``chunk_size + oversampling * m * (log2(n / chunk_size) + 2)``

    rows, besides the arriving chunk and the working memory of the method for `chunk_size` rows (in
    the last reduction, for all rows held). Time is that of the method for n rows in blocks of
    `chunk_size`: linear in n.

    Offsets of the reductions (``distilled_.provenance["offset"]``, see `Outcome`) add up.

    References
    ----------
    Bentley and Saxe, Journal of Algorithms 1, 1980; Har-Peled and Mazumdar, STOC 2004,
    arXiv:1810.12826.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> stream = StreamingCoreset(budget=20, coreset="random", chunk_size=100, random_state=0)
    >>> for _ in range(50):
    ...     stream = stream.partial_fit(rng.normal(size=(30, 2)))
    >>> stream.X_distilled_.shape, round(stream.sample_weight_.sum()), stream.n_rows_held_ < 400
    ((20, 2), 1500, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseDistiller._parameter_constraints,
        **iterative_constraints(),
        "coreset": [str, HasMethods(["_distill", "fit_resample"])],
        "summary": [str, HasMethods(["_distill", "fit_resample"]), None],
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
        "oversampling": [Interval(Real, 1, None, closed="left")],
    }

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        coreset: Any = "kmeans",
        summary: Any = None,
        chunk_size: int = 65_536,
        oversampling: float = 2.0,
        max_seconds: float | None = None,
        task: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.coreset = coreset
        self.summary = summary
        self.chunk_size = chunk_size
        self.oversampling = oversampling
        self.max_seconds = max_seconds
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Distill rows that are in memory, in a file, or arrive chunk by chunk.

        Parameters
        ----------
        X : array-like, memmap, str, path or iterable
            An array as for any distiller; a NumPy memory map; the path of a Parquet file (read by
            row groups) or of a ``.npy`` file; or an iterable, such as a list, a generator or a
            DataLoader, of chunks X, pairs (X, y) or triples (X, y, sample_weight). Items of a list
            are chunks if all are pairs or triples, or frames or arrays of at least two axes; any
            other list is an array.
        y : array-like of shape (n,), list, str or None
            Labels or numbers. For a Parquet file it is the name of the column that holds them. For
            a list of chunks it may be a list with the labels of each chunk; for any other iterable
            it must be None.
        sample_weight : array-like of shape (n,), str or None
            Weights of the rows: a row of weight k counts as k rows. For a Parquet file it is the
            name of the column that holds them; for an iterable it must be None.

        Returns
        -------
        self

        Raises
        ------
        BudgetError
            If there are fewer rows than the budget asks for.
        DataError
            If a chunk is invalid; the message gives its number. The chunks before it are kept, see
            `partial_fit`.
        """
        if is_stream(X, y):
            self._fit_stream(X, y, sample_weight)
        else:
            super().fit(X, y, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def _fit_stream(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Add all pieces of a stream, and compute the result."""
        self._reset()
        run = Run(self.max_seconds)
        y_in_memory = y if isinstance(X, np.memmap) else None
        y_in_memory = None if y_in_memory is None else one_column(np.asarray(label_array(y_in_memory)))
        with (
            shown_progress(enabled=bool(getattr(self, "verbose", False))),
            progress_task(type(self).__name__, "chunk", run.max_seconds) as run.progress,
        ):
            for piece, labels, weight in pieces_of(X, y, sample_weight, self.chunk_size):
                if self.__dict__.get("_tree") is not None and run.out_of_time():
                    break
                self._add_chunk(piece, labels, self._resolve_task(y_in_memory), weight)
                run.progress.update(self._chunks)
            if self.__dict__.get("_tree") is None:
                raise DataError("the stream has no rows (n_samples = 0): give at least one row.")
            self._finish(run)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Add the next chunk of rows.

        The fitted attributes (`distilled_` and the others) refer to all rows so far. They are
        computed when first accessed, so that intermediate chunks cost no last reduction. A chunk
        that is invalid, or whose processing is interrupted, leaves the state as it was before.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Any number of rows.
        y : array-like of shape (n,) or None
            Must be given for all chunks or for none. New classes may appear.
        sample_weight : array-like of shape (n,), number or None
            Weights of the rows; None means 1 for each.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the chunk is invalid: rows of a different shape than before, NaN, infinity, labels
            that are missing or of a different kind. The message gives the number of the chunk.
        """
        clock = Run()
        self._add_chunk(X, y, None, sample_weight)
        self._seconds = self.__dict__.get("_seconds", 0.0) + clock.seconds
        return self

    def _reset(self) -> None:
        """Remove the state and the results of an earlier fit."""
        for name in (*_RESULTS, "_tree", "_chunks", "_bytes", "_dtype", "_shape", "_seconds", "_stale"):
            self.__dict__.pop(name, None)

    @standard_settings()
    def _add_chunk(self, X: Any, y: Any, task: str | None, sample_weight: Any = None) -> None:
        """Check a chunk and add it to the tree; on any error the state stays as it was."""
        self._chunks = self.__dict__.get("_chunks", 0) + 1
        tree: Tree | None = self.__dict__.get("_tree")
        if tree is not None and hasattr(X, "__len__") and len(X) == 0:
            return
        try:
            source, rows, labels = self._validate(X, y, reset=tree is None)
            weight, positions = positive_weight(sample_weight, rows, all_zero=True)
            new_tree = (
                self._new_tree(self._task_of_first_chunk(labels) if task is None else task)
                if tree is None
                else tree.copy()
            )
            if tree is not None:
                check_chunk(rows, labels, tree, self.__dict__["_shape"], guessed=self.task == "auto")
        except DataError as exc:
            raise type(exc)(f"chunk {self._chunks}: {exc}") from exc
        except ValueError as exc:
            raise DataError(f"chunk {self._chunks}: {exc}") from exc
        new_tree.add(np.array(rows), None if labels is None else np.array(labels), weight, positions)
        for name in _RESULTS:
            self.__dict__.pop(name, None)
        self._bytes = self.__dict__.get("_bytes", 0) + source.nbytes + (0 if labels is None else labels.nbytes)
        self._dtype = np.result_type(source.dtype, self.__dict__.get("_dtype", source.dtype))
        self._shape, self._tree, self._stale = rows.shape[1:], new_tree, True

    def _task_of_first_chunk(self, labels: np.ndarray | None) -> str | None:
        """Infer the task, and refuse to where a chunk of few rows leaves it open."""
        task = self._resolve_task(labels)
        if self.task == "auto" and task == "regression" and labels is not None:
            is_whole = labels.dtype.kind in "iu" or bool(np.all(labels == np.floor(labels)))
            if is_whole and len(np.unique(labels)) <= _MANY_VALUES:
                raise DataError(
                    f"the first chunk has {len(labels)} rows, too few to tell whether its whole numbers are class "
                    "labels or a continuous target: give task='classification' or task='regression'."
                )
        return task

    def _new_tree(self, task: str | None) -> Tree:
        """Return the state of an empty stream."""
        state = self.random_state
        seed = int(state) if isinstance(state, Integral) else int(check_random_state(state).randint(2**31 - 1))
        method = reducing_method("coreset", self.coreset)
        summary = method if self.summary is None else reducing_method("summary", self.summary)
        return Tree(method, summary, Budget(self.budget), task, self.chunk_size, self.oversampling, seed)

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        """Distill rows that are in memory, block by block."""
        self._reset()
        self._tree = self._new_tree(rows.task)
        for begin in range(0, len(rows.X), self.chunk_size):
            if begin and run.out_of_time():
                break
            part = slice(begin, begin + self.chunk_size)
            y, weight = (None if values is None else values[part] for values in (rows.y, rows.weight))
            self._tree.add(rows.X[part], y, weight)
            run.progress.update(begin // self.chunk_size + 1, -(-len(rows.X) // self.chunk_size))
        return _outcome(self._reduce(run))

    def _store(self, outcome: Outcome, run: Run, source: np.ndarray, rows: TrainingRows) -> None:
        rows_read = slice(None, self._tree.rows)  # fewer than all rows if time was over
        training_rows = TrainingRows(rows.X[rows_read], None if rows.y is None else rows.y[rows_read], rows.task, ())
        self._bytes, self._dtype, self._shape = (
            SourceSummary.of(source[rows_read], training_rows).nbytes,
            source.dtype,
            rows.X.shape[1:],
        )
        self._set_results(in_input(outcome, rows), distilled_pair(outcome, source, rows), self._source_summary(), run)

    def _reduce(self, run: Run) -> Summary:
        """Reduce all rows in memory to the budget, within the remaining time."""
        limit = None if run.max_seconds is None else max(run.max_seconds - run.seconds, 0.1 * run.max_seconds)
        tree = self._tree
        if not tree.rows:
            raise DataError("every row of the stream has weight zero: give at least one positive sample_weight.")
        # The same seed as that of the method, so that a single block gives the same result.
        last_run = Run(limit, tree.seed)
        result = tree.result(last_run)
        for level, summary in sorted(tree.levels.items(), reverse=True):
            run.record(level=level, rows=round(float(summary.weight.sum())), size=len(summary))
        run.history += last_run.history
        run.stopped_by = run.stopped_by or last_run.stopped_by
        return result

    @standard_settings()
    def _finish(self, run: Run) -> None:
        """Compute the fitted attributes from the rows in memory."""
        result = self._reduce(run)
        self._stale = False  # attributes not set below do not exist
        outcome = _outcome(result)
        # Rows are passed as synthetic, because they can no longer be selected from the stream.
        synthetic = Outcome(X=result.X, y=result.y)
        result_rows = TrainingRows(result.X, result.y, self._tree.task, ())
        X, y = distilled_pair(synthetic, np.empty(0, self._dtype), result_rows)
        pair = (X if outcome.indices is None else to_dtype(X, self._dtype), y)
        self._set_results(outcome, pair, self._source_summary(), run)
        self._restore_table()

    def _source_summary(self) -> SourceSummary:
        """Describe the rows of the stream so far."""
        tree = self._tree
        weight = tree.weight if tree.is_weighted else None
        if tree.task != "classification":
            return SourceSummary(tree.rows, self._bytes, tree.task, weight=weight)
        parts = [part.y for part in (*tree.levels.values(), *tree.buffer) if part.y is not None]
        labels = np.unique(np.concatenate([np.unique(y) for y in parts]))
        counts = np.array([tree.counts[label] for label in labels.tolist()])
        return SourceSummary(tree.rows, self._bytes, tree.task, labels, counts, weight)

    def __getattr__(self, name: str) -> Any:
        """Compute the results for the chunks so far when one is first accessed."""
        attributes = self.__dict__
        if name in _RESULTS and attributes.get("_stale"):
            run = Run(None)
            run.started -= attributes.get("_seconds", 0.0)
            self._finish(run)
            if name in attributes:
                return attributes[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def n_rows_seen_(self) -> int:
        """Number of rows so far, without those of weight zero."""
        return self._tree.rows

    @property
    def n_rows_held_(self) -> int:
        """Number of rows in memory."""
        return self._tree.rows_held


def _outcome(summary: Summary) -> Outcome:
    """Return a summary as the outcome of a method."""
    has_indices = summary.index is not None
    return Outcome(
        X=None if has_indices else summary.X,
        y=None if has_indices else summary.y,
        indices=summary.index,
        weight=summary.weight,
        ranked=summary.ranked,
        offset=summary.offset,
    )
