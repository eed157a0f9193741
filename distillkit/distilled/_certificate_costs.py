"""Costs of solutions on weighted rows, with the solutions they are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

__all__ = ["KMeansCost", "LogisticCost", "RidgeCost", "Weighted"]

_BLOCK_VALUES = 2_000_000
_LEAST_PROBABILITY = 1e-12  # of a class that a model has never seen


@dataclass(frozen=True, eq=False)
class Weighted:
    """Weighted rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weight : ndarray of shape (n,)
    y : ndarray of shape (n,) or None
    offset : float
        Constant part of the k-means cost.
    """

    X: np.ndarray
    weight: np.ndarray
    y: np.ndarray | None
    offset: float = 0.0

    def part(self, values: int, rng: np.random.RandomState) -> Weighted:
        """Return rows drawn at random with weights that have the same sum."""
        if len(self.X) <= values:
            return self
        rows = np.sort(rng.choice(len(self.X), values, replace=False))
        weight = self.weight[rows] * (self.weight.sum() / self.weight[rows].sum())
        return replace(self, X=self.X[rows], weight=weight, y=None if self.y is None else self.y[rows])

    def blocks(self) -> Iterator[Weighted]:
        """Yield consecutive rows as float64, a few megabytes at a time."""
        step = max(1, _BLOCK_VALUES // self.X.shape[1])
        for begin in range(0, len(self.X), step):
            at = slice(begin, begin + step)
            y = None if self.y is None else self.y[at]
            yield Weighted(self.X[at].astype(np.float64), self.weight[at], y)


class KMeansCost:
    """``sum_i w_i min_c |x_i - c|^2 + offset``; a solution is an array of centers (k, d)."""

    name: ClassVar[str] = "k-means"

    def __init__(self, k: int) -> None:
        self.k = k

    def of(self, rows: Weighted, centers: np.ndarray) -> float:
        """Return the cost of centers."""
        origin = centers.mean(axis=0)  # large common offsets would drown the distances in rounding
        moved = centers - origin
        norms, total = np.einsum("ij,ij->i", moved, moved), rows.offset
        for block in rows.blocks():
            X = block.X - origin
            squares = np.einsum("ij,ij->i", X, X) + (norms - 2 * X @ moved.T).min(axis=1)
            total += float(np.maximum(squares, 0) @ block.weight)
        return total

    def solutions(
        self, whole: Weighted, small: Weighted, rng: np.random.RandomState
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield names and centers."""
        from distillkit.neighbors import kmeans

        X = whole.X.astype(np.float64)
        k, seed = min(self.k, len(X)), int(rng.randint(2**31 - 1))
        yield "mean", np.average(X, axis=0, weights=whole.weight)[None]
        yield "random rows", X[rng.choice(len(X), k, replace=False)]
        yield "k-means of the rows", kmeans(X, k, seed=seed, max_iter=10).centroids
        few = min(k, len(small.X))
        yield "k-means of the set", kmeans(small.X, few, weights=small.weight, seed=seed, max_iter=10).centroids


class _Scaled:
    """Features with the mean and deviation of the rows taken out."""

    def __init__(self, whole: Weighted) -> None:
        total, squares, count = np.zeros(whole.X.shape[1]), np.zeros(whole.X.shape[1]), len(whole.X)
        for block in whole.blocks():
            total += block.X.sum(axis=0)
        self.mean = total / count
        for block in whole.blocks():
            squares += np.square(block.X - self.mean).sum(axis=0)
        deviation = np.sqrt(squares / count)
        # the deviation of a constant feature is rounding noise: then it stays as it is
        self.scale = np.where(deviation > 1e-9 * (1 + np.abs(self.mean)), deviation, 1.0)

    def features(self, X: np.ndarray) -> np.ndarray:
        return np.asarray((X - self.mean) / self.scale)


class RidgeCost(_Scaled):
    """``sum_i w_i (y_i - x_i theta - b)^2 + |theta|^2``; a solution is (theta, b)."""

    name: ClassVar[str] = "ridge"

    def __init__(self, whole: Weighted) -> None:
        super().__init__(whole)
        y = np.asarray(whole.y, dtype=np.float64)
        self.y_mean, self.y_scale = float(y.mean()), float(y.std()) or 1.0

    def _target(self, rows: Weighted) -> np.ndarray:
        return (np.asarray(rows.y, dtype=np.float64) - self.y_mean) / self.y_scale

    def of(self, rows: Weighted, solution: tuple[np.ndarray, float]) -> float:
        """Return the cost of coefficients and an intercept."""
        theta, intercept = solution
        total = float(theta @ theta)
        for block in rows.blocks():
            residual = self._target(block) - self.features(block.X) @ theta - intercept
            total += float(np.square(residual) @ block.weight)
        return total

    def solutions(
        self, whole: Weighted, small: Weighted, rng: np.random.RandomState
    ) -> Iterator[tuple[str, tuple[np.ndarray, float]]]:
        """Yield names and (theta, b)."""
        from sklearn.linear_model import Ridge

        d = whole.X.shape[1]
        yield "mean", (np.zeros(d), 0.0)
        yield "random coefficients", (rng.normal(size=d) / np.sqrt(d), 0.0)
        for name, rows in (("ridge of the rows", whole), ("ridge of the set", small)):
            model = Ridge(alpha=1.0).fit(self.features(rows.X), self._target(rows), sample_weight=rows.weight)
            yield name, (np.asarray(model.coef_), float(model.intercept_))


class LogisticCost(_Scaled):
    """``sum_i w_i log(1 / p(y_i | x_i)) + |theta|^2 / 2``; a solution gives log-probabilities and has a penalty."""

    name: ClassVar[str] = "logistic"

    def __init__(self, whole: Weighted, classes: np.ndarray) -> None:
        super().__init__(whole)
        self.classes = classes

    def of(self, rows: Weighted, solution: Any) -> float:
        """Return the cost of a vector of log-probabilities or a fitted model."""
        total = 0.0 if isinstance(solution, np.ndarray) else float(np.square(solution.coef_).sum()) / 2
        for block in rows.blocks():
            own = np.searchsorted(self.classes, np.asarray(block.y))
            logs = self._log_probabilities(block.X, solution)
            total -= float(logs[np.arange(len(own)), own] @ block.weight)
        return total

    def _log_probabilities(self, X: np.ndarray, solution: Any) -> np.ndarray:
        if isinstance(solution, np.ndarray):
            return np.broadcast_to(solution, (len(X), len(self.classes)))
        logs = np.full((len(X), len(self.classes)), np.log(_LEAST_PROBABILITY))
        logs[:, np.searchsorted(self.classes, solution.classes_)] = solution.predict_log_proba(self.features(X))
        return np.asarray(np.maximum(logs, np.log(_LEAST_PROBABILITY)))

    def solutions(self, whole: Weighted, small: Weighted, rng: np.random.RandomState) -> Iterator[tuple[str, Any]]:
        """Yield names and solutions."""
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
