"""Merge-and-reduce: weighted summaries of a stream of rows, in memory that hardly grows with it."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.base._feature_space import feature_rows
from distillkit.base._training_rows import Group, Run, TrainingRows
from distillkit.budget import Budget, as_text
from distillkit.exceptions import BudgetError

if TYPE_CHECKING:
    from distillkit.base import BaseDistiller, Outcome

__all__ = ["Summary", "Tree", "reduce_rows"]

_ROUNDING = 1e-12  # relative error of the sum of weights up to which they are not scaled


@dataclass(frozen=True, eq=False)
class Summary:
    """Weighted rows that represent rows of the stream.

    Parameters
    ----------
    X : ndarray of shape (m, ...), float32 or float64
    y : ndarray of shape (m,) or None
    weight : ndarray of shape (m,)
        Weight of the rows of the stream that each row represents; their number, if the rows of the
        stream have no weights.
    index : ndarray of shape (m,) or None
        Positions of the rows in the stream; None if rows are synthetic.
    offset : float or None
        See `Outcome`; None if the method does not provide it.
    ranked : bool
        Whether the last reduction ranked the rows.
    """

    X: np.ndarray
    y: np.ndarray | None
    weight: np.ndarray
    index: np.ndarray | None
    offset: float | None = 0.0
    ranked: bool = False

    def __len__(self) -> int:
        return len(self.X)

    def slice(self, begin: int, end: int) -> Summary:
        """Return the rows from `begin` to `end`."""
        positions = np.s_[begin:end]
        return replace(
            self,
            X=self.X[positions],
            y=None if self.y is None else self.y[positions],
            weight=self.weight[positions],
            index=None if self.index is None else self.index[positions],
        )

    @classmethod
    def merged(cls, parts: Iterable[Summary]) -> Summary:
        """Concatenate summaries; a union of coresets is a coreset of the union of their rows."""
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        labels = [part.y for part in parts if part.y is not None]
        indices = [part.index for part in parts if part.index is not None]
        offsets = [part.offset for part in parts if part.offset is not None]
        return cls(
            np.concatenate([part.X for part in parts]),
            np.concatenate(labels) if labels else None,
            np.concatenate([part.weight for part in parts]),
            np.concatenate(indices) if len(indices) == len(parts) else None,
            math.fsum(offsets) if len(offsets) == len(parts) else None,
        )


def reduce_rows(method: BaseDistiller, rows: Summary, task: str | None, groups: tuple[Group, ...], run: Run) -> Summary:
    """Reduce the rows of the given groups by a method; rows of no group stay as they are.

    The weights of each group are scaled to their previous sum, so that the mass of each class is
    preserved.
    """
    if not groups:
        return rows
    # 1. Let the method reduce the rows of the groups.
    method = copy.copy(method)  # methods set attributes; a clone would lose fitted transformers
    weight = None if (rows.weight == 1).all() else rows.weight
    features = feature_rows(getattr(method, "feature_space", None), rows.X, rows.y, weight)
    training_rows = TrainingRows(rows.X, rows.y, task, groups, weight=weight, features=features)
    outcome = method._distill(training_rows, run)  # noqa: SLF001 (the method interface of the base class)
    reduced = _as_summary(outcome, rows)
    # 2. Scale the weights of each group to their previous sum.
    for group in groups:
        members = slice(None) if group.label is None or reduced.y is None else reduced.y == group.label
        factor = rows.weight[group.rows].sum() / reduced.weight[members].sum()
        reduced.weight[members] *= factor if abs(factor - 1) > _ROUNDING else 1
    # 3. Add the rows of no group.
    rest = np.setdiff1d(np.arange(len(rows)), np.concatenate([group.rows for group in groups]))
    if not len(rest):
        return reduced
    unchanged = Summary(
        rows.X[rest],
        None if rows.y is None else rows.y[rest],
        rows.weight[rest],
        None if rows.index is None else rows.index[rest],
    )
    return Summary.merged([unchanged, reduced])


def _as_summary(outcome: Outcome, rows: Summary) -> Summary:
    """Return the outcome of a method on a summary as a summary of the same stream."""
    picked = outcome.indices
    offset = None if outcome.offset is None or rows.offset is None else outcome.offset + rows.offset
    size = len(np.asarray(outcome.X if picked is None else picked))
    weight = np.ones(size) if outcome.weight is None else np.array(outcome.weight, dtype=np.float64)
    if picked is None:
        X = np.asarray(outcome.X).astype(rows.X.dtype, copy=False)
        return Summary(X, outcome.y, weight, None, offset, outcome.ranked)
    y = None if rows.y is None else rows.y[picked]
    index = None if rows.index is None else rows.index[picked]
    return Summary(rows.X[picked], y, weight, index, offset, outcome.ranked)


@dataclass(eq=False)
class Tree:
    """State of a stream: a buffer of its last rows, and one summary per level of a binary tree.

    Rows are collected in blocks of `chunk_size`, independently of the pieces in which they arrive.
    A full block is reduced to a summary of level 0 when further rows arrive, and two summaries of
    one level are merged and reduced to one of the next level (Bentley and Saxe, Journal of
    Algorithms 1, 1980; for coresets Har-Peled and Mazumdar, STOC 2004). The result depends only on
    the order of the rows, on `chunk_size` and on `seed`.

    Parameters
    ----------
    method : distiller that uses row weights
        Computes the result.
    summary : distiller that uses row weights
        Computes the summaries.
    budget : Budget
        Budget of the result.
    task : {"classification", "regression", None}
    chunk_size : int
        Rows of a block.
    oversampling : float
        Rows of a summary per row of the result.
    seed : int
    rows : int
        Number of rows of the stream so far, without those of weight zero.
    position : int
        Number of rows of the stream so far.
    weight : float
        Sum of their weights.
    is_weighted : bool
        Whether any rows came with weights.
    """

    method: BaseDistiller
    summary: BaseDistiller
    budget: Budget
    task: str | None
    chunk_size: int
    oversampling: float
    seed: int
    rows: int = 0
    position: int = 0
    weight: float = 0.0
    is_weighted: bool = False
    blocks: int = 0
    counts: dict[Any, int] = field(default_factory=dict)
    masses: dict[Any, float] = field(default_factory=dict)
    buffer: list[Summary] = field(default_factory=list)
    levels: dict[int, Summary] = field(default_factory=dict)

    def copy(self) -> Tree:
        """Return a copy that can be changed independently; the rows are shared."""
        return replace(
            self,
            counts=dict(self.counts),
            masses=dict(self.masses),
            buffer=list(self.buffer),
            levels=dict(self.levels),
        )

    @property
    def rows_held(self) -> int:
        """Number of rows in memory.

        It is at most ``chunk_size + s (log2(rows / chunk_size) + 1)``, where s is the size of a
        summary.
        """
        return sum(map(len, self.buffer)) + sum(map(len, self.levels.values()))

    def add(
        self,
        X: np.ndarray,
        y: np.ndarray | None,
        weight: np.ndarray | None = None,
        positions: np.ndarray | None = None,
    ) -> None:
        """Add the next rows of the stream, which must not be modified afterwards.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
        y : ndarray of shape (n,) or None
        weight : ndarray of shape (n_positive,) or None
            Positive weights of the rows.
        positions : ndarray of shape (n_positive,) or None
            Positions of the rows of positive weight in X; None for all rows.
        """
        index = np.arange(self.position, self.position + len(X))
        self.position += len(X)
        if positions is not None:
            X, y, index = X[positions], None if y is None else y[positions], index[positions]
        self.is_weighted |= weight is not None
        self._append(Summary(X, y, np.ones(len(X)) if weight is None else weight, index))
        waiting = sum(map(len, self.buffer))
        if waiting > self.chunk_size:  # a single full block waits and is distilled as it is
            rows = Summary.merged(self.buffer)
            n_full = (waiting - 1) // self.chunk_size * self.chunk_size
            for begin in range(0, n_full, self.chunk_size):
                self._carry(rows.slice(begin, begin + self.chunk_size))
            self.buffer = [_copied(rows.slice(n_full, waiting))]  # a view would keep all rows in memory

    def _append(self, rows: Summary) -> None:
        """Add rows to the buffer, and count them."""
        self.buffer.append(rows)
        self.rows += len(rows)
        self.weight += float(rows.weight.sum())
        for label, members in _groups(rows.y, len(rows), self.task):
            self.counts[label] = self.counts.get(label, 0) + len(members)
            self.masses[label] = self.masses.get(label, 0.0) + float(rows.weight[members].sum())

    def _carry(self, block: Summary) -> None:
        """Add a full block: reduce it, and merge summaries as the carries of a binary counter."""
        level, node = 0, self._node(block, 0)
        while level in self.levels:
            older = self.levels.pop(level)
            level += 1
            node = self._node(Summary.merged([older, node]), level)
        self.levels[level] = node
        self.blocks += 1

    def _node(self, rows: Summary, level: int) -> Summary:
        """Reduce rows to a summary of a level; classes that are small enough are not reduced."""
        groups = []
        for label, members in _groups(rows.y, len(rows), self.task):
            # The number of rows of the stream that these rows represent, by their weight.
            n_rows = float(rows.weight[members].sum()) * self.counts[label] / self.masses[label]
            size = self._node_size(label, n_rows)
            if size < len(members):
                groups.append(Group(label, members, size))
        state = np.random.SeedSequence([self.seed, level, self.blocks]).generate_state(1)[0]
        return reduce_rows(self.summary, rows, self.task, tuple(groups), Run(None, int(state)))

    def _node_size(self, label: Any, rows: float) -> int:
        """Return the number of rows of a class in a summary of `rows` rows of the stream."""
        value = self.budget.value
        if isinstance(value, Mapping):
            by_text = {as_text(key): size for key, size in value.items()}
            if as_text(label) not in by_text:
                raise BudgetError(
                    f"budget={dict(value)!r} leaves out class {label!r}: give a number of rows for every class of y."
                )
            value = by_text[as_text(label)]
        result_rows = value if isinstance(value, int) else value * rows + 1
        return math.ceil(self.oversampling * result_rows)

    def result(self, run: Run) -> Summary:
        """Reduce all rows in memory to the budget; the state is not changed.

        Raises
        ------
        BudgetError
            If there are fewer rows so far than the budget asks for.
        """
        # Oldest rows first, so that a stream of one block is distilled as by the method itself.
        held = Summary.merged([*(self.levels[level] for level in sorted(self.levels, reverse=True)), *self.buffer])
        if self.task == "classification":
            counts = dict(sorted(self.counts.items()))
            quotas = self.budget.per_class(counts)
        else:
            quotas = {None: self.budget.total(self.rows)}
        groups = tuple(Group(label, members, quotas[label]) for label, members in _groups(held.y, len(held), self.task))
        return reduce_rows(self.method, held, self.task, groups, run)


def _copied(rows: Summary) -> Summary:
    """Return a summary with copies of its arrays."""
    return replace(
        rows,
        X=rows.X.copy(),
        y=None if rows.y is None else rows.y.copy(),
        weight=rows.weight.copy(),
        index=None if rows.index is None else rows.index.copy(),
    )


def _groups(y: np.ndarray | None, n_rows: int, task: str | None) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield each label with the positions of its rows, or None with all rows."""
    if y is None or task != "classification":
        yield None, np.arange(n_rows)
    else:
        for label in np.unique(y).tolist():
            yield label, np.flatnonzero(y == label)
