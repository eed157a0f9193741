"""Rows held out for the figures of a fit."""

from __future__ import annotations

import numpy as np

__all__ = ["MIN_HELD_OUT", "hold_out"]

MIN_HELD_OUT = 10


def hold_out(
    y: np.ndarray | None, n_rows: int, fraction: float | None, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Divide rows into those to learn from and those to measure on, by class where there are classes.

    Parameters
    ----------
    y : ndarray of shape (n,) or None
        Class labels; None divides all rows together.
    n_rows : int
    fraction : float in (0, 1) or None
        Share to hold out of each class, rounded down; fewer than ten rows in all, or None, hold out none.
    rng : RandomState

    Returns
    -------
    learn, measure : ndarray of int
        Ascending; `measure` may be empty.
    """
    codes = np.zeros(n_rows, dtype=int) if y is None else np.unique(y, return_inverse=True)[1]
    held = np.zeros(n_rows, dtype=bool)
    for code in range(codes.max() + 1):
        members = np.flatnonzero(codes == code)
        held[rng.permutation(members)[: int(len(members) * (fraction or 0.0))]] = True
    if held.sum() < MIN_HELD_OUT:
        held[:] = False
    return np.flatnonzero(~held), np.flatnonzero(held)
