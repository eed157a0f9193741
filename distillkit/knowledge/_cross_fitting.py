"""What a teacher says of rows that it was not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from distillkit.knowledge._models import fit_model
from distillkit.knowledge._targets import Rows
from distillkit.knowledge._teacher import Teacher

__all__ = ["ask", "assign_folds", "out_of_fold"]


def assign_folds(y: np.ndarray | None, n_rows: int, n_folds: int, rng: np.random.RandomState) -> np.ndarray:
    """Deal the rows of each class into folds at random; a class of one row is in none (-1), since it must be learned.

    Parameters
    ----------
    y : ndarray of shape (n,) or None
        Class labels; None deals all rows together.
    n_rows, n_folds : int
    rng : RandomState

    Returns
    -------
    ndarray of int of shape (n,)
        Sizes of the folds of a class differ by one at most.
    """
    codes = np.zeros(n_rows, dtype=int) if y is None else np.unique(y, return_inverse=True)[1]
    folds = np.full(n_rows, -1)
    first = 0
    for code in range(codes.max() + 1):
        members = rng.permutation(np.flatnonzero(codes == code))
        if len(members) > 1:
            folds[members] = (first + np.arange(len(members))) % n_folds
            first += len(members)  # the next class goes on where this one ended, so that folds stay equal
    return folds


def out_of_fold(
    template: Any,
    teacher: Teacher,
    rows: Rows,
    n_folds: int,
    rng: np.random.RandomState,
    wanted: np.ndarray | None = None,
) -> np.ndarray:
    """Ask, for each row, a teacher trained on the other folds.

    Parameters
    ----------
    template : estimator
        Cloned and trained once per fold that holds wanted rows.
    teacher : Teacher
        Trained on all rows; it answers for the rows in no fold.
    rows : Rows
    n_folds : int
        At least 2; no more than there are rows.
    rng : RandomState
    wanted : ndarray of int or None
        Rows to ask for; None asks for all.

    Returns
    -------
    ndarray of shape (m, n_classes) or (m,)
        Logits or numbers, in the order of `wanted`.
    """
    wanted = np.arange(len(rows)) if wanted is None else wanted
    folds = assign_folds(None if teacher.classes is None else rows.y, len(rows), min(n_folds, len(rows)), rng)
    answers = teacher.outputs(rows.X[wanted])
    for fold in np.unique(folds[wanted[folds[wanted] >= 0]]):
        others = rows.take(np.flatnonzero(folds != fold))
        model = fit_model(clone(template), others.X, others.y, others.weight)
        mine = np.flatnonzero(folds[wanted] == fold)
        answers[mine] = Teacher(model, teacher.classes).outputs(rows.X[wanted[mine]])
    return answers


def ask(
    teacher: Teacher,
    template: Any,
    rows: Rows,
    n_folds: int | None,
    rng: np.random.RandomState,
    wanted: np.ndarray | None = None,
) -> np.ndarray:
    """Ask a teacher about rows, out of fold where it was trained on them and folds are wanted; see `out_of_fold`."""
    if template is not None and n_folds is not None:
        return out_of_fold(template, teacher, rows, n_folds, rng, wanted)
    return teacher.outputs(rows.X if wanted is None else rows.X[wanted])
