"""Merge-and-reduce: a stream of rows held as a few weighted summaries, whatever its length."""

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

_ROUNDING = 1e-12  # weights whose sum is right but for this are left as the method gave them


@dataclass(frozen=True, eq=False)
class Summary:
    """Weighted rows that stand for rows of the stream.

    Parameters
    ----------
    X : ndarray of shape (m, ...), float32 or float64
    y : ndarray of shape (m,) or None
    weight : ndarray of shape (m,)
        Rows of the stream that each stands for.
    index : ndarray of shape (m,) or None
        Their positions in the stream, as long as rows are picked and not made.
    offset : float or None
        See `Outcome`; None where the method does not say it.
    ranked : bool
        Whether the last reduction ranked them.
    """

    X: np.ndarray
    y: np.ndarray | None
    weight: np.ndarray
    index: np.ndarray | None
    offset: float | None = 0.0
    ranked: bool = False

    def __len__(self) -> int:
        return len(self.X)

    def part(self, begin: int, end: int) -> Summary:
        """Rows of the stream itself, from `begin` to `end`."""
        at = slice(begin, end)
        return replace(
            self,
            X=self.X[at],
            y=None if self.y is None else self.y[at],
            weight=self.weight[at],
            index=None if self.index is None else self.index[at],
        )

    @classmethod
    def merged(cls, parts: Iterable[Summary]) -> Summary:
        """Put rows one after the other: the union of coresets is a coreset of the union."""
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
    """Let a method replace the rows of some groups by fewer; rows of no group stay as they are.

    The weights of each group are scaled to what they summed to before, so that classes keep their masses.
    """
    if not groups:
        return rows
    method = copy.copy(method)  # methods may set attributes; a clone would forget what a transformer has learned
    features = feature_rows(getattr(method, "feature_space", None), rows.X, rows.y)
    weight = None if (rows.weight == 1).all() else rows.weight
    given = TrainingRows(rows.X, rows.y, task, groups, weight=weight, features=features)
    outcome = method._distill(given, run)  # noqa: SLF001 (what a base's subclass is made of)
    made = _as_summary(outcome, rows)
    for group in groups:
        own = slice(None) if group.label is None or made.y is None else made.y == group.label
        factor = rows.weight[group.rows].sum() / made.weight[own].sum()
        made.weight[own] *= factor if abs(factor - 1) > _ROUNDING else 1
    rest = np.setdiff1d(np.arange(len(rows)), np.concatenate([group.rows for group in groups]))
    if not len(rest):
        return made
    kept = Summary(
        rows.X[rest],
        None if rows.y is None else rows.y[rest],
        rows.weight[rest],
        None if rows.index is None else rows.index[rest],
    )
    return Summary.merged([kept, made])


