"""Exact nearest neighbors between two samples: candidates by products, distances by differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Nearest", "search"]

_CANDIDATES = 8  # rows per query whose distances are computed again from differences
_BLOCK = 2**22  # products in memory at a time


@dataclass(frozen=True)
class Nearest:
    """Nearest neighbors between m queries and n rows.

    Parameters
    ----------
    first, second : ndarray of shape (m,)
        Distances from each query to its nearest and second nearest row; `second` is NaN if there is
        only one row.
    position : ndarray of shape (m,)
        Position of the nearest row.
    of_rows : ndarray of shape (n,)
        Distance from each row to its nearest query.
    """

    first: np.ndarray
    second: np.ndarray
    position: np.ndarray
    of_rows: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """First over second distance of each query: 0 for a copy, near 1 for most other rows."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.first == 0, 0.0, self.first / self.second)


def search(queries: np.ndarray, rows: np.ndarray) -> Nearest:
    """Find the nearest rows of each query, and the nearest query of each row.

    A squared distance from a matrix product, ``|q|^2 + |x|^2 - 2 q.x``, loses the digits of small
    distances, so that a copy seems to lie apart from its original. The product therefore only
    proposes candidates, whose distances are then computed from differences.

    Parameters
    ----------
    queries : ndarray of shape (m, d)
    rows : ndarray of shape (n, d)
        Floats of any size; all is computed in float64, and blocks of rows are converted one by one.

    Returns
    -------
    Nearest
    """
    # 1. Center both samples: errors of the products grow with the distance to the origin.
    queries = np.asarray(queries, dtype=np.float64)
    origin = rows.mean(axis=0, dtype=np.float64)
    centered = queries - origin
    norms = np.einsum("ij,ij->i", centered, centered)
    scores, places = np.empty((len(queries), 0)), np.empty((len(queries), 0), dtype=np.intp)
    of_rows = np.empty(len(rows))
    step = max(1, _BLOCK // len(queries))
    for begin in range(0, len(rows), step):
        part = np.asarray(rows[begin : begin + step], dtype=np.float64)
        moved = part - origin
        squared = norms[:, None] + np.einsum("ij,ij->i", moved, moved) - 2 * (centered @ moved.T)
        # 2. The nearest query of each row.
        nearest = squared.argmin(axis=0)
        of_rows[begin : begin + step] = np.linalg.norm(queries[nearest] - part, axis=1)
        # 3. Keep the best candidates of each query over all blocks.
        scores = np.hstack([scores, squared])
        places = np.hstack([places, np.broadcast_to(np.arange(begin, begin + len(part)), squared.shape)])
        scores, places = _smallest(scores, places)
    distances = np.linalg.norm(rows[places] - queries[:, None, :], axis=2)
    order = np.argsort(distances, axis=1, kind="stable")
    distances, places = np.take_along_axis(distances, order, 1), np.take_along_axis(places, order, 1)
    # 4. Of several nearest rows take the first by content, so that the order of rows has no effect.
    for query in np.flatnonzero(distances[:, 0] == distances[:, 1]) if len(rows) > 1 else ():
        tied = places[query, distances[query] == distances[query, 0]]
        places[query, 0] = min(tied, key=lambda place: tuple(rows[place]))
    second = distances[:, 1] if len(rows) > 1 else np.full(len(queries), np.nan)
    return Nearest(distances[:, 0], second, places[:, 0], of_rows)


def _smallest(scores: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the candidates with the smallest scores of each query."""
    if scores.shape[1] <= _CANDIDATES:
        return scores, places
    kept = np.argpartition(scores, _CANDIDATES - 1, axis=1)[:, :_CANDIDATES]
    return np.take_along_axis(scores, kept, 1), np.take_along_axis(places, kept, 1)
