"""The space in which rows with a continuous target lie: features and target together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from distillkit.base import Group, TrainingRows

__all__ = ["joint_points"]


def joint_points(rows: TrainingRows, group: Group, target_weight: float) -> np.ndarray:
    """Return the rows of a group, in the feature space, as (n, d) or, with a continuous target, (n, d + 1); not to be changed.

    The target's column is ``target_weight * (y - mean(y)) / std(y) * sqrt(mean_j var(x_j))``: its variance is
    ``target_weight ** 2`` times that of an average feature. Where the features are constant, it is the target's alone.
    """
    points: np.ndarray = rows.points
    if len(group.rows) < len(points):  # else no copy is needed
        points = points[group.rows]
    if rows.task != "regression" or rows.y is None:
        return points
    y = rows.y[group.rows]
    unit = np.sqrt(float(points.var(axis=0, dtype=np.float64).mean())) or 1.0
    centred = y - y.mean(dtype=np.float64)
    # not by the deviation, which rounding leaves above zero for a constant target
    column = centred * (target_weight * unit / centred.std()) if np.ptp(y) > 0 else np.zeros(len(y))
    return np.column_stack([points, column.astype(points.dtype)])
