"""Published rows that are copies of training rows: found by their bytes, then by distance."""

from __future__ import annotations

import numpy as np

__all__ = ["close_rows", "equal_rows", "spread_of"]

_TOLERANCE = 1e-6  # distance of a copy, in units of the spread of the training rows


def equal_rows(queries: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return for each query whether it equals a row, in the coarser of the two types of floats.

    Parameters
    ----------
    queries : ndarray of shape (m, d)
    rows : ndarray of shape (n, d)

    Returns
    -------
    ndarray of shape (m,), bool
    """
    coarser = min(queries.dtype, rows.dtype, key=lambda dtype: dtype.itemsize)
    wanted = _keys(queries, coarser)
    known = set(wanted)
    found: set[bytes] = set()
    step = max(1, 2**24 // max(1, rows.shape[1]))
    for begin in range(0, len(rows), step):
        found.update(known.intersection(_keys(rows[begin : begin + step], coarser)))
    return np.array([key in found for key in wanted], dtype=bool)


def spread_of(rows: np.ndarray) -> float:
    """Return the root mean squared distance of the rows from their mean."""
    return float(np.sqrt(rows.var(axis=0, dtype=np.float64).sum()))


def close_rows(distances: np.ndarray, spread: float) -> np.ndarray:
    """Return which distances to the nearest training row are rounding errors of a copy."""
    return np.asarray(distances <= _TOLERANCE * spread)


def _keys(rows: np.ndarray, dtype: np.dtype) -> list[bytes]:
    """Return the bytes of each row; adding zero gives 0 and -0 the same bytes."""
    values = np.ascontiguousarray(rows, dtype=dtype) + dtype.type(0)
    return [row.tobytes() for row in values]
