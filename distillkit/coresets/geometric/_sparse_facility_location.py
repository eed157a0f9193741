"""Lazy greedy facility location on the graph of nearest neighbors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from distillkit.coresets.shared._lazy_greedy import every_gain, lazy_greedy
from distillkit.neighbors import neighbor_graph

__all__ = ["FacilityLocationResult", "sparse_facility_location"]

_EDGES = 2**24  # edges of the graph by default, at most
_MIN_NEIGHBORS = 16
_BLOCK_ROWS = 1024  # rows compared at a time
_MAX_BLOCK = 512  # gains computed at a time, at most
_BITS = 30  # of the integers to which similarities are rounded


@dataclass(frozen=True, eq=False)
class FacilityLocationResult:
    """Result of `sparse_facility_location`.

    Parameters
    ----------
    picks : ndarray of shape (size,), int64
        Positions of the selected rows in ranking order.
    gains : ndarray of shape (size,)
        Gain of each selected row.
    value : float
        Value of the objective for the whole selection.
    bound : float
        Upper bound on the value of any selection of `size` rows.
    n_neighbors : int
        Number of neighbors of each row in the graph.
    complete : bool
        Whether every row was selected by its current gain, and none by an earlier one.
    backend : str
        What searched the neighbors.
    """

    picks: np.ndarray
    gains: np.ndarray
    value: float
    bound: float
    n_neighbors: int
    complete: bool
    backend: str


def sparse_facility_location(
    points: np.ndarray,
    size: int,
    *,
    n_neighbors: int | None = None,
    squared: bool = False,
    mass: np.ndarray | None = None,
    device: str = "auto",
    should_stop: Callable[[], bool] | None = None,
) -> FacilityLocationResult:
    """Select rows greedily by the facility location objective; see `FacilityLocationCoreset`.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    size : int
        Number of rows to select, 1 <= size <= n.
    n_neighbors : int or None
        See `FacilityLocationCoreset`.
    squared : bool
        Whether distances are half the squared Euclidean ones.
    mass : ndarray of shape (n,) or None
        Weights of the rows in the objective.
    device : {"auto", "cpu", "cuda"}
    should_stop : callable or None
        Called before every selection but the first; True ends the search.

    Returns
    -------
    FacilityLocationResult
    """
    # 1. Merge equal rows into one facility each, with their total weight as its customers.
    distinct, group = _distinct_rows(points)
    customers = np.bincount(group, weights=mass, minlength=len(distinct)).astype(np.float64)
    degree = min(len(distinct), max(_MIN_NEIGHBORS, _EDGES // len(distinct)) if n_neighbors is None else n_neighbors)
    # 2. Build the graph of nearest neighbors and round its similarities to integers.
    graph = neighbor_graph(points if len(distinct) == len(points) else points[distinct], degree, device=device)
    similarities, quantum = _integer_similarities(graph.distances, squared=squared)
    unit = quantum * (0.5 / graph.scale**2 if squared else 1 / graph.scale)
    backend, edges = graph.backend, graph.indices
    del graph  # frees memory for the column-wise copy
    objective = _Objective(_by_column(similarities, edges), customers)
    del similarities, edges
    # 3. Select rows by lazy greedy maximization.
    stop_flags: list[bool] = []
    n_picks = min(size, len(distinct))
    picks, gains = lazy_greedy(
        objective.gains,
        objective.add,
        len(distinct),
        n_picks,
        most=_MAX_BLOCK,
        should_stop=_recording(should_stop, stop_flags),
    )
    if stop_flags:  # the last rows were selected by earlier gains and are not part of the objective yet
        for pick in picks[objective.count :]:
            objective.add(int(pick))
    # 4. Bound the value of any other selection, and complete the selection by duplicate rows.
    value = float(customers @ objective.best)
    best_gains = -np.sort(-every_gain(objective.gains, len(distinct), _MAX_BLOCK))[:n_picks]
    duplicates = np.setdiff1d(np.arange(len(points)), distinct[picks])[: size - n_picks]
    return FacilityLocationResult(
        np.concatenate([distinct[picks], duplicates]),
        np.concatenate([gains, np.zeros(size - n_picks)]) * unit,
        value * unit,
        (value + float(best_gains.sum())) * unit,
        degree,
        not stop_flags,
        backend,
    )


def _recording(should_stop: Callable[[], bool] | None, stopped: list[bool]) -> Callable[[], bool] | None:
    """Wrap a stop rule so that the list `stopped` gets an entry once the rule returns True."""
    if should_stop is None:
        return None

    def ask() -> bool:
        if should_stop():
            stopped.append(True)
        return bool(stopped)

    return ask


def _distinct_rows(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first position of each distinct row, and each row's number among these."""
    numbers: dict[bytes, int] = {}
    group = np.empty(len(points), dtype=np.int64)
    for begin in range(0, len(points), _BLOCK_ROWS):
        rows = np.ascontiguousarray(points[begin : begin + _BLOCK_ROWS]) + points.dtype.type(0)  # -0.0 becomes 0.0
        group[begin : begin + _BLOCK_ROWS] = [numbers.setdefault(row.tobytes(), len(numbers)) for row in rows]
    return np.unique(group, return_index=True)[1], group


