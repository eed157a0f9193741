"""Lazy greedy facility location on the graph of nearest rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from distillkit.coresets.shared._lazy_greedy import every_gain, lazy_greedy
from distillkit.neighbors import neighbor_graph

__all__ = ["Facilities", "facilities"]

_EDGES = 2**24
_FEWEST = 16
_ROWS = 1024  # compared at a time
_ASKED = 512  # gains computed at a time, at most
_BITS = 30  # of the whole numbers in which nearness is counted


@dataclass(frozen=True, eq=False)
class Facilities:
    """What `facilities` picked.

    Parameters
    ----------
    picks : ndarray of shape (size,), int64
        Positions in ranking order.
    gains : ndarray of shape (size,)
        What each added to the value.
    value : float
        Of all picks.
    bound : float
        On the value of any `size` rows.
    n_neighbors : int
    complete : bool
        Whether every pick was made by the rule.
    backend : str
        What searched the neighbours.
    """

    picks: np.ndarray
    gains: np.ndarray
    value: float
    bound: float
    n_neighbors: int
    complete: bool
    backend: str


def facilities(
    points: np.ndarray,
    size: int,
    *,
    n_neighbors: int | None = None,
    squared: bool = False,
    mass: np.ndarray | None = None,
    device: str = "auto",
    should_stop: Callable[[], bool] | None = None,
) -> Facilities:
    """Pick rows greedily by how much nearer they bring the rows to a picked one; see `FacilityLocationCoreset`.

    Parameters
    ----------
    points : ndarray of shape (n, d)
    size : int
        1 <= size <= n.
    n_neighbors : int or None
    squared : bool
        Distances are half the squared Euclidean ones.
    mass : ndarray of shape (n,) or None
        Weights of the rows in the sum.
    device : {"auto", "cpu", "cuda"}
    should_stop : callable or None
        Asked before every pick but the first.

    Returns
    -------
    Facilities
    """
    first, which = _different(points)
    customers = np.bincount(which, weights=mass, minlength=len(first)).astype(np.float64)
    t = min(len(first), max(_FEWEST, _EDGES // len(first)) if n_neighbors is None else n_neighbors)
    graph = neighbor_graph(points if len(first) == len(points) else points[first], t, device=device)
    nearness, quantum = _counted(graph.distances, squared=squared)
    unit = quantum * (0.5 / graph.scale**2 if squared else 1 / graph.scale)
    backend, edges = graph.backend, graph.indices
    del graph  # makes room for the copy by column
    served = _Served(_by_column(nearness, edges), customers)
    del nearness, edges
    stopped: list[bool] = []
    wanted = min(size, len(first))
    picks, gains = lazy_greedy(
        served.gains, served.add, len(first), wanted, most=_ASKED, should_stop=_noting(should_stop, stopped)
    )
    if stopped:  # the last picks are known by old gains alone
        for pick in picks[served.count :]:
            served.add(int(pick))
    value = float(customers @ served.best)
    left = -np.sort(-every_gain(served.gains, len(first), _ASKED))[:wanted]
    again = np.setdiff1d(np.arange(len(points)), first[picks])[: size - wanted]
    return Facilities(
        np.concatenate([first[picks], again]),
        np.concatenate([gains, np.zeros(size - wanted)]) * unit,
        value * unit,
        (value + float(left.sum())) * unit,
        t,
        not stopped,
        backend,
    )


def _noting(should_stop: Callable[[], bool] | None, stopped: list[bool]) -> Callable[[], bool] | None:
    if should_stop is None:
        return None

    def ask() -> bool:
        if should_stop():
            stopped.append(True)
        return bool(stopped)

    return ask


def _different(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First positions of the different rows, ascending, and which of them each row equals."""
    known: dict[bytes, int] = {}
    which = np.empty(len(points), dtype=np.int64)
    for begin in range(0, len(points), _ROWS):
        rows = np.ascontiguousarray(points[begin : begin + _ROWS]) + points.dtype.type(0)  # turns -0.0 into 0.0
        which[begin : begin + _ROWS] = [known.setdefault(row.tobytes(), len(known)) for row in rows]
    return np.unique(which, return_index=True)[1], which


def _counted(distances: np.ndarray, *, squared: bool) -> tuple[np.ndarray, float]:
    """How much nearer than its farthest neighbour each row has each of its neighbours, in whole numbers of a quantum.

    Two rows that are each other's nearest bring the same gain, which sums of rounded numbers would tell apart: with whole
    numbers, equals are equal and the first of them is picked.
    """
    if squared:
        distances = np.square(distances)
    largest = float(distances.max())
    quantum = math.ldexp(1.0, math.frexp(largest)[1] - _BITS)
    counted = np.empty(distances.shape, dtype=np.int32)
    for place, row in enumerate(distances):
        counted[place] = np.rint(row / quantum)
    np.subtract(counted.max(axis=1, keepdims=True), counted, out=counted)
    return counted, quantum


def _by_column(values: np.ndarray, indices: np.ndarray) -> csc_matrix:
    n, t = values.shape
    ends = np.arange(0, n * t + 1, t, dtype=np.int64 if n * t > np.iinfo(np.int32).max else np.int32)
    return csr_matrix((values.ravel(), indices.ravel(), ends), shape=(n, n)).tocsc()


class _Served:
    """How much nearer than its farthest neighbour each row has the nearest pick so far."""

    def __init__(self, similarities: csc_matrix, customers: np.ndarray) -> None:
        self.ends, self.rows, self.values = similarities.indptr, similarities.indices, similarities.data
        self.customers, self.alike = customers, bool((customers == 1).all())
        self.best = np.zeros(len(customers), dtype=self.values.dtype)
        self.count = 0

    def gains(self, candidates: np.ndarray) -> np.ndarray:
        """Gains of these rows; sums of whole numbers, where rows have whole weights, and so without rounding."""
        found = np.empty(len(candidates))
        for place, candidate in enumerate(candidates):
            part = slice(self.ends[candidate], self.ends[candidate + 1])
            rows = self.rows[part]
            nearer = self.values[part] - self.best.take(rows)
            np.maximum(nearer, 0, out=nearer)
            found[place] = nearer.sum(dtype=np.int64) if self.alike else nearer @ self.customers.take(rows)
        return found

    def add(self, pick: int) -> None:
        """Make a row the next pick."""
        part = slice(self.ends[pick], self.ends[pick + 1])
        rows = self.rows[part]
        self.best[rows] = np.maximum(self.best[rows], self.values[part])
        self.count += 1
