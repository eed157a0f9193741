"""Sliced Wasserstein distance of many sets from the same training rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distillkit.distances._pot import import_pot
from distillkit.distances._samples import normalized_weight
from distillkit.metrics._pairs import Pair
from distillkit.metrics.reference import Part, Reference

__all__ = ["squared_sliced_distance"]

_BLOCK_ROWS = 4096


@dataclass(frozen=True)
class _Projections:
    """Training rows of a class along random directions, sorted.

    Parameters
    ----------
    center : ndarray of shape (d,)
        Mean row, from which the projections are measured.
    directions : ndarray of shape (d, l)
    values : ndarray of shape (l, n)
        Sorted projections.
    order : ndarray of shape (l, n)
        Positions of the rows in this sequence.
    """

    center: np.ndarray
    directions: np.ndarray
    values: np.ndarray
    order: np.ndarray


def squared_sliced_distance(reference: Reference, pair: Pair, n_projections: int, seed: int) -> float:
    """Return the mean squared 2-Wasserstein distance along random directions.

    Parameters
    ----------
    reference : Reference
        Keeps the sorted projections of its rows.
    pair : Pair
    n_projections, seed : int
        The directions are those of POT for this seed.
    """
    projections = reference.root.cached(
        ("projections", pair.part.key, n_projections, seed), lambda: _projected(pair.part, n_projections, seed)
    )
    values = projections.values
    if len(pair.part.removed):
        is_kept = np.ones(values.shape[1], dtype=bool)
        is_kept[pair.part.removed] = False
        values = values[is_kept[projections.order]].reshape(len(values), -1)
    rows, weight = pair.distilled[pair.weight > 0], pair.weight[pair.weight > 0]
    projected = _project(rows, projections.center, projections.directions).T
    return _mean_squared_distance(values, projected, normalized_weight(weight, len(weight)))


def _projected(part: Part, n_projections: int, seed: int) -> _Projections:
    directions = import_pot().sliced.get_random_projections(part.whole.shape[1], n_projections, seed)
    center = part.whole.mean(axis=0, dtype=np.float64)
    values = np.ascontiguousarray(_project(part.whole, center, directions).T)
    order = np.argsort(values, axis=1).astype(np.int32)
    return _Projections(center, directions, np.take_along_axis(values, order, axis=1), order)


def _project(rows: np.ndarray, center: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Project rows, measured from a center, onto directions in float64."""
    projected = np.empty((len(rows), directions.shape[1]))
    for start in range(0, len(rows), _BLOCK_ROWS):
        projected[start : start + _BLOCK_ROWS] = (rows[start : start + _BLOCK_ROWS] - center) @ directions
    return projected


def _mean_squared_distance(X: np.ndarray, Y: np.ndarray, weight: np.ndarray) -> float:
    """Return the mean over the directions of the squared distance of sorted X (l, n) from Y (l, m).

    The rows of X have equal weights, those of Y the weights (m,) of sum 1. Along a direction, each
    y is moved to the part of the sorted x that has its mass, so that the distance is a sum of
    differences of the integrals of x and of its square up to the ends of these parts.
    """
    n_directions, n = X.shape
    order = np.argsort(Y, axis=1)
    Y, b = np.take_along_axis(Y, order, axis=1), weight[order]
    # 1. The ends of the parts, in rows of X, and the last of them exactly at n.
    ends = np.cumsum(b, axis=1) * n
    ends[:, -1] = n
    ends = np.concatenate([np.zeros((n_directions, 1)), np.minimum(ends, n)], axis=1)
    whole = np.minimum(ends.astype(np.intp), n - 1)
    rest = ends - whole
    # 2. The integrals up to the ends: sums of whole rows, and a share of the next row.
    at_end = np.take_along_axis(X, whole, axis=1)
    total = 0.0
    integrals = []
    for power in (1, 2):
        sums = np.concatenate([np.zeros((n_directions, 1)), np.cumsum(X**power, axis=1)], axis=1)
        up_to = np.take_along_axis(sums, whole, axis=1) + rest * at_end**power
        integrals.append(np.diff(up_to, axis=1) / n)
    mass = np.diff(ends, axis=1) / n
    total = float((integrals[1] - 2 * Y * integrals[0] + Y**2 * mass).sum())
    return float(max(0.0, total / n_directions))
