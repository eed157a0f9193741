"""The joint space of features and a continuous target, in which rows are clustered or selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.neighbors._lazy_rows import LazyRows, select_rows
from distillkit.utils._moments import without_far_offsets

if TYPE_CHECKING:
    from distillkit.base import Group, TrainingRows

__all__ = ["joint_points"]


def joint_points(rows: TrainingRows, group: Group, target_weight: float) -> Any:
    """Return the rows of a group in the feature space, with a continuous target as one more column.

    The column of the target is ``target_weight * (y - mean(y)) / std(y) * sqrt(mean_j var(x_j))``:
    its variance is ``target_weight ** 2`` times that of an average feature. If all features are
    constant, the target is scaled to the variance ``target_weight ** 2``.

    Returns
    -------
    ndarray or LazyRows of shape (n_group, p) or (n_group, p + 1)
        May share memory with the rows, so it must not be written to.
    """
    points: Any = rows.points
    if len(group.rows) < len(points):  # otherwise no copy is needed
        points = select_rows(points, group.rows)
    if rows.task != "regression" or rows.y is None:
        return points
    y = without_far_offsets(rows.y[group.rows][:, None].astype(np.float64))[:, 0]
    near = points if isinstance(points, LazyRows) else without_far_offsets(points)  # an encoder has none
    feature_deviation = np.sqrt(float(near.var(axis=0, dtype=np.float64).mean())) or 1.0
    centered = y - y.mean(dtype=np.float64)
    # The range tells whether y is constant; rounding leaves its deviation slightly above zero.
    column = centered * (target_weight * feature_deviation / centered.std()) if y.max() > y.min() else np.zeros(len(y))
    if isinstance(points, LazyRows):
        return points.with_column(column)
    return np.column_stack([points, column.astype(points.dtype)])
