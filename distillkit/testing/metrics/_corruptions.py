"""Ways to make a distilled set worse by degrees, of which the first changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distillkit.testing.metrics._problem import N_CLASSES, MetricProblem

__all__ = [
    "DEGREES",
    "Corruption",
    "lost_classes",
    "nearly_published_rows",
    "noise",
    "published_rows",
    "repeated_rows",
]

_STRENGTHS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)  # noise in standard deviations within classes
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_NEAR = 0.01  # change of a nearly published row, in the same unit
DEGREES = len(_SHARES)
"""No corruption and five degrees of it."""

Rows = tuple[np.ndarray, np.ndarray]
Corruption = Callable[[MetricProblem, np.ndarray, np.ndarray, int, np.random.RandomState], Rows]
"""Takes the problem, rows and targets of a set, a degree, and a source of random numbers."""


def noise(problem: MetricProblem, X: np.ndarray, y: np.ndarray, degree: int, rng: np.random.RandomState) -> Rows:
    """Add noise to the rows."""
    noisy = X + _STRENGTHS[degree] * problem.spread() * rng.normal(size=X.shape)
    return (np.clip(noisy, 0, 1) if problem.bounded else noisy), y


def lost_classes(
    problem: MetricProblem, X: np.ndarray, y: np.ndarray, degree: int, _rng: np.random.RandomState
) -> Rows:
    """Leave out the rows of some of the six classes, or ranges of the target."""
    kept = problem.groups(y) < N_CLASSES - degree
    return X[kept], y[kept]


def repeated_rows(
    problem: MetricProblem, X: np.ndarray, y: np.ndarray, degree: int, _rng: np.random.RandomState
) -> Rows:
    """Replace a share of the rows of each class by copies of its last row."""
    X, y, groups = X.copy(), y.copy(), problem.groups(y)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        changed = rows[: round(_SHARES[degree] * len(rows))]
        X[changed], y[changed] = X[rows[-1]], y[rows[-1]]
    return X, y


def published_rows(
    problem: MetricProblem, X: np.ndarray, y: np.ndarray, degree: int, rng: np.random.RandomState
) -> Rows:
    """Replace a share of the rows by training rows of the same class."""
    return _replaced(problem, X, y, degree, rng, 0.0)


def nearly_published_rows(
    problem: MetricProblem, X: np.ndarray, y: np.ndarray, degree: int, rng: np.random.RandomState
) -> Rows:
    """Replace a share of the rows by training rows that are hardly changed."""
    return _replaced(problem, X, y, degree, rng, _NEAR)


def _replaced(
    problem: MetricProblem, X: np.ndarray, y: np.ndarray, degree: int, rng: np.random.RandomState, change: float
) -> Rows:
    X, y, groups, whole = X.copy(), y.copy(), problem.groups(y), problem.groups(problem.y)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        changed = rows[: round(_SHARES[degree] * len(rows))]
        taken = rng.permutation(np.flatnonzero(whole == group))[: len(changed)]
        X[changed], y[changed] = problem.X[taken], problem.y[taken]
        X[changed] += change * problem.spread() * rng.normal(size=X[changed].shape)
    return X, y
