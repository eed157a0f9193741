"""Greedy maximisation of submodular functions with stale bounds (Minoux 1978)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["lazy_greedy"]

_BLOCK = 16


def lazy_greedy(
    gains: Callable[[np.ndarray], np.ndarray],
    update: Callable[[int], None],
    n: int,
    size: int,
    *,
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
    should_stop : callable or None
        Asked before every pick but the first; the rest is then filled by the bounds, and not updated with.

    Returns
    -------
    picks : ndarray of shape (size,)
    gained : ndarray of shape (size,)
        Gain of each pick; bounds of it where the rule stopped early.
    """
    bound = np.concatenate([gains(block) for block in np.array_split(np.arange(n), -(-n // _BLOCK))])
    fresh = np.ones(n, dtype=bool)
    picks, gained = np.empty(size, dtype=np.intp), np.empty(size)
    for place in range(size):
        if place and should_stop is not None and should_stop():
            rest = np.argsort(-bound, kind="stable")[: size - place]
            picks[place:], gained[place:] = rest, bound[rest]
            break
        best = int(np.argmax(bound))
        while not fresh[best]:
            stale = np.where(fresh, -np.inf, bound)
            block = np.union1d(best, np.argpartition(-stale, min(_BLOCK, n - 1))[:_BLOCK])
            block = block[~fresh[block] & np.isfinite(bound[block])]
            bound[block] = gains(block)
            fresh[block] = True
            best = int(np.argmax(bound))
        picks[place], gained[place] = best, bound[best]
        update(best)
        bound[best] = -np.inf
        fresh[:] = False
    return picks, gained
