"""The training targets of a student: rows, labels and the teacher's outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

__all__ = ["DistillationTargets", "Rows"]


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
    classes : ndarray of shape (n_classes,) or None
        Sorted labels; None for regression.
    teacher_outputs : ndarray of shape (n, n_classes) or (n,), or None
        The teacher's logits, or its numbers for regression; None only with ``alpha=1``.
    temperature : float > 0
        Temperature of the soft labels.
    alpha : float in [0, 1]
        Weight of the hard labels.
    """

    rows: Rows
    classes: np.ndarray | None
    teacher_outputs: np.ndarray | None
    temperature: float
    alpha: float

    @property
    def codes(self) -> np.ndarray | None:
        """Class numbers (n,), or None without labels."""
        if self.rows.y is None or self.classes is None:
            return None
        return np.searchsorted(self.classes, self.rows.y)

    def without_teacher(self) -> DistillationTargets:
        """Return the same rows with their hard labels alone."""
        return replace(self, teacher_outputs=None, alpha=1.0)
