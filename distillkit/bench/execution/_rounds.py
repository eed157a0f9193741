"""Keeps account of the groups of a run that have no rows yet, and submits them in rounds."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from distillkit.bench.execution._rows import Row
from distillkit.bench.planning._cells import Cell, CellGroup, Plan
from distillkit.bench.results._claims import Claims
from distillkit.bench.results._store import ResultsStore

__all__ = ["LOST", "Rounds"]

_MOST_LOSSES = 3
LOST = f"the worker that ran it was lost {_MOST_LOSSES} times"
"""Error of a cell whose group was lost so often that it is not submitted again."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Rounds:
    """The groups of a run that have no rows yet.

    Parameters
    ----------
    plan : Plan
    store : ResultsStore
    pending : sequence of Cell
        Cells to run.
    on_row : callable or None
        Called once with each row, whether the process that wrote it is this or another one.
    """

    def __init__(
        self, plan: Plan, store: ResultsStore, pending: Sequence[Cell], on_row: Callable[[Row], None] | None
    ) -> None:
        self._store, self._claims, self._on_row = store, Claims(store.folder), on_row
        old = store.rows(cell.key for cell in pending)
        self._left = {
            group.key: replace(group, replaced={cell.key: old[cell.key] for cell in group.cells if cell.key in old})
            for group in plan.groups(list(pending))
        }
        self._missing = {key: {cell.key for cell in group.cells} for key, group in self._left.items()}
        self._group_of = {cell.key: group.key for group in self._left.values() for cell in group.cells}
        self._losses: Counter[str] = Counter()
        self._known: set[str] = set()
        self._guard, self._pause = threading.Lock(), _SHORTEST_PAUSE

    def groups(self) -> list[CellGroup]:
        """Return the groups to submit now."""
        return list(self._left.values())

    def tell(self, row: Row) -> None:
        """Report a row, if it has not been reported."""
        with self._guard:
            is_new = row["key"] not in self._known
            self._known.add(row["key"])
        if is_new and self._on_row is not None:
            self._on_row(row)

    def told(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Note and yield rows that an engine has returned."""
        for row in rows:
            self.tell(row)
            key = self._group_of.get(row["key"])
            if key is not None and row["key"] in self._missing.get(key, ()):
                self._missing[key].remove(row["key"])
                if not self._missing[key]:
                    del self._missing[key], self._left[key]
                yield row

    def lost(self) -> list[CellGroup]:
        """Return the groups that are not to be submitted again; wait before others are."""
        busy = {key for key in self._left if self._claims.is_held(key)}
        self._losses.update(self._left.keys() - busy)
        if busy == self._left.keys() and busy:  # All that is left is being done by other processes.
            time.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        else:
            self._pause = _SHORTEST_PAUSE
        return [group for key, group in self._left.items() if self._losses[key] >= _MOST_LOSSES]
