"""One order for the picks of all classes, such that each prefix is a coreset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["interleave"]


def interleave(sizes: Sequence[int]) -> np.ndarray:
    """Order picks, given class after class, by their share of their class's budget.

    With c classes of equal budgets it takes one pick of each class in turn, so that the first ``c * j`` are the
    first j of each; with others, one of each class and then on in proportion.

    Parameters
    ----------
    sizes : sequence of int
        Picks of each class.

    Returns
    -------
    ndarray of shape (sum(sizes),), int64

    Examples
    --------
    >>> interleave([2, 2]).tolist(), interleave([4, 1]).tolist()
    ([0, 2, 1, 3], [0, 4, 1, 2, 3])
    """
    share = np.concatenate([np.arange(size) / size for size in sizes])
    return np.argsort(share, kind="stable")
