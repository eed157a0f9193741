"""Rows and targets on the scale of the training rows, for models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._sides import Sides
from distillkit.utils._moments import column_deviations, column_means, mean_and_deviation

__all__ = ["Scaling", "require_targets", "row_scaling", "target_matrix", "target_scaling"]


@dataclass(frozen=True)
class Scaling:
    """A mean and a deviation that are subtracted and divided by.

    Parameters
    ----------
    mean, deviation : float or ndarray of shape (d,)
    """

    mean: float | np.ndarray
    deviation: float | np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the standardized values in float64."""
        return np.asarray((values.astype(np.float64) - self.mean) / self.deviation)


def row_scaling(sides: Sides) -> Scaling:
    """Return the scaling by the training rows: by column for tables, of all values for others.

    One scale for all pixels or steps keeps those that hardly vary from dominating.
    """
    root = sides.reference.root

    def make() -> Scaling:
        if root.X.ndim == 2:
            return Scaling(column_means(root.X), column_deviations(root.X))
        return Scaling(*mean_and_deviation(root.X))

    return root.cached("row scaling", make)


def require_targets(sides: Sides, metric: str) -> None:
    """Raise an error for rows without targets, which no model can learn from."""
    if sides.y is None or sides.y_small is None:
        raise DataError(f"{metric} trains models, which need targets: give y, and distil with y.")


def target_scaling(sides: Sides) -> Scaling:
    """Return the scaling by the numeric training targets."""
    root = sides.reference.root
    return root.cached("target scaling", lambda: Scaling(*mean_and_deviation(np.asarray(root.y, dtype=np.float64))))


def target_matrix(sides: Sides) -> tuple[np.ndarray, np.ndarray]:
    """Return the targets of the training rows and of the distilled rows as columns.

    Returns
    -------
    training : ndarray of shape (n, k)
    distilled : ndarray of shape (m, k)
        One column per class, with ones for the labels or the soft labels of the distilled rows; or
        one column of standardized numbers.
    """
    assert sides.y is not None
    assert sides.y_small is not None
    if sides.classes is None:
        scaling = target_scaling(sides)
        small = sides.y_small if sides.soft_labels is None else sides.soft_labels[:, 0]
        return scaling(sides.y)[:, None], scaling(small)[:, None]
    one_hot = np.eye(len(sides.classes))
    return one_hot[sides.y], one_hot[sides.y_small] if sides.soft_labels is None else sides.soft_labels
