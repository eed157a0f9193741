"""The selection of distilled rows from a pool of generated rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from distillkit.base import Outcome
from distillkit.neighbors import kmeans, medoids
from distillkit.synthesis._protocol import ClassJudge, Generator

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["SELECTIONS", "Selection"]

SELECTIONS = ("auto", "filter+kmeans", "kmeans", "random")
"""Names that `Selection` knows."""
_FEW = 100
"""Distilled rows of a group up to which "auto" takes medoids."""


@dataclass(frozen=True, eq=False)
class Selection:
    """A selector that generates a pool of rows for each class and keeps the most representative.

    Parameters
    ----------
    kind : {"auto", "filter+kmeans", "kmeans", "random"}
        "random" takes generated rows without a pool. "kmeans" takes the k-means medoids of each
        class's pool, with one cluster per distilled row. "filter+kmeans" first leaves out the rows
        that `judge` assigns to another class. "auto" is "kmeans" for at most 100 rows of a class,
        which are to represent it, and "random" for more, which are to have its distribution.
    pool : int
        Rows per class in the pool, or twice the distilled rows of the class if that is more.
    generator : Generator
    judge : ClassJudge or None
        A model of real rows.
    device : str
        Device of k-means.
    embeds : bool
        Whether the features of the judge are clustered in place of the rows.
    always_filters : bool
        Whether rows that the judge assigns to another class are left out of every kind.
    """

    kind: str
    pool: int
    generator: Generator
    judge: ClassJudge | None = None
    device: str = "auto"
    embeds: bool = False
    always_filters: bool = False

    def select(self, rows: TrainingRows, run: Run) -> Outcome:
        """Return the distilled rows of each class.

        Their weights give each class the total weight of its training rows.
        """
        parts = [self._of_group(rows, group, run) for group in rows.groups]
        weight = np.concatenate([rows.equal_weight(group) for group in rows.groups])
        labels = [y for _, y in parts if y is not None]
        return Outcome(
            X=np.concatenate([X for X, _ in parts]), y=np.concatenate(labels) if labels else None, weight=weight
        )

    def _of_group(self, rows: TrainingRows, group: Group, run: Run) -> tuple[np.ndarray, np.ndarray | None]:
        kind = ("kmeans" if group.size <= _FEW else "random") if self.kind == "auto" else self.kind
        filters = self.judge is not None and (self.always_filters or kind == "filter+kmeans")
        is_class = rows.task == "classification"
        size = max(self.pool, 2 * group.size) if kind != "random" else (1 + (filters and is_class)) * group.size
        y = self.generator.condition.draw(size)
        if is_class:
            assert rows.y is not None
            y = np.full(size, group.label, dtype=rows.y.dtype)
        X = self.generator.rows(size, y, run.seed())
        picks = self._filter(X, group) if filters and is_class else np.arange(size)
        if kind == "random":
            picks = picks[: group.size] if is_class else picks
        else:
            numbers = None if is_class or y is None else y[picks].astype(np.float64)
            picks = picks[self._medoids(X[picks], numbers, group.size, run)]
        return X[picks], None if y is None else y[picks]

    def _filter(self, X: np.ndarray, group: Group) -> np.ndarray:
        """Return the positions of the rows that the judge assigns to their own class.

        If these are too few, the rows with the highest probability of the class are added.
        """
        assert self.judge is not None
        probability, is_own_class = self.judge.confidence(X, group.label)
        size = max(int(is_own_class.sum()), group.size)
        order = np.lexsort((np.arange(len(X)), -probability, ~is_own_class))
        return np.sort(order[:size])

    def _medoids(self, X: np.ndarray, y: np.ndarray | None, size: int, run: Run) -> np.ndarray:
        points = self._points(X)
        if y is not None and y.max() > y.min():
            # A continuous target is one more column, with as much weight as all features together.
            spread = float(np.sqrt(points.var(axis=0, dtype=np.float64).sum())) or 1.0
            points = np.column_stack([points, (y - y.mean()) * (spread / y.std())])
        clustering = kmeans(points, size, max_iter=10, seed=run.seed(), device=self.device, should_stop=_stop_rule(run))
        return medoids(clustering)

    def _points(self, X: np.ndarray) -> np.ndarray:
        if self.judge is not None and self.embeds:
            return self.judge.features(X)
        return self.generator.points(X)


def _stop_rule(run: Run) -> Callable[[], bool] | None:
    """Return a rule that stops k-means at the time limit, without changing `run.stopped_by`."""
    limit = run.max_seconds
    return None if limit is None else lambda: run.seconds >= limit
