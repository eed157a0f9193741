"""How long cells will take, from rows that are there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from distillkit.bench.planning._make_plan import Cell

__all__ = ["forecast"]


def forecast(cells: Sequence[Cell], rows: Iterable[Mapping[str, Any]]) -> tuple[float, int]:
    """Forecast the seconds that cells take one after the other.

    Parameters
    ----------
    cells : sequence of Cell
        What is still to run.
    rows : iterable of row
        What has run, of this or another plan.

    Returns
    -------
    seconds : float
        Judging time of each cell plus distilling time of each distilled set, start of the processes included. A cell takes the mean of the rows
        with its dataset, method, budget and evaluator; failing that, of fewer of these; failing that, of all.
    known : int
        Cells with a row of the same dataset and evaluator to go by.
    """
    judged: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    distilled: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in rows:
        if row.get("status") != "ok":
            continue
        for part in _levels(row["dataset"], row["evaluator"], row["method"], row["budget"]):
            judged[part].append(row["seconds"])
        for part in _levels(row["dataset"], row["method"], row["budget"]):
            distilled[part].append(row.get("seconds_distil_job", row["seconds_distil"]))
    if not judged:
        return 0.0, 0
    seconds, known, seen = 0.0, 0, set()
    for cell in cells:
        seconds += _nearest(judged, cell.dataset, cell.evaluator, cell.method, cell.budget)
        known += (cell.dataset, cell.evaluator) in judged
        if cell.distil_key not in seen:
            seen.add(cell.distil_key)
            seconds += _nearest(distilled, cell.dataset, cell.method, cell.budget)
    return seconds, known


def _levels(*names: str) -> list[tuple[str, ...]]:
    """All prefixes, longest first: from this very cell to everything."""
    return [names[:size] for size in range(len(names), -1, -1)]


def _nearest(table: Mapping[tuple[Any, ...], list[float]], *names: str) -> float:
    return next((fmean(table[part]) for part in _levels(*names) if part in table), 0.0)
