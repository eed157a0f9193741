"""Lazy greedy maximization of submodular functions (Minoux 1978)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["every_gain", "lazy_greedy"]

_BLOCK = 16


def lazy_greedy(
    gains: Callable[[np.ndarray], np.ndarray],
    update: Callable[[int], None],
    n: int,
    size: int,
    *,
    most: int = _BLOCK,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Select items one by one by the largest gain, computing only the gains that matter.

    The gains of a submodular function never increase, so an earlier gain is an upper bound: an item
    whose current gain is not below the bound of any other item is the best. The selection is that
    of the plain greedy rule, which takes the first of equal items, as long as rounding does not
    increase a gain.

    Parameters
    ----------
    gains : callable
        Maps candidates of shape (b,) to their gains of shape (b,), given the selection so far.
    update : callable
        Called with each selected item.
    n, size : int
        Number of items, and number of items to select.
    most : int
        Largest number of gains computed at a time. Each selection starts with 16 and doubles.
    should_stop : callable or None
        Called before every selection but the first. On True the remaining items are those with the
        largest bounds, and `update` is not called for them.

    Returns
    -------
    picks : ndarray of shape (size,)
        Selected items in order.
    gained : ndarray of shape (size,)
        Gain of each selected item; an upper bound on it after an early stop.

    References
    ----------
    Minoux, "Accelerated greedy algorithms for maximizing submodular set functions", 1978.
    """
    bound = every_gain(gains, n, most)
    is_current = np.ones(n, dtype=bool)
    picks, gained = np.empty(size, dtype=np.intp), np.empty(size)
    for step in range(size):
        if step and should_stop is not None and should_stop():
            # Out of time: fill the selection by the upper bounds.
            rest = np.argsort(-bound, kind="stable")[: size - step]
            picks[step:], gained[step:] = rest, bound[rest]
            break
        # Recompute outdated gains, largest bounds first, until the largest bound is a current gain.
        best, width = int(np.argmax(bound)), min(_BLOCK, most)
        while not is_current[best]:
            stale = np.where(is_current, -np.inf, bound)
            block = np.union1d(best, np.argpartition(-stale, min(width, n - 1))[:width])
            width = min(2 * width, most)
            block = block[~is_current[block] & np.isfinite(bound[block])]
            bound[block] = gains(block)
            is_current[block] = True
            best = int(np.argmax(bound))
        picks[step], gained[step] = best, bound[best]
        update(best)
        bound[best] = -np.inf
        is_current[:] = False
    return picks, gained


def every_gain(gains: Callable[[np.ndarray], np.ndarray], n: int, most: int) -> np.ndarray:
    """Return the gains (n,) of all items, computed for at most `most` items at a time."""
    return np.concatenate([gains(block) for block in np.array_split(np.arange(n), -(-n // most))])
