"""Values of a variable as ranks in [0, 1], which no extreme value distorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

__all__ = ["RankScore"]

_MOST_KNOTS = 2048


@dataclass(frozen=True, eq=False)
class RankScore:
    """A monotone, piecewise linear map from numbers to their mean ranks in the training rows.

    Parameters
    ----------
    knots : ndarray of shape (k,)
        Ascending numbers: the different values of the training rows, or 2048 quantiles of them.
    ranks : ndarray of shape (k,)
        Mean rank of each, as a share of the rows, in (0, 1).
    """

    knots: np.ndarray
    ranks: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray) -> Self:
        """Learn the ranks of training numbers, of which some may be NaN."""
        present = numbers[~np.isnan(numbers)]
        if not len(present):
            return cls(np.zeros(1), np.full(1, 0.5))
        knots, counts = np.unique(present, return_counts=True)
        ranks = (np.cumsum(counts) - counts / 2) / len(present)
        if len(knots) > _MOST_KNOTS:
            picks = np.unique(np.searchsorted(ranks, np.linspace(ranks[0], ranks[-1], _MOST_KNOTS)))
            knots, ranks = knots[picks], ranks[picks]
        return cls(knots, ranks)

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Return ranks (n,), float32 and NaN where numbers are missing."""
        ranks: np.ndarray = np.interp(numbers, self.knots, self.ranks).astype(np.float32)
        ranks[np.isnan(numbers)] = np.nan
        return ranks
