"""The training targets of a student: rows, labels and the teacher's outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from distillkit.knowledge._loss_plan import LossPlan

__all__ = ["DistillationTargets", "Rows"]

_PLAN = LossPlan()


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with their labels and weights.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    y : ndarray of shape (n,) or None
        Class labels, or numbers for regression.
    weight : ndarray of shape (n,) or None
        Sample weights.
    """

    X: np.ndarray
    y: np.ndarray | None = None
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, indices: np.ndarray) -> Self:
        """Return the rows at some positions, with their labels and weights."""
        parts = (None if part is None else part[indices] for part in (self.y, self.weight))
        return type(self)(self.X[indices], *parts)


@dataclass(frozen=True, eq=False)
class DistillationTargets:
    """Rows with the teacher's outputs for them, and the weights of both kinds of labels.

    Parameters
    ----------
    rows : Rows
        The label of a row of `alpha` zero is not used.
    classes : ndarray of shape (n_classes,) or None
        Sorted labels; None for regression.
    teacher_outputs : ndarray of shape (n, n_classes) or (n,), or None
        The teacher's logits, or its numbers for regression; None only with ``alpha=1``.
    temperature : float > 0
        Temperature of the soft labels.
    alpha : float in [0, 1], or ndarray of shape (n,)
        Weight of the hard labels, for all rows or for each row.
    plan : LossPlan
        Loss of network students and its schedules.
    labeled : ndarray of bool of shape (n,) or None, default=None
        Which of the rows the student alone may learn from; None means all of them.
    """

    rows: Rows
    classes: np.ndarray | None
    teacher_outputs: np.ndarray | None
    temperature: float
    alpha: float | np.ndarray
    labeled: np.ndarray | None = None
    plan: LossPlan = _PLAN

    @property
    def codes(self) -> np.ndarray | None:
        """Class numbers (n,), or None without labels."""
        if self.rows.y is None or self.classes is None:
            return None
        return np.searchsorted(self.classes, self.rows.y)

    @property
    def uses_teacher(self) -> bool:
        """Whether the teacher's outputs have a weight for any row."""
        return bool(np.any(np.asarray(self.alpha) < 1))

    @property
    def uses_labels(self) -> bool:
        """Whether the labels have a weight for any row."""
        return bool(np.any(np.asarray(self.alpha) > 0))

    def without_teacher(self) -> DistillationTargets:
        """Return the labeled rows with their hard labels alone."""
        rows = self.rows if self.labeled is None else self.rows.take(np.flatnonzero(self.labeled))
        return replace(self, rows=rows, teacher_outputs=None, alpha=1.0, labeled=None, plan=_PLAN)
