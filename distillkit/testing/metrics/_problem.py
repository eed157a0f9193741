"""Small problems for checks of metrics of stage "data", and distilled sets of known quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distillkit.distilled import DistilledSet

__all__ = ["N_CLASSES", "MetricProblem", "make_problem"]

N_CLASSES = 6
_ROWS = 30  # training rows of each class, and as many fresh rows
_CENTER = 1.6  # standard deviation of the class centers of a table, in units of the noise


@dataclass(frozen=True, eq=False)
class MetricProblem:
    """Training rows, and fresh rows of the same distribution from which distilled sets are made.

    Parameters
    ----------
    X, y : ndarray of shape (180, ...), ndarray of shape (180,)
        Training rows of six classes, shuffled; y holds labels 0 to 5 or numbers.
    fresh_rows, fresh_targets : ndarray
        Other rows of the same size.
    held_out_rows, held_out_targets : ndarray
        Further rows of the same size, for metrics that need held-out rows.
    task : {"classification", "regression"}
    bounded : bool
        Whether values lie in [0, 1], as those of images.
    """

    X: np.ndarray
    y: np.ndarray
    fresh_rows: np.ndarray
    fresh_targets: np.ndarray
    held_out_rows: np.ndarray
    held_out_targets: np.ndarray
    task: str
    bounded: bool

    def groups(self, y: np.ndarray) -> np.ndarray:
        """Return the class of each row, or the sixth of the training targets in which it lies."""
        if self.task == "classification":
            return np.asarray(y, dtype=int)
        edges = np.quantile(self.y, np.arange(1, N_CLASSES) / N_CLASSES)
        return np.searchsorted(edges, y)

    def fresh(self, rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Draw fresh rows, equally many of each class."""
        groups = self.groups(self.fresh_targets)
        rng = np.random.RandomState(seed)
        order = [rng.permutation(np.flatnonzero(groups == group))[:rows] for group in range(N_CLASSES)]
        chosen = np.concatenate(order)
        return self.fresh_rows[chosen], self.fresh_targets[chosen]

    def set_of(self, X: np.ndarray, y: np.ndarray, weight: Any = None) -> DistilledSet:
        """Return a distilled set in which each row stands for an equal share of its class."""
        if weight is None and len(y):
            groups, whole = self.groups(y), np.bincount(self.groups(self.y), minlength=N_CLASSES)
            weight = (whole / np.maximum(1, np.bincount(groups, minlength=N_CLASSES)))[groups]
        classes = np.unique(self.y) if self.task == "classification" else None
        return DistilledSet(X, y, weight, classes=classes, provenance={"task": self.task, "rows_seen": len(self.X)})

    def spread(self) -> float:
        """Standard deviation of the values within the classes."""
        groups = self.groups(self.y)
        return float(np.sqrt(np.mean([self.X[groups == group].var(axis=0).mean() for group in np.unique(groups)])))


def make_problem(task: str = "classification", modality: str = "table", seed: int = 0) -> MetricProblem:
    """Make a problem whose rows have one of the three shapes.

    Parameters
    ----------
    task : {"classification", "regression"}
    modality : {"table", "series", "image"}
    seed : int

    Returns
    -------
    MetricProblem
        In float64.
    """
    rng = np.random.RandomState(seed)
    shape = {"table": (8,), "series": (2, 32), "image": (1, 16, 16)}[modality]
    centers = _centers(modality, shape, rng)
    parts: list[Any] = []
    for _ in range(3):
        codes = rng.permutation(np.repeat(np.arange(N_CLASSES), _ROWS))
        noise = rng.normal(size=(len(codes), *shape)) * (0.12 if modality == "image" else 1.0)
        X = centers[codes] + noise
        X = np.clip(X, 0, 1) if modality == "image" else X
        numbers = X.reshape(len(X), -1)[:, :3].sum(axis=1) + 0.1 * rng.normal(size=len(X))
        parts += [X, codes if task == "classification" else numbers]
    rows, targets = parts[::2], parts[1::2]
    return MetricProblem(
        rows[0], targets[0], rows[1], targets[1], rows[2], targets[2], task=task, bounded=modality == "image"
    )


def _centers(modality: str, shape: tuple[int, ...], rng: np.random.RandomState) -> np.ndarray:
    if modality == "table":
        return _CENTER * rng.normal(size=(N_CLASSES, *shape))
    # Waves of other frequencies and phases for each class, along all but the axis of channels.
    frequency, phase = rng.uniform(1, 3, size=N_CLASSES), rng.uniform(0, 2 * np.pi, size=N_CLASSES)
    grid = np.linspace(0, 2 * np.pi, shape[-1])
    waves = np.sin(frequency[:, None] * grid + phase[:, None])
    if modality == "series":
        return np.repeat(waves[:, None], shape[0], axis=1) * 1.5
    return 0.5 + 0.35 * waves[:, None, :, None] * waves[:, None, None, :]
