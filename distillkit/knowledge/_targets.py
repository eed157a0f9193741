"""What a student is taught: rows, labels, and what the teacher says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

__all__ = ["DistillationTargets", "Rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with labels and weights.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    y : ndarray of shape (n,) or None
        Labels or numbers.
    weight : ndarray of shape (n,) or None
    """

    X: np.ndarray
    y: np.ndarray | None = None
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, indices: np.ndarray) -> Self:
        """Return some of the rows."""
        parts = (None if part is None else part[indices] for part in (self.y, self.weight))
        return type(self)(self.X[indices], *parts)


@dataclass(frozen=True, eq=False)
class DistillationTargets:
    """Rows with the teacher's logits or numbers, and how they are weighed.

    Parameters
    ----------
    rows : Rows
    classes : ndarray of shape (n_classes,) or None
        Sorted labels; None for numbers.
    taught : ndarray of shape (n, n_classes) or (n,), or None
        The teacher's logits, or numbers; None only with ``alpha=1``.
    temperature, alpha : float
    """

    rows: Rows
    classes: np.ndarray | None
    taught: np.ndarray | None
    temperature: float
    alpha: float

    @property
    def codes(self) -> np.ndarray | None:
        """Class numbers (n,), where there are labels."""
        if self.rows.y is None or self.classes is None:
            return None
        return np.searchsorted(self.classes, self.rows.y)

    def without_teacher(self) -> DistillationTargets:
        """Return the same rows with their labels alone."""
        return replace(self, taught=None, alpha=1.0)
