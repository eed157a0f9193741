"""Settings that follow from the budget and from the shape of a row."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from distillkit.nn import network_name

__all__ = ["default_depth", "default_rate", "loop_counts"]

# rows per class: (updates of the rows per network, epochs of the network between two updates)
_PUBLISHED = {1: (1, 1), 10: (10, 50), 50: (50, 10)}


def loop_counts(rows_per_class: float, outer: int | None = None, inner: int | None = None) -> tuple[int, int]:
    """Return the outer and inner counts for a budget.

    Between the published budgets both are interpolated along straight lines in the logarithms, outside them the nearest is taken.

    Parameters
    ----------
    rows_per_class : float
        Mean distilled rows of a class, at least 1.
    outer, inner : int or None
        Counts that are given; None takes the table's.

    Returns
    -------
    outer, inner : int

    References
    ----------
    Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021, supplementary material.

    Examples
    --------
    >>> loop_counts(1), loop_counts(10), loop_counts(20), loop_counts(200), loop_counts(10, inner=5)
    ((1, 1), (10, 50), (20, 25), (50, 10), (10, 5))
    """
    known = np.log(list(_PUBLISHED))
    counts = [
        int(np.rint(np.exp(np.interp(np.log(rows_per_class), known, np.log(values)))))
        for values in zip(*_PUBLISHED.values(), strict=True)
    ]
    return outer or counts[0], inner or counts[1]


def default_depth(network: Any, shape: tuple[int, ...]) -> int | None:
    """Return as many blocks, three at most, as leave the last norm 4x4 pixels or 16 steps of time to look at.

    A norm over fewer values divides by spreads near zero. From 8x8 images, three blocks (the last norm sees 2x2) gave
    gradients whose lengths vary by a factor of ten between networks, and a matching loss that rose at every rate tried; with two
    blocks it fell from 31 to 4.

    Parameters
    ----------
    network : str or callable
    shape : tuple of int
        Shape of one row.

    Returns
    -------
    int or None
        At least 1; None where the network is no stack of such blocks.
    """
    if not isinstance(network, str):
        return None
    reach = {"convnet": 2, "convnet1d": 4}.get(network_name(network, shape))
    if reach is None:
        return None
    sides = shape[1:]
    # the last of n blocks sees the side halved n - 1 times: side / 2^(n - 1) >= 2^reach
    return max(1, min(3, min(sides).bit_length() - reach))


def default_rate(shape: tuple[int, ...]) -> float:
    """Return the step size for rows of a shape: 0.2 for 28x28, in proportion to the numbers in a row, and not above 0.2.

    A row of d standardized numbers has length sqrt(d). Networks with norms see its direction alone, so that gradients
    shrink, and steps must grow, with its length: the same turn takes a rate in proportion to d. Where the best rate was looked for
    (0.2 for MNIST; 0.01 for tables of 13 to 64 columns) it lies on that line.
    """
    return min(0.2, 0.2 * prod(shape) / 784)
