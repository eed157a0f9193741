"""Costs on weighted rows (k-means, ridge, logistic), with the solutions to compare them on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from distillkit.distances._squared import pairwise_squares
from distillkit.utils._moments import column_means, mean_and_deviation

__all__ = ["KMeansCost", "LogisticCost", "RidgeCost", "WeightedRows"]

_BLOCK_VALUES = 2_000_000
_LEAST_PROBABILITY = 1e-12  # of a class that does not occur in the training data of a model


@dataclass(frozen=True, eq=False)
class WeightedRows:
    """Rows with weights and, for supervised costs, targets.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weight : ndarray of shape (n,)
    y : ndarray of shape (n,) or None
    offset : float
        Constant term of the k-means cost.
    """

    X: np.ndarray
    weight: np.ndarray
    y: np.ndarray | None
    offset: float = 0.0

    def sample(self, values: int, rng: np.random.RandomState) -> WeightedRows:
        """Return at most `values` rows drawn at random, with weights of the same sum."""
        if len(self.X) <= values:
            return self
        rows = self.order()[np.sort(rng.choice(len(self.X), values, replace=False))]
        weight = self.weight[rows] * (self.weight.sum() / self.weight[rows].sum())
        return replace(self, X=self.X[rows], weight=weight, y=None if self.y is None else self.y[rows])

    def order(self) -> np.ndarray:
        """Return the positions of the rows, sorted along a fixed direction.

        What is drawn in this order depends neither on the order of the rows nor on their units.
        """
        direction = np.random.RandomState(0).normal(size=self.X.shape[1])
        lowest = np.min(self.X, axis=0).astype(np.float64)  # so that a constant column adds exactly zero
        along = np.concatenate([(block.X - lowest) @ direction for block in self.blocks()])
        return np.argsort(along, kind="stable")

    def blocks(self) -> Iterator[WeightedRows]:
        """Yield consecutive rows as float64, a few megabytes at a time."""
        step = max(1, _BLOCK_VALUES // self.X.shape[1])
        for begin in range(0, len(self.X), step):
            block = slice(begin, begin + step)
            y = None if self.y is None else self.y[block]
            yield WeightedRows(self.X[block].astype(np.float64), self.weight[block], y)


class KMeansCost:
    """K-means cost ``sum_i w_i min_c |x_i - c|^2 + offset``; a solution is centers (k, d)."""

    name: ClassVar[str] = "k-means"

    def __init__(self, k: int) -> None:
        self.k = k

    def of(self, rows: WeightedRows, centers: np.ndarray) -> float:
        """Return the cost of the given centers on the rows."""
        total = rows.offset
        for block in rows.blocks():
            # Differences keep the digits that a product of rows and centers would cancel.
            total += float(pairwise_squares(block.X, centers).min(axis=1) @ block.weight)
        return total

    def solutions(
        self, whole: WeightedRows, small: WeightedRows, rng: np.random.RandomState
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield pairs of a name and centers."""
        from distillkit.neighbors import kmeans

        order = whole.order()
        X = whole.X[order].astype(np.float64, copy=False)
        k, seed = min(self.k, len(X)), int(rng.randint(2**31 - 1))
        yield "mean", column_means(X, whole.weight[order])[None]
        yield "random rows", X[rng.choice(len(X), k, replace=False)]
        yield "k-means of the rows", kmeans(X, k, seed=seed, max_iter=10).centroids
        n_centers = min(k, len(small.X))
        yield "k-means of the set", kmeans(small.X, n_centers, weights=small.weight, seed=seed, max_iter=10).centroids


class _Scaled:
    """Base of costs on features standardized by the mean and deviation of the rows."""

    def __init__(self, whole: WeightedRows) -> None:
        low, squares = whole.X.min(axis=0).astype(np.float64), np.zeros(whole.X.shape[1])
        total = np.zeros(whole.X.shape[1])
        for block in whole.blocks():
            total += (block.X - low).sum(axis=0)
        # Measured from the lowest values, the means of constant features are exact.
        self.low, self.mean = low, total / len(whole.X)
        for block in whole.blocks():
            squares += np.square(block.X - low - self.mean).sum(axis=0)
        self.scale = np.where(squares > 0, np.sqrt(squares / len(whole.X)), 1.0)

    def features(self, X: np.ndarray) -> np.ndarray:
        """Return the standardized features."""
        return np.asarray((X - self.low - self.mean) / self.scale)


