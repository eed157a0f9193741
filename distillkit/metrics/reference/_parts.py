"""The training rows of one class, of which some may have been left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Part"]


@dataclass(frozen=True)
class Part:
    """Training rows of one class, or all of them if the target is continuous or absent.

    A part of a reference without some rows shares the array `whole` with the part of the reference
    from which it was derived, so that nothing is copied.

    Parameters
    ----------
    key : hashable
        Identifies the array `whole` within the reference, for `Reference.cached`.
    label : object
        The class label; None for all rows.
    positions : ndarray of shape (n,)
        Positions of the rows of `whole` in the training rows of the root reference.
    whole : ndarray of shape (n, d)
        Features of all rows of the class, whether they were left out or not.
    removed : ndarray of shape (r,)
        Positions within `whole` of the rows that are left out, sorted.
    """

    key: Any
    label: Any
    positions: np.ndarray
    whole: np.ndarray
    removed: np.ndarray

    def __len__(self) -> int:
        """Return the number of rows that are not left out."""
        return len(self.whole) - len(self.removed)

    @property
    def kept(self) -> np.ndarray:
        """Positions within `whole` of the rows that are not left out, of shape (n - r,)."""
        if not len(self.removed):
            return np.arange(len(self.whole))
        return np.delete(np.arange(len(self.whole)), self.removed)

    @property
    def X(self) -> np.ndarray:  # noqa: N802 (the usual name of rows)
        """Features of the rows that are not left out, of shape (n - r, d)."""
        return self.whole if not len(self.removed) else np.delete(self.whole, self.removed, axis=0)