def _integer_similarities(distances: np.ndarray, *, squared: bool) -> tuple[np.ndarray, float]:
    """Return, in multiples of a quantum, how much nearer each neighbor is than the farthest one.

    Sums of floats would distinguish gains that are equal but for rounding, such as those of two
    mutual nearest neighbors. Sums of integers are exact, so equal gains stay equal and the first of
    the rows is selected.
    """
    if squared:
        distances = np.square(distances)
    largest = float(distances.max())
    quantum = math.ldexp(1.0, math.frexp(largest)[1] - _BITS)
    counted = np.empty(distances.shape, dtype=np.int32)
    for i, row in enumerate(distances):
        counted[i] = np.rint(row / quantum)
    np.subtract(counted.max(axis=1, keepdims=True), counted, out=counted)
    return counted, quantum


def _by_column(values: np.ndarray, indices: np.ndarray) -> csc_matrix:
    """Return the graph as a sparse matrix whose columns list the rows near to each candidate."""
    n, t = values.shape
    ends = np.arange(0, n * t + 1, t, dtype=np.int64 if n * t > np.iinfo(np.int32).max else np.int32)
    return csr_matrix((values.ravel(), indices.ravel(), ends), shape=(n, n)).tocsc()


class _Objective:
    """The facility location objective of the rows selected so far, in integer similarities."""

    def __init__(self, similarities: csc_matrix, customers: np.ndarray) -> None:
        self.ends, self.rows, self.values = similarities.indptr, similarities.indices, similarities.data
        self.customers, self.equal_weights = customers, bool((customers == 1).all())
        self.best = np.zeros(len(customers), dtype=self.values.dtype)
        self.count = 0

    def gains(self, candidates: np.ndarray) -> np.ndarray:
        """Return the gains of the candidates.

        With integer weights of the rows these are sums of integers, and so free of rounding.
        """
        gains = np.empty(len(candidates))
        for i, candidate in enumerate(candidates):
            part = slice(self.ends[candidate], self.ends[candidate + 1])
            rows = self.rows[part]
            nearer = self.values[part] - self.best.take(rows)
            np.maximum(nearer, 0, out=nearer)
            gains[i] = nearer.sum(dtype=np.int64) if self.equal_weights else nearer @ self.customers.take(rows)
        return gains

    def add(self, pick: int) -> None:
        """Add a row to the selection."""
        part = slice(self.ends[pick], self.ends[pick + 1])
        rows = self.rows[part]
        self.best[rows] = np.maximum(self.best[rows], self.values[part])
        self.count += 1