class RidgeCost(_Scaled):
    """Ridge cost ``sum_i w_i (y_i - x_i theta - b)^2 + |theta|^2``; a solution is (theta, b)."""

    name: ClassVar[str] = "ridge"

    def __init__(self, whole: WeightedRows) -> None:
        super().__init__(whole)
        y = np.asarray(whole.y, dtype=np.float64)
        self.y_mean, self.y_scale = mean_and_deviation(y)

    def _target(self, rows: WeightedRows) -> np.ndarray:
        """Return the standardized target of the rows."""
        return (np.asarray(rows.y, dtype=np.float64) - self.y_mean) / self.y_scale

    def of(self, rows: WeightedRows, solution: tuple[np.ndarray, float]) -> float:
        """Return the cost of the given coefficients and intercept on the rows."""
        theta, intercept = solution
        total = float(theta @ theta)
        for block in rows.blocks():
            residual = self._target(block) - self.features(block.X) @ theta - intercept
            total += float(np.square(residual) @ block.weight)
        return total

    def solutions(
        self, whole: WeightedRows, small: WeightedRows, rng: np.random.RandomState
    ) -> Iterator[tuple[str, tuple[np.ndarray, float]]]:
        """Yield pairs of a name and a solution (theta, b)."""
        from sklearn.linear_model import Ridge

        d = whole.X.shape[1]
        yield "mean", (np.zeros(d), 0.0)
        yield "random coefficients", (rng.normal(size=d) / np.sqrt(d), 0.0)
        for name, rows in (("ridge of the rows", whole), ("ridge of the set", small)):
            model = Ridge(alpha=1.0).fit(self.features(rows.X), self._target(rows), sample_weight=rows.weight)
            yield name, (np.asarray(model.coef_), float(model.intercept_))


class LogisticCost(_Scaled):
    """Logistic cost ``sum_i w_i log(1 / p(y_i | x_i)) + |theta|^2 / 2``.

    A solution is a vector of log-probabilities, or a fitted model.
    """

    name: ClassVar[str] = "logistic"

    def __init__(self, whole: WeightedRows, classes: np.ndarray) -> None:
        super().__init__(whole)
        self.classes = classes

    def of(self, rows: WeightedRows, solution: Any) -> float:
        """Return the cost of log-probabilities or of a fitted model on the rows."""
        total = 0.0 if isinstance(solution, np.ndarray) else float(np.square(solution.coef_).sum()) / 2
        for block in rows.blocks():
            codes = np.searchsorted(self.classes, np.asarray(block.y))
            logs = self._log_probabilities(block.X, solution)
            total -= float(logs[np.arange(len(codes)), codes] @ block.weight)
        return total

    def _log_probabilities(self, X: np.ndarray, solution: Any) -> np.ndarray:
        """Return the log-probabilities (n, n_classes), bounded from below."""
        if isinstance(solution, np.ndarray):
            return np.broadcast_to(solution, (len(X), len(self.classes)))
        logs = np.full((len(X), len(self.classes)), np.log(_LEAST_PROBABILITY))
        logs[:, np.searchsorted(self.classes, solution.classes_)] = solution.predict_log_proba(self.features(X))
        return np.asarray(np.maximum(logs, np.log(_LEAST_PROBABILITY)))

    def solutions(
        self, whole: WeightedRows, small: WeightedRows, rng: np.random.RandomState
    ) -> Iterator[tuple[str, Any]]:
        """Yield pairs of a name and a solution."""
        from sklearn.linear_model import LogisticRegression

        labels, counts = np.unique(np.asarray(whole.y), return_counts=True)
        shares = np.full(len(self.classes), _LEAST_PROBABILITY)
        shares[np.searchsorted(self.classes, labels)] = counts / counts.sum()
        yield "equal probabilities", np.log(np.full(len(self.classes), 1 / len(self.classes)))
        yield "shares of the classes", np.log(shares)
        for name, rows in (("logistic regression of the rows", whole), ("logistic regression of the set", small)):
            if len(np.unique(np.asarray(rows.y))) > 1:
                model = LogisticRegression(max_iter=100)
                yield name, model.fit(self.features(rows.X), rows.y, sample_weight=rows.weight)
