"""The selection of distilled rows from a pool of generated rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from distillkit.base import Outcome
from distillkit.neighbors import kmeans, medoids
from distillkit.synthesis._feature_classifier import FeatureClassifier
from distillkit.synthesis._fitted import FittedGenerator

if TYPE_CHECKING:
    from distillkit.base import Group, Run, TrainingRows

__all__ = ["SELECTIONS", "Selection"]

SELECTIONS = ("filter+kmeans", "kmeans", "random")
"""Names that `Selection` knows."""


@dataclass(frozen=True, eq=False)
class Selection:
    """A selector that generates a pool of rows for each class and keeps the most representative.

    Parameters
    ----------
    kind : {"filter+kmeans", "kmeans", "random"}
        "random" takes generated rows without a pool. "kmeans" takes the k-means medoids of each
        class's pool, with one cluster per distilled row. "filter+kmeans" first leaves out the rows
        that `classifier` assigns to another class.
    pool : int
        Rows per class in the pool, or twice the distilled rows of the class if that is more.
    generator : FittedGenerator
    classifier : FeatureClassifier or None
        Trained on real rows; its features are also used to cluster images and series.
    device : str
        Device of k-means.
    """

    kind: str
    pool: int
    generator: FittedGenerator
    classifier: FeatureClassifier | None
    device: str

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
        size = group.size if self.kind == "random" else max(self.pool, 2 * group.size)
        is_class = rows.task == "classification"
        y = self.generator.condition.draw(size)
        if is_class:
            assert rows.y is not None
            y = np.full(size, group.label, dtype=rows.y.dtype)
        X = self.generator.rows(size, y, run.seed())
        if self.kind != "random":
            picks = self._filter(X, group)
            numbers = None if is_class or y is None else y[picks].astype(np.float64)
            picks = picks[self._medoids(X[picks], numbers, group.size, run)]
            X, y = X[picks], None if y is None else y[picks]
        return X, y

    def _filter(self, X: np.ndarray, group: Group) -> np.ndarray:
        """Return the positions of the rows that the classifier assigns to their own class.

        If these are too few, the rows with the highest probability of the class are added.
        """
        if self.classifier is None or self.kind != "filter+kmeans":
            return np.arange(len(X))
        probability, is_own_class = self.classifier.confidence(X, group.label)
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
        if self.classifier is not None and self.generator.codec.kind != "table":
            return self.classifier.features(X)
        return self.generator.codec.encode(X).reshape(len(X), -1)


def _stop_rule(run: Run) -> Callable[[], bool] | None:
    """Return a rule that stops k-means at the time limit, without changing `run.stopped_by`."""
    limit = run.max_seconds
    return None if limit is None else lambda: run.seconds >= limit
