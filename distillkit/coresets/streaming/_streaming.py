"""A coreset of rows that come in pieces and do not fit in memory: merge-and-reduce."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval

from distillkit.base import BaseDistiller, Outcome, Run, TrainingRows, iterative_constraints
from distillkit.base._outcome import Seen, distilled_pair
from distillkit.budget import Budget
from distillkit.coresets.streaming._merge_reduce import Summary, Tree
from distillkit.coresets.streaming._sources import is_stream, pieces_of
from distillkit.coresets.streaming._stream_checks import check_chunk, reducing_method
from distillkit.exceptions import DataError
from distillkit.utils._containers import label_array
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


class StreamingCoreset(BaseDistiller):
    """Any coreset method, on rows that come in pieces: one pass over them, memory that does not grow with them.

    Rows are gathered into blocks; each full block is reduced to a summary, and two summaries that stand for equally many
    rows are merged and reduced to one (merge-and-reduce). The result is the reduction of all that is held. It depends on
    the order of the rows, on `chunk_size` and on `random_state`, not on how the rows are cut into chunks or where
    they come from; of up to `chunk_size` rows it is what the method itself makes of them.

    Parameters
    ----------
    budget : int, float or dict, default=0.1
        See `BaseDistiller`. With a share memory grows with the rows, because the result does: see the notes.
    coreset : str or distiller, default="kmeans"
        The method that makes the result: a registered name ("kmeans:medoids", "kcenter", "herding", "facility-location",
        "lightweight", "sensitivity", "random", ...) or an instance that heeds the weights of rows. Its own `budget`,
        `task`, `max_seconds` and `random_state` are not used. "random" gives picked rows whose weighted sums are unbiased
        (VarOpt). A `feature_space` is fitted on each block anew, unless it is a `sklearn.frozen.FrozenEstimator`.
    summary : str, distiller or None, default=None
        The method that makes the summaries; None takes `coreset`. With ``summary="random"`` and an `oversampling` of 20,
        say, a slow `coreset` runs once, on a sample that is large enough for its errors to be small, and the rest is
        as fast as the disk.
    chunk_size : int, default=65536
        Rows of a block.
    oversampling : float, default=2.0
        Rows of a summary per row of the result, at least 1: each level adds an error, larger summaries make it smaller.
    max_seconds : float or None, default=None
        Wall-clock budget of `fit`, checked between blocks: rows not read by then are left out, and the weights sum
        to those that were. The last reduction gets what is left, and a tenth of it at least.
    task : {"auto", "classification", "regression"}, default="auto"
        See `BaseDistiller`. "auto" is decided by the whole y where that is in memory, else by the first chunk.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    n_rows_seen_ : int
        Rows so far.
    n_rows_held_ : int
        Rows in memory.
    history_ : list of dict
        One per summary held (level, rows it stands for, size), then those of the last reduction.

    See Also
    --------
    BaseDistiller : The attributes that all distillers have.

    Notes
    -----
    Memory, for a budget of m rows in all and n rows seen: at most

    ``chunk_size + oversampling * m * (log2(n / chunk_size) + 2)``

    rows are held, besides the chunk that comes in and what the method needs for `chunk_size` rows (or for all that is
    held, in the last reduction). With the default chunks, 64 float32 columns and m = 1,000 that is 25 MB for ten million rows.
    Time is that of the method on n rows in blocks of `chunk_size`: linear in n.

    Offsets (``distilled_.provenance["offset"]``, see `Outcome`) of the reductions add up.
    Bentley and Saxe, Journal of Algorithms 1, 1980; Har-Peled and Mazumdar, STOC 2004, arXiv:1810.12826.

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
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, task=task, random_state=random_state)
        self.coreset = coreset
        self.summary = summary
        self.chunk_size = chunk_size
        self.oversampling = oversampling
        self.max_seconds = max_seconds

    def fit(self, X: Any, y: Any = None) -> Self:
        """Distil rows that are in memory, in a file, or come one chunk after the other.

        Parameters
        ----------
        X : array-like, memmap, str, path or iterable
            An array as for any distiller; a NumPy memory map; the path of a Parquet file (read by row groups) or of a
            ``.npy`` file; or an iterable, such as a generator or a DataLoader, that yields chunks X or pairs (X, y).
            A list is an array: for a list of chunks give ``iter(chunks)``.
        y : array-like of shape (n,), str or None
            Labels or numbers; of a Parquet file the name of their column; None beside an iterable.

        Returns
        -------
        self

        Raises
        ------
        BudgetError
            If the rows cannot meet the budget.
        DataError
            If a chunk cannot be used: the message says which. The chunks before it stay: see `partial_fit`.
        """
        if is_stream(X):
            self._fit_pieces(X, y)
        else:
            super().fit(X, y)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def _fit_pieces(self, X: Any, y: Any) -> None:
        self._forget()
        run = Run(self.max_seconds)
        known = y if isinstance(X, np.memmap) else None
        known = None if known is None else one_column(np.asarray(label_array(known)))
        for piece, labels in pieces_of(X, y, self.chunk_size):
            if self.__dict__.get("_tree") is not None and run.out_of_time():
                break
            self._take(piece, labels, self._resolve_task(known))
        if self.__dict__.get("_tree") is None:
            raise DataError("there are no rows (n_samples = 0): the stream had none.")
        self._finish(run)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Take in the next chunk of rows.

        The fitted attributes (`distilled_` and the others) are those of all rows so far; they are computed when they
        are first looked at, so that chunks in between cost no last reduction. A chunk that fails, or is interrupted,
        leaves everything as it was before it.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            As many rows as there are; none are passed over.
        y : array-like of shape (n,) or None
            For all chunks or for none. Classes may be new.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the chunk cannot be used, with its number: rows of another shape than before, NaN, infinity, labels
            missing or of another kind.
        """
        began = Run()
        self._take(X, y, None)
        self._seconds = self.__dict__.get("_seconds", 0.0) + began.seconds
        return self

    def _forget(self) -> None:
        for name in (*_RESULTS, "_tree", "_chunks", "_bytes", "_dtype", "_shape", "_seconds", "_stale"):
            self.__dict__.pop(name, None)

    def _take(self, X: Any, y: Any, task: str | None) -> None:
        """Check a chunk and put it into the tree: all of it or, on any error, nothing."""
        self._chunks = self.__dict__.get("_chunks", 0) + 1
        tree: Tree | None = self.__dict__.get("_tree")
        if tree is not None and hasattr(X, "__len__") and len(X) == 0:
            return
        try:
            source, rows, labels = self._validate(X, y, reset=tree is None)
            after = (
                self._new_tree(self._resolve_task(labels) if task is None else task) if tree is None else tree.copy()
            )
            if tree is not None:
                check_chunk(rows, labels, tree, self.__dict__["_shape"], guessed=self.task == "auto")
        except DataError as exc:
            raise type(exc)(f"chunk {self._chunks}: {exc}") from exc
        except ValueError as exc:
            raise DataError(f"chunk {self._chunks}: {exc}") from exc
        after.add(np.array(rows), None if labels is None else np.array(labels))
        for name in _RESULTS:
            self.__dict__.pop(name, None)
        self._bytes = self.__dict__.get("_bytes", 0) + source.nbytes + (0 if labels is None else labels.nbytes)
        self._dtype = np.result_type(source.dtype, self.__dict__.get("_dtype", source.dtype))
        self._shape, self._tree, self._stale = rows.shape[1:], after, True

    def _new_tree(self, task: str | None) -> Tree:
        state = self.random_state
        seed = int(state) if isinstance(state, Integral) else int(check_random_state(state).randint(2**31 - 1))
        method = reducing_method("coreset", self.coreset)
        summary = method if self.summary is None else reducing_method("summary", self.summary)
        return Tree(method, summary, Budget(self.budget), task, self.chunk_size, self.oversampling, seed)

    def _distill(self, rows: TrainingRows, run: Run) -> Outcome:
        """Distil rows that are in memory, block by block."""
        self._forget()
        self._tree = self._new_tree(rows.task)
        for begin in range(0, len(rows.X), self.chunk_size):
            if begin and run.out_of_time():
                break
            part = slice(begin, begin + self.chunk_size)
            self._tree.add(rows.X[part], None if rows.y is None else rows.y[part])
        return _outcome(self._reduce(run))

    def _store(self, outcome: Outcome, run: Run, source: np.ndarray, rows: TrainingRows) -> None:
        seen = slice(None, self._tree.rows)  # fewer than there are where time was over
        read = TrainingRows(rows.X[seen], None if rows.y is None else rows.y[seen], rows.task, ())
        self._bytes, self._dtype, self._shape = Seen.of(source[seen], read).nbytes, source.dtype, rows.X.shape[1:]
        self._keep(outcome, distilled_pair(outcome, source, rows), self._seen(), run)

    def _reduce(self, run: Run) -> Summary:
        limit = None if run.max_seconds is None else max(run.max_seconds - run.seconds, 0.1 * run.max_seconds)
        tree = self._tree
        # the seed as it is, so that a single block is distilled as by the method itself
        last = Run(limit, tree.seed)
        small = tree.result(last)
        for level, summary in sorted(tree.levels.items(), reverse=True):
            run.record(level=level, rows=round(float(summary.weight.sum())), size=len(summary))
        run.history += last.history
        run.stopped_by = run.stopped_by or last.stopped_by
        return small

    def _finish(self, run: Run) -> None:
        small = self._reduce(run)
        self._stale = False  # from here on, what is not set is not there
        outcome = _outcome(small)
        # pairs are made as those of made rows: the stream is no longer there to pick from
        made = Outcome(X=small.X, y=small.y)
        like = TrainingRows(small.X, small.y, self._tree.task, ())
        self._keep(outcome, distilled_pair(made, np.empty(0, self._dtype), like), self._seen(), run)

    def _seen(self) -> Seen:
        tree = self._tree
        if tree.task != "classification":
            return Seen(tree.rows, self._bytes, tree.task)
        parts = [part.y for part in (*tree.levels.values(), *tree.buffer) if part.y is not None]
        labels = np.unique(np.concatenate([np.unique(y) for y in parts]))
        counts = np.array([tree.counts[label] for label in labels.tolist()])
        return Seen(tree.rows, self._bytes, tree.task, labels, counts)

    def __getattr__(self, name: str) -> Any:
        """Compute the result of the chunks so far when it is first asked for."""
        known = self.__dict__
        if name in _RESULTS and known.get("_stale"):
            run = Run(None)
            run.started -= known.get("_seconds", 0.0)
            self._finish(run)
            if name in known:
                return known[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def n_rows_seen_(self) -> int:
        """Rows so far."""
        return self._tree.rows

    @property
    def n_rows_held_(self) -> int:
        """Rows in memory."""
        return self._tree.rows_held


def _outcome(small: Summary) -> Outcome:
    picked = small.index is not None
    return Outcome(
        X=None if picked else small.X,
        y=None if picked else small.y,
        indices=small.index,
        weight=small.weight,
        ranked=small.ranked,
        offset=small.offset,
    )
