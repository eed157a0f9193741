"""Forecasts how long cells will take, from the times of finished rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from distillkit.bench.planning._make_plan import Cell

__all__ = ["forecast"]


def forecast(cells: Sequence[Cell], rows: Iterable[Mapping[str, Any]]) -> tuple[float, int]:
    """Forecast the wall-clock seconds that cells take when they run one after the other.

    Parameters
    ----------
    cells : sequence of Cell
        The cells to run.
    rows : iterable of row
        Finished rows, of this or another plan.

    Returns
    -------
    seconds : float
        Evaluation times of all cells plus distillation times of all distilled sets, including the
        start of the processes. The estimate for a cell is the mean over the most similar finished
        rows: those with the same dataset, evaluator, method and budget if there are any, otherwise
        those that agree in fewer of these, otherwise all rows.
    known : int
        Number of cells for which there is a row with the same dataset and evaluator.
    """
    # 1. File the times under every prefix of (dataset, evaluator, method, budget).
    evaluation_times: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    distillation_times: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in rows:
        if row.get("status") != "ok":
            continue
        for prefix in _prefixes(row["dataset"], row["evaluator"], row["method"], row["budget"]):
            evaluation_times[prefix].append(_seconds(row, "seconds"))
        for prefix in _prefixes(row["dataset"], row["method"], row["budget"]):
            distillation_times[prefix].append(_seconds(row, "seconds_distil_job", "seconds_distil"))
    if not evaluation_times:
        return 0.0, 0
    # 2. Add up the estimates, counting each distilled set once.
    seconds, known, distil_keys = 0.0, 0, set()
    for cell in cells:
        seconds += _best_estimate(evaluation_times, cell.dataset, cell.evaluator, cell.method, cell.budget)
        known += (cell.dataset, cell.evaluator) in evaluation_times
        if cell.distil_key not in distil_keys:
            distil_keys.add(cell.distil_key)
            seconds += _best_estimate(distillation_times, cell.dataset, cell.method, cell.budget)
    return seconds, known


def _seconds(row: Mapping[str, Any], *names: str) -> float:
    """Return the first of the named times that a row has, or zero."""
    times = (row.get(name) for name in names)
    return next((float(time) for time in times if time is not None and math.isfinite(time)), 0.0)


def _prefixes(*names: str) -> list[tuple[str, ...]]:
    """Return all prefixes, the longest first, down to the empty one, which matches every cell."""
    return [names[:size] for size in range(len(names), -1, -1)]


def _best_estimate(table: Mapping[tuple[Any, ...], list[float]], *names: str) -> float:
    """Return the mean of the times under the longest prefix that has any."""
    return next((fmean(table[prefix]) for prefix in _prefixes(*names) if prefix in table), 0.0)