def _as_summary(outcome: Outcome, rows: Summary) -> Summary:
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
    """The state of a stream: a buffer of its last rows and one summary for each level of a binary tree.

    Rows are gathered into blocks of `chunk_size`, wherever the pieces that come in are cut; a full block is reduced to a
    summary of level 0 when more rows come, and two summaries of one level are merged and reduced to one of the next (Bentley and
    Saxe, Journal of Algorithms 1, 1980; for coresets Har-Peled and Mazumdar, STOC 2004). So the result depends on the
    order of the rows, on `chunk_size` and on `seed`, and on nothing else.

    Parameters
    ----------
    method : distiller that heeds the weights of rows
        Makes the result.
    summary : distiller that heeds the weights of rows
        Makes the summaries.
    budget : Budget
        Of the result.
    task : {"classification", "regression", None}
    chunk_size : int
    oversampling : float
        Rows of a summary per row of the result.
    seed : int
    """

    method: BaseDistiller
    summary: BaseDistiller
    budget: Budget
    task: str | None
    chunk_size: int
    oversampling: float
    seed: int
    rows: int = 0
    blocks: int = 0
    counts: dict[Any, int] = field(default_factory=dict)
    buffer: list[Summary] = field(default_factory=list)
    levels: dict[int, Summary] = field(default_factory=dict)

    def copy(self) -> Tree:
        """Return a state that can be changed without changing this one; rows are shared."""
        return replace(self, counts=dict(self.counts), buffer=list(self.buffer), levels=dict(self.levels))

    @property
    def rows_held(self) -> int:
        """Rows in memory: at most ``chunk_size + s (log2(rows / chunk_size) + 1)``, s the rows of a summary."""
        return sum(map(len, self.buffer)) + sum(map(len, self.levels.values()))

    def add(self, X: np.ndarray, y: np.ndarray | None) -> None:
        """Take in the next rows of the stream, which must not change afterwards."""
        index = np.arange(self.rows, self.rows + len(X))
        self.buffer.append(Summary(X, y, np.ones(len(X)), index))
        self.rows += len(X)
        if y is not None and self.task == "classification":
            for label, count in zip(*(part.tolist() for part in np.unique(y, return_counts=True)), strict=True):
                self.counts[label] = self.counts.get(label, 0) + count
        waiting = sum(map(len, self.buffer))
        if waiting > self.chunk_size:  # a last full block waits, so that a stream of one block is distilled as it is
            rows = Summary.merged(self.buffer)
            rest = (waiting - 1) // self.chunk_size * self.chunk_size
            for begin in range(0, rest, self.chunk_size):
                self._carry(rows.part(begin, begin + self.chunk_size))
            self.buffer = [_copied(rows.part(rest, waiting))]  # a view would keep all of what came in

    def _carry(self, block: Summary) -> None:
        level, node = 0, self._node(block, 0)
        while level in self.levels:
            older = self.levels.pop(level)
            level += 1
            node = self._node(Summary.merged([older, node]), level)
        self.levels[level] = node
        self.blocks += 1

    def _node(self, rows: Summary, level: int) -> Summary:
        groups = []
        for label, own in _groups(rows.y, len(rows), self.task):
            size = self._node_size(label, float(rows.weight[own].sum()))
            if size < len(own):
                groups.append(Group(label, own, size))
        state = np.random.SeedSequence([self.seed, level, self.blocks]).generate_state(1)[0]
        return reduce_rows(self.summary, rows, self.task, tuple(groups), Run(None, int(state)))

    def _node_size(self, label: Any, rows: float) -> int:
        value = self.budget.value
        if isinstance(value, Mapping):
            by_text = {as_text(key): size for key, size in value.items()}
            if as_text(label) not in by_text:
                raise BudgetError(f"budget={dict(value)!r} leaves out class {label!r}: name every class of y.")
            value = by_text[as_text(label)]
        wanted = value if isinstance(value, int) else value * rows + 1
        return math.ceil(self.oversampling * wanted)

    def result(self, run: Run) -> Summary:
        """Reduce everything held to the budget; the state stays as it is.

        Raises
        ------
        BudgetError
            If the rows so far cannot meet it.
        """
        # the oldest rows first, so that one block is what the method itself would be given
        held = Summary.merged([*(self.levels[level] for level in sorted(self.levels, reverse=True)), *self.buffer])
        if self.task == "classification":
            counts = dict(sorted(self.counts.items()))
            quotas = self.budget.per_class(counts)
        else:
            quotas = {None: self.budget.total(self.rows)}
        groups = tuple(Group(label, own, quotas[label]) for label, own in _groups(held.y, len(held), self.task))
        return reduce_rows(self.method, held, self.task, groups, run)


def _copied(rows: Summary) -> Summary:
    return replace(
        rows,
        X=rows.X.copy(),
        y=None if rows.y is None else rows.y.copy(),
        weight=rows.weight.copy(),
        index=None if rows.index is None else rows.index.copy(),
    )


def _groups(y: np.ndarray | None, n_rows: int, task: str | None) -> Iterator[tuple[Any, np.ndarray]]:
    """Labels with the positions of their rows; None with all rows where there are no classes."""
    if y is None or task != "classification":
        yield None, np.arange(n_rows)
    else:
        for label in np.unique(y).tolist():
            yield label, np.flatnonzero(y == label)
