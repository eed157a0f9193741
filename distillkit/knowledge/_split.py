"""The split of a teacher-student fit into training rows and validation rows."""

from __future__ import annotations

import numpy as np

from distillkit.utils._hold_out import hold_out_rows, rows_by_class

__all__ = ["MIN_HELD_OUT", "hold_out"]

MIN_HELD_OUT = 10
"""Smallest number of validation rows; metrics of fewer rows would say too little."""


def hold_out(
    y: np.ndarray | None, n_rows: int, fraction: float | None, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Divide the rows into training rows and validation rows, stratified by class.

    Parameters
    ----------
    y : ndarray of shape (n,) or None
        Class labels; None divides all rows together.
    n_rows : int
    fraction : float in (0, 1) or None
        Share to hold out of each class, rounded down. None holds out nothing, and so does a share
        that would give fewer than ten rows in all.
    rng : RandomState

    Returns
    -------
    train, validation : ndarray of int
        Positions of the rows, ascending; `validation` may be empty.
    """
    classes = rows_by_class(y, n_rows)
    counts = [int(len(class_rows) * (fraction or 0.0)) for class_rows in classes]
    train, validation = hold_out_rows(classes, counts, n_rows, rng)
    if len(validation) < MIN_HELD_OUT:
        return np.arange(n_rows), np.empty(0, dtype=np.int64)
    return train, np.sort(validation)
