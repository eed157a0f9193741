"""Which of many made rows are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from distillkit.base import Outcome
from distillkit.neighbors import kmeans, medoids
from distillkit.synthesis._feature_classifier import Recogniser
from distillkit.synthesis._fitted import FittedGenerator

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["SELECTIONS", "Selection"]

SELECTIONS = ("filter+kmeans", "kmeans", "random")
"""Names that `Selection` knows."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Makes a pool of rows for each class and keeps those that stand for it best.

    Parameters
    ----------
    kind : {"filter+kmeans", "kmeans", "random"}
        "random": no pool. "kmeans": the medoids of k-means in each class's pool, with k the rows wanted. "filter+kmeans":
        first leave out what `recogniser` takes for another class.
    pool : int
        Rows per class in the pool, or twice the rows wanted where that is more.
    generator : FittedGenerator
    recogniser : Recogniser or None
        Images and series are clustered by its features.
    device : str
        For k-means.
    """

    kind: str
    pool: int
    generator: FittedGenerator
    recogniser: Recogniser | None
    device: str

    def select(self, rows: TrainingRows, run: Run) -> Outcome:
        """Return the rows wanted of each group, with weights that give each class the share of its training rows."""
        parts = [self._of_group(rows, group, run) for group in rows.groups]
        weight = np.concatenate([np.full(group.size, len(group.rows) / group.size) for group in rows.groups])
        labels = [y for _, y in parts if y is not None]
        return Outcome(
            X=np.concatenate([X for X, _ in parts]), y=np.concatenate(labels) if labels else None, weight=weight
        )

    def _of_group(self, rows: TrainingRows, group: Group, run: Run) -> tuple[np.ndarray, np.ndarray | None]:
        size = group.size if self.kind == "random" else max(self.pool, 2 * group.size)
        is_class = rows.task == "classification"
        y = self.generator.condition.draw(size)
        if is_class:
            assert rows.y is not None
            y = np.full(size, group.label, dtype=rows.y.dtype)
        X = self.generator.rows(size, y, run.seed())
        if self.kind != "random":
            picks = self._recognised(X, group)
            numbers = None if is_class or y is None else y[picks].astype(np.float64)
            picks = picks[self._medoids(X[picks], numbers, group.size, run)]
            X, y = X[picks], None if y is None else y[picks]
        return X, y

    def _recognised(self, X: np.ndarray, group: Group) -> np.ndarray:
        """Positions of the rows taken for their own class; the most probable others where those are too few."""
        if self.recogniser is None or self.kind != "filter+kmeans":
            return np.arange(len(X))
        confidence, right = self.recogniser.confidence(X, group.label)
        wanted = max(int(right.sum()), group.size)
        order = np.lexsort((np.arange(len(X)), -confidence, ~right))
        return np.sort(order[:wanted])

    def _medoids(self, X: np.ndarray, y: np.ndarray | None, size: int, run: Run) -> np.ndarray:
        points = self._points(X)
        if y is not None and y.max() > y.min():  # numbers count as much as all features together
            spread = float(np.sqrt(points.var(axis=0, dtype=np.float64).sum())) or 1.0
            points = np.column_stack([points, (y - y.mean()) * (spread / y.std())])
        clustering = kmeans(points, size, max_iter=10, seed=run.seed(), device=self.device, should_stop=_stop_rule(run))
        return medoids(clustering)

    def _points(self, X: np.ndarray) -> np.ndarray:
        if self.recogniser is not None and self.generator.codec.kind != "table":
            return self.recogniser.features(X)
        return self.generator.codec.encode(X).reshape(len(X), -1)


def _stop_rule(run: Run) -> Callable[[], bool] | None:
    """Stop k-means by the clock, but leave the note on what ended the training as it is."""
    limit = run.max_seconds
    return None if limit is None else lambda: run.seconds >= limit
