"""Drawing of validation and test rows, stratified by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["hold_out_rows", "rows_by_class"]


def rows_by_class(y: np.ndarray | None, n_rows: int) -> list[np.ndarray]:
    """Return the row positions of each class.

    Parameters
    ----------
    y : ndarray of shape (n_rows,) or None
        Class labels; None puts all rows into one group.
    n_rows : int

    Returns
    -------
    list of ndarray of int
        One array per class, in the order of the sorted labels; positions ascend.
    """
    codes = np.zeros(n_rows, dtype=int) if y is None else np.unique(y, return_inverse=True)[1]
    return [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]


def hold_out_rows(
    groups: Sequence[np.ndarray],
    counts: Sequence[int] | np.ndarray,
    n_rows: int,
    rng: np.random.RandomState | np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Divide row positions into training rows and rows held out, a fixed number from each group.

    How many rows a group gives is the caller's choice, because the rules differ: a share rounded
    down, a share limited by a budget, or largest remainders.

    Parameters
    ----------
    groups : sequence of ndarray of int
        Positions of the rows of each group, for example of each class. Groups must not overlap;
        rows in no group always stay in training.
    counts : sequence of int
        Number of rows to hold out of each group, from 0 to its size.
    n_rows : int
        Number of all rows.
    rng : RandomState or Generator
        Each group takes one draw, in the order of `groups`, even where its count is 0.

    Returns
    -------
    train : ndarray of int
        Positions of the training rows, ascending.
    held_out : ndarray of int
        Positions of the rows held out, in the order in which they were drawn.
    """
    # The two kinds of generator draw differently, and stored results depend on both draws.
    if isinstance(rng, np.random.Generator):
        draws = [rng.choice(rows, count, replace=False) for rows, count in zip(groups, counts, strict=True)]
    else:
        draws = [rng.permutation(rows)[:count] for rows, count in zip(groups, counts, strict=True)]
    held_out = np.concatenate([np.empty(0, dtype=np.int64), *draws])
    in_training = np.ones(n_rows, dtype=bool)
    in_training[held_out] = False
    return np.flatnonzero(in_training), held_out
