"""Cross-fitting: a teacher's outputs for rows that its training left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from distillkit.knowledge._models import fit_model
from distillkit.knowledge._targets import Rows
from distillkit.knowledge._teacher import Teacher
from distillkit.utils._hold_out import rows_by_class

__all__ = ["assign_folds", "out_of_fold", "teacher_outputs"]


def assign_folds(y: np.ndarray | None, n_rows: int, n_folds: int, rng: np.random.RandomState) -> np.ndarray:
    """Assign the rows of each class to folds at random.

    Parameters
    ----------
    y : ndarray of shape (n,) or None
        Class labels; None treats all rows as one class.
    n_rows, n_folds : int
    rng : RandomState

    Returns
    -------
    ndarray of int of shape (n,)
        Fold of each row. The folds of a class differ in size by one at most. The only row of a
        class is in no fold (-1), since no other row could teach that class.
    """
    folds = np.full(n_rows, -1)
    first_fold = 0
    for class_rows in rows_by_class(y, n_rows):
        shuffled = rng.permutation(class_rows)
        if len(shuffled) > 1:
            folds[shuffled] = (first_fold + np.arange(len(shuffled))) % n_folds
            # The next class starts at the fold after this one's last, so that all folds stay
            # equal in size.
            first_fold += len(shuffled)
    return folds


def out_of_fold(
    template: Any,
    teacher: Teacher,
    rows: Rows,
    n_folds: int,
    rng: np.random.RandomState,
    indices: np.ndarray | None = None,
) -> np.ndarray:
    """Return, for each row, the outputs of a teacher trained on the other folds.

    Parameters
    ----------
    template : estimator
        Cloned and trained once for each fold that holds one of the rows of `indices`.
    teacher : Teacher
        Trained on all rows. Its outputs are used for the rows that are in no fold.
    rows : Rows
    n_folds : int
        At least 2; limited to the number of rows.
    rng : RandomState
    indices : ndarray of int or None
        Positions of the rows whose outputs are needed; None means all rows.

    Returns
    -------
    ndarray of shape (m, n_classes) or (m,)
        Logits, or numbers for regression, in the order of `indices`.
    """
    indices = np.arange(len(rows)) if indices is None else indices
    # 1. Assign every row to a fold, and start from the outputs of the teacher of all rows.
    folds = assign_folds(None if teacher.classes is None else rows.y, len(rows), min(n_folds, len(rows)), rng)
    outputs = teacher.outputs(rows.X[indices])
    # 2. For each fold, train a copy on the other folds and let it predict this fold.
    for fold in np.unique(folds[indices[folds[indices] >= 0]]):
        other_folds = rows.take(np.flatnonzero(folds != fold))
        model = fit_model(clone(template), other_folds.X, other_folds.y, other_folds.weight)
        in_fold = np.flatnonzero(folds[indices] == fold)
        outputs[in_fold] = Teacher(model, teacher.classes).outputs(rows.X[indices[in_fold]])
    return outputs


def teacher_outputs(
    teacher: Teacher,
    template: Any,
    rows: Rows,
    n_folds: int | None,
    rng: np.random.RandomState,
    indices: np.ndarray | None = None,
) -> np.ndarray:
    """Return a teacher's outputs for rows, out of fold where it was trained on these rows.

    Parameters
    ----------
    teacher : Teacher
    template : estimator or None
        The unfitted teacher; None for a teacher that was fitted beforehand.
    rows : Rows
    n_folds : int or None
        None always uses `teacher` itself.
    rng : RandomState
    indices : ndarray of int or None
        Positions of the rows whose outputs are needed; None means all rows.

    Returns
    -------
    ndarray of shape (m, n_classes) or (m,)
        Logits, or numbers for regression; see `out_of_fold`.
    """
    if template is not None and n_folds is not None:
        return out_of_fold(template, teacher, rows, n_folds, rng, indices)
    return teacher.outputs(rows.X if indices is None else rows.X[indices])
