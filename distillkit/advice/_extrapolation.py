"""Extrapolation of a cost from small numbers of rows to large ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

__all__ = ["extrapolate"]

_POWER = 1.5


def extrapolate(sizes: Sequence[int], costs: Sequence[float], n_rows: int) -> float:
    """Return the cost at `n_rows` by a constant, a linear and a faster part, none negative.

    The faster part grows by the power 1.5, between a sort and all pairs of rows: pairs of few rows
    are all compared, and those of many often are not. The parts have the smallest sum of squared
    relative errors at the measured sizes. At a single size, the cost is taken as proportional to
    the rows.

    Parameters
    ----------
    sizes, costs : sequence of number
        Measured costs, such as seconds, by number of rows.
    n_rows : int
        Number of rows to extrapolate to.
    """
    if n_rows in sizes:
        return float(costs[list(sizes).index(n_rows)])
    scaled = np.asarray(sizes, dtype=float) / n_rows
    values = np.maximum(np.asarray(costs, dtype=float), 1e-9)
    if len(values) == 1:
        return float(values[0] / scaled[0])
    parts = np.stack([np.ones_like(scaled), scaled, scaled**_POWER], axis=1)
    if len(values) == 2:
        parts = parts[:, :2] if values[1] <= values[0] * scaled[1] / scaled[0] else parts[:, 1:]
    found, _ = nnls(parts / values[:, None], np.ones_like(values))
    return float(found.sum())
