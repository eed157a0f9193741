"""Random draws of rows in proportion to their weights."""

from __future__ import annotations

import numpy as np

__all__ = ["weighted_draw"]


def weighted_draw(
    weight: np.ndarray,
    size: int,
    rng: np.random.Generator | np.random.RandomState | None,
    order: np.ndarray | None = None,
) -> np.ndarray:
    """Draw rows in proportion to their weights, those of large weight several times.

    This is systematic sampling: the weights are laid end to end, and a grid with a random start
    selects the rows on which its points fall. Row i is drawn ``size * w_i / sum(w)`` times on
    average, rounded up or down, so that a mean over the drawn rows is an unbiased estimate of the
    weighted mean over all rows.

    Parameters
    ----------
    weight : ndarray of shape (n,)
        Positive weights.
    size : int
        Number of rows to draw, which may exceed n.
    rng : Generator, RandomState or None
        None starts the grid at half a step, so that the same rows are drawn each time; `order` must
        then be given.
    order : ndarray of shape (n,) or None
        Order of the rows along the grid; None takes a random one.

    Returns
    -------
    ndarray of shape (size,)
        Positions of the drawn rows, in this order.
    """
    if order is None:
        assert rng is not None
        order = rng.permutation(len(weight))
    ends = np.cumsum(weight[order])
    points = ((0.5 if rng is None else rng.random()) + np.arange(size)) * (ends[-1] / size)
    drawn: np.ndarray = order[np.minimum(np.searchsorted(ends, points, side="right"), len(order) - 1)]
    return drawn
