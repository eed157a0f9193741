"""The share of published rows nearer to a training row than to a held-out row, and its null."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

__all__ = ["Share", "nearest_share"]


@dataclass(frozen=True)
class Share:
    """Nearest-record share.

    Parameters
    ----------
    value : float
        Share of the published rows whose nearest record is a training row; ties count half.
    expected : float
        The same for fresh rows: the share of the training rows among all records.
    sd : float
        Standard deviation of the share if held-out rows stand for the training rows.
    """

    value: float
    expected: float
    sd: float

    @property
    def z(self) -> float:
        """Standard deviations by which the value exceeds the expected one."""
        return (self.value - self.expected) / self.sd


def nearest_share(
    to_members: np.ndarray, to_holdout: np.ndarray, nearest_holdout: np.ndarray, n_members: int, n_holdout: int
) -> Share:
    """Compare the distances of published rows to training rows with those to held-out rows.

    The null is empirical, fresh rows against fresh rows: held-out rows are drawn at random to stand
    for the training rows, and the others stay held out. Many published rows can have the same
    nearest record, as those of a generator often do, which makes the share vary far more than the
    binomial distribution says. With c(r) published rows out of M that are nearest to record r, a
    draw of a share p of the m records without replacement has the variance
    ``p (1 - p) m / (m - 1) (sum(c(r)^2) / M^2 - 1 / m)``, which is what infinitely many draws give.

    Parameters
    ----------
    to_members, to_holdout : ndarray of shape (M,)
        Distances from the published rows to the nearest training row and held-out row.
    nearest_holdout : ndarray of shape (M,)
        Positions of the nearest held-out rows.
    n_members, n_holdout : int
        Numbers of training rows and held-out rows.

    Returns
    -------
    Share
        Its `sd` is at least that of the binomial distribution.
    """
    value = float(np.mean((to_members < to_holdout) + 0.5 * (to_members == to_holdout)))
    expected = n_members / (n_members + n_holdout)
    counts = np.unique(nearest_holdout, return_counts=True)[1] / len(nearest_holdout)
    concentration = float(counts @ counts) - 1 / n_holdout
    variance = concentration * n_holdout / max(1, n_holdout - 1)
    sd = sqrt(expected * (1 - expected) * max(variance, 1 / len(to_members)))
    return Share(value, expected, sd)
