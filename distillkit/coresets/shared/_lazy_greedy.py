"""Greedy maximisation of submodular functions with stale bounds (Minoux 1978)."""

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
    """Pick, one by one, the item whose gain is largest, asking for gains only where an old one leaves it open.

    Gains of a submodular function never grow, so a gain computed earlier is a bound: an item whose fresh gain is not
    below any bound is the best. The picks are those of the plain greedy rule, the first of equals included, as long
    as the gains do not grow by rounding.

    Parameters
    ----------
    gains : callable
        Gains (b,) of the candidates (b,) given the picks so far.
    update : callable
        Called with each pick.
    n, size : int
        Items, and picks among them.
    most : int
        Gains asked for at a time, at most; at each pick 16 first, and then twice as many each time.
    should_stop : callable or None
        Asked before every pick but the first; the rest is then filled by the bounds, and not updated with.

    Returns
    -------
    picks : ndarray of shape (size,)
    gained : ndarray of shape (size,)
        Gain of each pick; bounds of it where the rule stopped early.
    """
    bound = every_gain(gains, n, most)
    fresh = np.ones(n, dtype=bool)
    picks, gained = np.empty(size, dtype=np.intp), np.empty(size)
    for place in range(size):
        if place and should_stop is not None and should_stop():
            rest = np.argsort(-bound, kind="stable")[: size - place]
            picks[place:], gained[place:] = rest, bound[rest]
            break
        best, width = int(np.argmax(bound)), min(_BLOCK, most)
        while not fresh[best]:
            stale = np.where(fresh, -np.inf, bound)
            block = np.union1d(best, np.argpartition(-stale, min(width, n - 1))[:width])
            width = min(2 * width, most)
            block = block[~fresh[block] & np.isfinite(bound[block])]
            bound[block] = gains(block)
            fresh[block] = True
            best = int(np.argmax(bound))
        picks[place], gained[place] = best, bound[best]
        update(best)
        bound[best] = -np.inf
        fresh[:] = False
    return picks, gained


def every_gain(gains: Callable[[np.ndarray], np.ndarray], n: int, most: int) -> np.ndarray:
    """Return the gains (n,) of all items, asking for at most so many at a time."""
    return np.concatenate([gains(block) for block in np.array_split(np.arange(n), -(-n // most))])
