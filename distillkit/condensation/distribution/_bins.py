"""A continuous target as bins, which are matched like classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from distillkit.base._training_rows import Group

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["target_bins"]


def target_bins(rows: TrainingRows, n_bins: int) -> TrainingRows:
    """Divide the rows of a continuous target into bins between its quantiles, each with its part of the budget.

    Rows of equal target share a bin, so that there may be fewer bins than asked for; each has at least as many rows as it is
    to be distilled to.

    Parameters
    ----------
    rows : TrainingRows
        With one group.
    n_bins : int
        At most the rows to distil to.

    Returns
    -------
    TrainingRows
        With one group for each bin, by ascending target.
    """
    assert rows.y is not None
    edges = np.unique(np.quantile(rows.y, np.linspace(0, 1, n_bins + 1)[1:-1], method="lower"))
    bins = np.searchsorted(edges, rows.y, side="left")
    _, bins, counts = np.unique(bins, return_inverse=True, return_counts=True)
    sizes = _shared(rows.size, counts)
    groups = tuple(
        Group(int(number), np.flatnonzero(bins == number), int(size)) for number, size in enumerate(sizes) if size
    )
    return replace(rows, groups=groups)


def _shared(total: int, counts: np.ndarray) -> np.ndarray:
    """Divide a total in proportion to counts, by largest remainders, at least one each where it suffices."""
    exact: np.ndarray = total * counts / counts.sum()
    sizes: np.ndarray = (
        np.maximum(np.floor(exact).astype(int), 1) if total >= len(counts) else np.floor(exact).astype(int)
    )
    while sizes.sum() != total:
        short = np.where(sizes < counts, exact - sizes, -np.inf) if sizes.sum() < total else None
        if short is not None:
            sizes[int(np.argmax(short))] += 1
        else:
            sizes[int(np.argmax(np.where(sizes > 1, sizes - exact, -np.inf)))] -= 1
    return sizes
