"""Computes a metric on resampled test rows, for many predictions at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

__all__ = ["MAX_DRAWS", "ResampledRows"]

MAX_DRAWS = 1000
"""Number of resamples of the test rows."""

_SLOW_DRAWS = 200
"""Number of resamples for metrics that are called once per resample."""

_MAX_WEIGHTS = 20_000_000
"""Most entries of the matrix of weights; with more test rows there are fewer resamples."""

_MIN_DRAWS = 200


class ResampledRows:
    """Bootstrap resamples of the test rows of one dataset, which all methods share.

    Parameters
    ----------
    targets : ndarray of shape (n,)
        True class codes, or true numbers.
    seed : int, default=0
        Seed of the resamples. Equal numbers of rows and equal seeds give equal resamples.
    """

    def __init__(self, targets: np.ndarray, seed: int = 0) -> None:
        self.targets = np.asarray(targets)
        self.n = len(self.targets)
        self.draws = int(np.clip(_MAX_WEIGHTS // max(self.n, 1), _MIN_DRAWS, MAX_DRAWS))
        self._seed = seed

    @cached_property
    def indices(self) -> np.ndarray:
        """Rows of each resample, of shape (draws, n)."""
        return np.random.default_rng(self._seed).integers(0, self.n, (self.draws, self.n), dtype=np.int32)

    @cached_property
    def weights(self) -> np.ndarray:
        """How often each resample holds each row, of shape (n, draws)."""
        counts = [np.bincount(rows, minlength=self.n) for rows in self.indices]
        return np.array(counts, dtype=np.float32).T

    def scores(
        self, metric: str, predictions: np.ndarray, function: Callable[[np.ndarray, np.ndarray], float] | None = None
    ) -> np.ndarray:
        """Return a metric of some predictions on each resample.

        Parameters
        ----------
        metric : str
            Registry name. Accuracy, balanced accuracy, macro-F1, R2 and RMSE are computed for all
            resamples at once; other metrics by calling `function` for the first 200 resamples.
        predictions : ndarray of shape (m, n)
            One row of predictions per trained model.
        function : callable or None
            ``function(targets, predictions) -> float`` of another metric.

        Returns
        -------
        ndarray of shape (m, draws)
            NaN where the metric is not defined on a resample.

        Raises
        ------
        ValueError
            If the metric is none of those above and there is no function.
        """
        predictions = np.asarray(predictions)
        if metric in _FAST:
            return _FAST[metric](self.targets, predictions, self.weights)
        if function is None:
            raise ValueError(f"metric={metric!r} has no fast formula: give its function.")
        rows = self.indices[:_SLOW_DRAWS]
        return np.array([[float(function(self.targets[i], one[i])) for i in rows] for one in predictions])


def _accuracy(targets: np.ndarray, predictions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    correct = (predictions == targets).astype(np.float32)
    return np.asarray(correct @ weights / len(targets), dtype=float)


def _balanced_accuracy(targets: np.ndarray, predictions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean recall over the classes that a resample holds."""
    correct = (predictions == targets).astype(np.float32)
    recalls, present = np.zeros((len(predictions), weights.shape[1])), np.zeros(weights.shape[1])
    for label in np.unique(targets):
        rows = targets == label
        sizes = weights[rows].sum(axis=0)
        recalls += correct[:, rows] @ weights[rows] / np.maximum(sizes, 1)
        present += sizes > 0
    return np.asarray(recalls / present)


def _macro_f1(targets: np.ndarray, predictions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean F1 score over the labels that are true or predicted in a resample."""
    total, present = (np.zeros((len(predictions), weights.shape[1])) for _ in range(2))
    for label in np.union1d(targets, predictions):
        true, predicted = (targets == label).astype(np.float32), (predictions == label).astype(np.float32)
        sizes = true @ weights + predicted @ weights
        total += 2 * ((predicted * true) @ weights) / np.maximum(sizes, 1)
        present += sizes > 0
    return np.asarray(total / present)


def _r2(targets: np.ndarray, predictions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    centred = targets - targets.mean()
    variation = (centred**2) @ weights - (centred @ weights) ** 2 / len(targets)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = 1 - ((predictions - targets) ** 2) @ weights / variation
    return np.where(variation > 0, scores, np.nan)


def _rmse(targets: np.ndarray, predictions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(((predictions - targets) ** 2) @ weights / len(targets)))


_FAST: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "accuracy": _accuracy,
    "balanced-accuracy": _balanced_accuracy,
    "macro-f1": _macro_f1,
    "r2": _r2,
    "rmse": _rmse,
}
