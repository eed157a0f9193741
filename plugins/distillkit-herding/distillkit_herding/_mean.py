"""Herding on the rows themselves: their mean is kept."""

from __future__ import annotations

import numpy as np

__all__ = ["herd_mean"]


def herd_mean(points: np.ndarray, size: int) -> tuple[np.ndarray, float]:
    """Pick rows one after another so that the mean of those picked stays nearest to the mean of all.

    With ``mu`` the mean of all rows and ``S`` those picked so far, the next one is the row x, not yet picked, that
    minimises ``|| (len(S) + 1) mu - sum(S) - x ||``: the greedy rule of Rebuffi et al. (arXiv:1611.07725), which is
    Welling's herding (2009) without replacement.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    size : int
        Rows to pick, at most n.

    Returns
    -------
    picks : ndarray of shape (size,)
        Positions in ranking order: the first m of them are what `size` = m picks.
    error : float
        ``|| mean(points[picks]) - mu ||``.

    Notes
    -----
    Time O(n d size), memory one copy of `points`.
    """
    # from the mean, the target (t + 1) mu - sum(S) is minus the sum of the centred picks: small, so nothing cancels
    centred = points - points.mean(axis=0, dtype=np.float64).astype(points.dtype)
    squares = np.einsum("ij,ij->i", centred, centred)
    total = np.zeros(centred.shape[1])
    picks = np.empty(size, dtype=np.int64)
    for step in range(size):
        distance = squares + 2 * (centred @ total.astype(centred.dtype))  # less |total|^2, the same for all rows
        distance[picks[:step]] = np.inf
        picks[step] = np.argmin(distance)
        total += centred[picks[step]]
    return picks, float(np.linalg.norm(total) / size)
