"""The passes of k-means over one chunk of rows, and the sums of what they return."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from threadpoolctl import threadpool_limits

from distillkit.exceptions import DataError
from distillkit.neighbors._empty_clusters import squared_distances_to_centers
from distillkit.neighbors._faiss import as_rows, load_faiss
from distillkit.neighbors._lloyd import group_sums
from distillkit.neighbors._products import nearest_by_products

__all__ = ["Assignment", "Description", "Sample", "Target", "assign_chunk", "describe_chunk", "merged", "sample_chunk"]

_BLOCK_BYTES = 2**22  # of the float32 copy of rows that are processed at a time
_SAMPLE_ROWS, _SAMPLE_BYTES = 20_000, 2**24  # of the uniform sample of a group
_FARTHEST = 8  # rows that are kept for centers without rows
_FUSED = 16  # number of columns up to which faiss is faster than NumPy's products

Label = Any
Chunk = tuple[np.ndarray, "np.ndarray | None", "np.ndarray | None"]
"""Rows (n, d), with labels and weights (n,) or None."""


@dataclass(frozen=True, eq=False)
class Target:
    """What the passes need to know of a group.

    Parameters
    ----------
    origin, scale : ndarray of shape (d,), float
        Rows are centered and scaled before they are converted to float32.
    centers : ndarray of shape (k, d), float32
        Centers, centered and scaled as the rows.
    mass, cost : float
        Sum of the weights of the group, and estimate of its k-means cost with these centers.
    sample : int
        Rows that `sample_chunk` draws of all chunks; all rows, if the group has no more.
    n_rows : int
        Rows of the group in all chunks.
    """

    origin: np.ndarray
    scale: float
    centers: np.ndarray
    mass: float
    cost: float
    sample: int
    n_rows: int

    def scaled(self, X: np.ndarray) -> np.ndarray:
        """Return rows in float32, centered and scaled."""
        return np.ascontiguousarray((X - self.origin) * self.scale, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Description:
    """Moments of the rows of a group, and a uniform sample of them."""

    count: int
    mass: float
    sums: np.ndarray
    low: np.ndarray
    high: np.ndarray
    keys: np.ndarray
    rows: np.ndarray
    weights: np.ndarray

    @classmethod
    def merged(cls, parts: Sequence[Self]) -> Self:
        """Return the description of the rows of all parts; the smallest random keys are sampled."""
        keys = np.concatenate([part.keys for part in parts])
        rows = np.concatenate([part.rows for part in parts])
        kept = np.sort(np.argsort(keys, kind="stable")[: _sample_size(rows)])
        return cls(
            sum(part.count for part in parts),
            float(sum(part.mass for part in parts)),
            np.sum([part.sums for part in parts], axis=0),
            np.min([part.low for part in parts], axis=0),
            np.max([part.high for part in parts], axis=0),
            keys[kept],
            rows[kept],
            np.concatenate([part.weights for part in parts])[kept],
        )


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows with the weights of all rows that they stand for."""

    rows: np.ndarray
    weights: np.ndarray

    @classmethod
    def merged(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all parts."""
        return cls(np.concatenate([part.rows for part in parts]), np.concatenate([part.weights for part in parts]))


@dataclass(frozen=True, eq=False)
class Assignment:
    """Sums over the rows of each cluster, and the rows of a group that fit worst and best.

    Parameters
    ----------
    sums : ndarray of shape (k, d), float64
        Weighted sums of the rows of each cluster, in their own units.
    masses : ndarray of shape (k,)
    cost : float
        K-means cost, in the units of the rows.
    far_costs, far_rows : ndarray of shape (f,) and (f, d)
        The rows of the largest cost, scaled.
    near_squares, near_rows, near_places : ndarray of shape (k,), (k, d) and (k, 2)
        The row nearest to each center, with its chunk and its position there; infinitely far for a
        cluster without rows.
    """

    sums: np.ndarray
    masses: np.ndarray
    cost: float
    far_costs: np.ndarray
    far_rows: np.ndarray
    near_squares: np.ndarray
    near_rows: np.ndarray
    near_places: np.ndarray

    @classmethod
    def merged(cls, parts: Sequence[Self]) -> Self:
        """Return the sums of all parts."""
        costs, rows = (np.concatenate([getattr(part, name) for part in parts]) for name in ("far_costs", "far_rows"))
        far = np.argsort(-costs, kind="stable")[:_FARTHEST]
        nearest = np.argmin([part.near_squares for part in parts], axis=0)
        clusters = np.arange(len(nearest))
        squares, near, places = (
            np.stack([getattr(part, f"near_{name}") for part in parts])[nearest, clusters]
            for name in ("squares", "rows", "places")
        )
        return cls(
            np.sum([part.sums for part in parts], axis=0),
            np.sum([part.masses for part in parts], axis=0),
            float(sum(part.cost for part in parts)),
            costs[far],
            rows[far],
            squares,
            near,
            places,
        )


def merged(parts: Sequence[Mapping[Label, Any]]) -> dict[Label, Any]:
    """Merge what a pass returned of several chunks, label by label, in the order of the chunks."""
    by_label: dict[Label, list[Any]] = {}
    for part in parts:
        for label, value in part.items():
            by_label.setdefault(label, []).append(value)
    return {
        label: values[0] if len(values) == 1 else type(values[0]).merged(values) for label, values in by_label.items()
    }


def describe_chunk(chunk: Chunk, number: int, seed: int) -> dict[Label, Description]:
    """Return the description of each group in a chunk.

    Raises
    ------
    DataError
        If rows are not finite, or if weights are negative.
    """
    rng = np.random.default_rng([seed, 0, number])
    parts = []
    for label, X, weights, _ in _blocks(chunk, f"chunk {number}"):
        keys = rng.random(len(X))
        kept = np.sort(np.argsort(keys, kind="stable")[: _sample_size(X)])
        sums = weights @ X
        moments = sums, X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
        parts.append({label: Description(len(X), float(weights.sum()), *moments, keys[kept], X[kept], weights[kept])})
    return merged(parts)


def sample_chunk(chunk: Chunk, number: int, targets: Mapping[Label, Target], seed: int) -> dict[Label, Sample]:
    """Draw rows of each group by their weight and by their share of the cost, independently."""
    rng, parts = np.random.default_rng([seed, 1, number]), []
    for label, X, weights, _ in _blocks(chunk):
        target, chance = targets[label], np.ones(len(X))
        if target.sample < target.n_rows:
            _, squares = _nearest(target.scaled(X), target.centers)
            costs = weights * squares / target.cost if target.cost else 0.0
            chance = np.minimum(1, target.sample / 2 * (weights / target.mass + costs))
        drawn = rng.random(len(X)) < chance
        parts.append({label: Sample(X[drawn], weights[drawn] / chance[drawn])})
    return merged(parts)


def assign_chunk(chunk: Chunk, number: int, targets: Mapping[Label, Target]) -> dict[Label, Assignment]:
    """Assign the rows of each group to their nearest centers, and sum them."""
    return merged(
        [
            {label: _assignment(X, weights, positions, number, targets[label])}
            for label, X, weights, positions in _blocks(chunk)
        ]
    )


def _assignment(X: np.ndarray, weights: np.ndarray, positions: np.ndarray, number: int, target: Target) -> Assignment:
    k = len(target.centers)
    rows = target.scaled(X)
    labels, _ = _nearest(rows, target.centers)
    # The costs are exact, of differences in float64; only the search for the nearest is in float32.
    squares = squared_distances_to_centers(X, target.centers / target.scale + target.origin, labels)
    costs = squares * weights
    far = np.argpartition(costs, max(0, len(costs) - _FARTHEST))[-_FARTHEST:]
    order = np.lexsort((squares, labels))
    first = order[np.flatnonzero(np.diff(labels[order], prepend=-1))]
    near_squares, near_rows = np.full(k, np.inf), np.zeros((k, X.shape[1]), X.dtype)
    near_squares[labels[first]], near_rows[labels[first]] = squares[first], X[first]
    places = np.zeros((k, 2), dtype=np.int64)
    places[labels[first]] = np.column_stack([np.full(len(first), number), positions[first]])
    return Assignment(
        group_sums(X, labels, k, weights),
        np.bincount(labels, weights=weights, minlength=k),
        float(costs.sum()),
        costs[far],
        rows[far],
        near_squares,
        near_rows,
        places,
    )


def _nearest(rows: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest center of each row, and the squared distances, in float32."""
    faiss = load_faiss(needed=False) if rows.shape[1] <= _FUSED else None
    if faiss is not None:
        # The workers of a cluster are the threads, so that faiss starts none of its own.
        with threadpool_limits(1, user_api="openmp"):
            squares, labels = faiss.knn(rows, centers, 1)
        return labels[:, 0].astype(np.int64), squares[:, 0]
    labels = nearest_by_products(rows, centers, 1, map)[:, 0]
    difference = rows - centers[labels]
    return labels, np.einsum("ij,ij->i", difference, difference)


def _blocks(chunk: Chunk, name: str = "") -> Iterator[tuple[Label, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the rows of each label in blocks of a chunk, with their weights and positions.

    Blocks bound the memory of a pass, whatever the size of the chunk. Rows of weight zero are left
    out. With a name, the values are checked.
    """
    X, y, weight = chunk
    X = np.asarray(X).reshape(len(X), -1)
    step = max(1, _BLOCK_BYTES // (4 * X.shape[1]))
    for begin in range(0, len(X), step):
        part = slice(begin, begin + step)
        rows = _checked(X[part], name) if name else X[part]
        weights = np.ones(len(rows)) if weight is None else np.asarray(weight[part], dtype=np.float64)
        if name and not (np.isfinite(weights) & (weights >= 0)).all():
            raise DataError(f"{name}: sample_weight must hold finite numbers, none of them negative.")
        labels = None if y is None else np.asarray(y[part])
        for label in [None] if labels is None else np.unique(labels).tolist():
            chosen = weights > 0 if labels is None else (labels == label) & (weights > 0)
            if chosen.all():
                yield label, rows, weights, np.arange(begin, begin + len(rows))
            elif chosen.any():
                yield label, rows[chosen], weights[chosen], begin + np.flatnonzero(chosen)


def _checked(X: np.ndarray, name: str) -> np.ndarray:
    try:
        return np.asarray(as_rows(X))
    except DataError as exc:
        raise DataError(f"{name}: {exc}") from exc


def _sample_size(rows: np.ndarray) -> int:
    row_bytes = int(rows.itemsize) * int(rows.shape[1])
    return min(_SAMPLE_ROWS, max(1, _SAMPLE_BYTES // row_bytes))


def moved(target: Target, centers: np.ndarray) -> Target:
    """Return a target with other centers (k, d), centered and scaled."""
    return replace(target, centers=np.ascontiguousarray(centers, dtype=np.float32))
