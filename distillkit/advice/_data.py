"""Training rows of any kind, of which stratified samples of any size can be taken."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from distillkit.budget import Budget
from distillkit.exceptions import DataError
from distillkit.tables import TableEncoder
from distillkit.tables._frames import is_frame, needs_encoding, row_count, take_rows
from distillkit.utils._targets import infer_task, one_column

__all__ = ["Data"]

_MODALITIES = {2: "table", 3: "series", 4: "image"}


class Data:
    """Training rows with their targets.

    Parameters
    ----------
    X : array or frame of shape (n, ...)
    y : array-like of shape (n,)
    budget : Budget
    seed : int
        Seed of the samples.
    task : {"auto", "classification", "regression"}
        Kind of target; "auto" infers it.

    Raises
    ------
    DataError
        If the rows and targets do not fit together, or hold what no method can use.
    BudgetError
        If the budget does not suit the rows.
    """

    def __init__(self, X: Any, y: Any, budget: Budget, seed: int = 0, task: str = "auto") -> None:
        self.X = X if is_frame(X) else _array(X)
        if y is None:
            raise DataError("y=None: a recommendation judges methods by a target, so give the labels or numbers.")
        self.y = _target(y)
        self.n_rows = row_count(self.X) if is_frame(self.X) else len(self.X)
        if len(self.y) != self.n_rows:
            raise DataError(f"X has {self.n_rows} rows and y has {len(self.y)} values: give one target for each row.")
        if self.n_rows < 4:
            raise DataError(f"X has {self.n_rows} rows, too few to recommend a method: give at least 4.")
        self.task = infer_task(self.y) if task == "auto" else task
        self.budget = budget
        self._seed = seed
        if self.task == "classification" and len(self.counts) < 2:
            raise DataError(f"y holds only the class {self.y[0]!r}: give rows of at least two classes.")
        self.quotas  # noqa: B018 (raises an error for a budget that does not suit)

    @property
    def modality(self) -> str:
        """Kind of the rows."""
        return "table" if is_frame(self.X) else _MODALITIES[self.X.ndim]

    @property
    def n_features(self) -> int:
        """Number of values of a row."""
        return int(np.prod(self.X.shape[1:]))

    @cached_property
    def counts(self) -> dict[Any, int]:
        """Rows of each class; empty for a continuous target."""
        if self.task == "regression":
            return {}
        labels, counts = np.unique(self.y, return_counts=True)
        return dict(zip(labels.tolist(), counts.tolist(), strict=True))

    @cached_property
    def quotas(self) -> dict[Any, int]:
        """Rows of each class in the distilled set; the key None stands for a continuous target."""
        if self.task == "regression":
            return {None: self.budget.total(self.n_rows)}
        return self.budget.per_class(self.counts)

    @property
    def budget_rows(self) -> int:
        """Number of rows of the distilled set."""
        return sum(self.quotas.values())

    @cached_property
    def order(self) -> np.ndarray:
        """Row positions in random order, any beginning of which has the classes in proportion.

        The first rows are two of each class.
        """
        order = np.random.default_rng(self._seed).permutation(self.n_rows)
        if self.task == "regression":
            return order
        codes = np.unique(self.y, return_inverse=True)[1][order]
        by_class = np.argsort(codes, kind="stable")
        sizes = np.bincount(codes)
        rank = np.empty(self.n_rows, dtype=np.int64)
        rank[by_class] = np.concatenate([np.arange(size) for size in sizes])
        return order[np.lexsort((rank / sizes[codes], rank >= 2))]

    @cached_property
    def n_bytes(self) -> int:
        """Bytes of the rows as numbers of double precision."""
        return 8 * self.n_rows * self.n_features

    def take(self, indices: np.ndarray) -> tuple[Any, np.ndarray]:
        """Return rows by position, with their targets."""
        X = take_rows(self.X, indices) if is_frame(self.X) else self.X[indices]
        return X, self.y[indices]

    def numbers(self, indices: np.ndarray) -> np.ndarray:
        """Return rows by position as a matrix of numbers, without gaps."""
        X, _ = self.take(indices)
        if is_frame(X):
            return np.asarray(TableEncoder().fit_transform(X), dtype=np.float64)
        return np.asarray(X, dtype=np.float64).reshape(len(indices), -1)

    @property
    def is_mixed(self) -> bool:
        """Whether the rows are a table that needs an encoder."""
        return is_frame(self.X) and bool(needs_encoding(self.X))


def _array(rows: Any) -> np.ndarray:
    X: np.ndarray = np.asarray(rows)
    if X.ndim not in _MODALITIES:
        raise DataError(f"X has shape {X.shape}: give a table (n, d), series (n, channels, time) or images of 4 axes.")
    if X.dtype.kind == "O":
        raise DataError("X is an array of objects: give numbers, or a frame for columns of text and numbers.")
    if X.dtype.kind not in "iufb":
        raise DataError(f"X holds values of type {X.dtype}: give numbers, or a frame for columns of text.")
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        raise DataError("X holds values that are NaN or infinite: fill them in, or give a frame, which may have gaps.")
    return X


def _target(targets: Any) -> np.ndarray:
    y: np.ndarray = one_column(np.asarray(targets))
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise DataError("y holds values that are NaN or infinite: leave those rows out.")
    return y
