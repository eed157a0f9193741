"""The joint space of features and a continuous target, in which rows are clustered or selected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.neighbors._lazy_rows import LazyRows
from distillkit.utils._moments import without_far_offsets

if TYPE_CHECKING:
    from distillkit.base import Group, TrainingRows

__all__ = ["joint_points"]


def joint_points(rows: TrainingRows, group: Group, target_weight: float) -> Any:
    """Return the rows of a group in the feature space, with a continuous target as one more column.

    The column of the target is ``target_weight * (y - mean(y)) / std(y) * sqrt(mean_j var(x_j))``:
    its variance is ``target_weight ** 2`` times that of an average feature. If all features are
    constant, the target is scaled to the variance ``target_weight ** 2``. Means and variances are
    weighted if the rows have weights.

    Returns
    -------
    ndarray or LazyRows of shape (n_group, p) or (n_group, p + 1)
        May share memory with the rows, so it must not be written to.
    """
    points: Any = rows.points_of(group)
    if rows.task != "regression" or rows.y is None:
        return points
    y, weight = without_far_offsets(rows.y[group.rows][:, None].astype(np.float64))[:, 0], rows.weight_in(group)
    near = points if isinstance(points, LazyRows) else without_far_offsets(points)  # an encoder has none
    feature_deviation = np.sqrt(float(_variances(near, weight).mean())) or 1.0
    centered = y - np.average(y, weights=weight)
    # The range tells whether y is constant; rounding leaves its deviation slightly above zero.
    deviation = np.sqrt(np.average(np.square(centered), weights=weight)) if y.max() > y.min() else np.inf
    column = centered * (target_weight * feature_deviation / deviation)
    if isinstance(points, LazyRows):
        return points.with_column(column)
    return np.column_stack([points, column.astype(points.dtype)])


def _variances(points: Any, weight: np.ndarray | None) -> np.ndarray:
    """Return the (weighted) variance of each column."""
    if weight is None:
        return np.asarray(points.var(axis=0, dtype=np.float64))
    mean = sum(weight[part] @ block for part, block in _blocks(points)) / weight.sum()
    return np.asarray(sum(weight[part] @ np.square(block - mean) for part, block in _blocks(points)) / weight.sum())


def _blocks(points: Any) -> Iterator[tuple[slice, np.ndarray]]:
    """Return blocks of rows with their slices; an array is one block."""
    return points.blocks() if isinstance(points, LazyRows) else iter([(slice(None), points)])
