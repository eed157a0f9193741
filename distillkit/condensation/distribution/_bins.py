"""Bins of a continuous target, which distribution matching treats like classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from distillkit.base._training_rows import Group

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["target_bins"]


def target_bins(rows: TrainingRows, n_bins: int) -> TrainingRows:
    """Divide rows with a continuous target into bins between its quantiles, and share the budget.

    Rows of equal target are put into the same bin, so that there may be fewer bins than asked for.
    Each bin has at least as many rows as its part of the budget.

    Parameters
    ----------
    rows : TrainingRows
        Rows with one group.
    n_bins : int
        Number of bins, at most the number of rows to distill to.

    Returns
    -------
    TrainingRows
        The rows with one group per bin, by ascending target.
    """
    assert rows.y is not None
    edges = np.unique(np.quantile(rows.y, np.linspace(0, 1, n_bins + 1)[1:-1], method="lower"))
    bins = np.searchsorted(edges, rows.y, side="left")
    _, bins, counts = np.unique(bins, return_inverse=True, return_counts=True)
    sizes = _apportioned(rows.size, counts)
    groups = tuple(
        Group(int(number), np.flatnonzero(bins == number), int(size)) for number, size in enumerate(sizes) if size
    )
    return replace(rows, groups=groups)


def _apportioned(total: int, counts: np.ndarray) -> np.ndarray:
    """Divide a total in proportion to counts by the method of largest remainders.

    Each part is at least one if the total suffices for that, and at most its count.
    """
    # 1. Round the exact proportions down.
    exact: np.ndarray = total * counts / counts.sum()
    sizes: np.ndarray = (
        np.maximum(np.floor(exact).astype(int), 1) if total >= len(counts) else np.floor(exact).astype(int)
    )
    # 2. Until the parts sum to the total, add to the part that is furthest below its proportion, or
    #    take from the part that is furthest above it.
    while sizes.sum() != total:
        if sizes.sum() < total:
            sizes[int(np.argmax(np.where(sizes < counts, exact - sizes, -np.inf)))] += 1
        else:
            sizes[int(np.argmax(np.where(sizes > 1, sizes - exact, -np.inf)))] -= 1
    return sizes
