"""The training histories of distillations as points, from which the page draws curves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters._histories import RunHistory, find_histories
from distillkit.bench.reporters.page._payload import short
from distillkit.plotting._history_data import (
    axis_label,
    column,
    is_time_series,
    series_names,
    thinned,
    x_axis,
)

__all__ = ["CurvePlot", "make_curves"]

MAX_POINTS, MAX_SEEDS, MAX_SERIES = 100, 10, 6
MAX_PLOTS = 400
MAX_VALUE = 1e100
"""Larger absolute values, from a run that diverged, are drawn as gaps."""

LOG_FROM = 100
"""A positive loss is drawn on a log scale if its largest value is this many times its smallest."""

Point = tuple[float, float] | None


@dataclass(frozen=True)
class CurvePlot:
    """One series of the histories of one method at one budget.

    Parameters
    ----------
    dataset, method, budget : str
        What was distilled, with which method and to which size.
    title, axis : str
        Name of the series, and title of the horizontal axis.
    log : bool
        Whether the values are shown on a log scale.
    words : str
        The first and the last value, averaged over seeds.
    curves : dict of int to list
        Points by distillation seed, with None where the line is interrupted.
    """

    dataset: str
    method: str
    budget: str
    title: str
    axis: str
    log: bool
    words: str
    curves: dict[int, list[Point]]

    def as_json(self) -> dict[str, Any]:
        """Return the plot as values for JSON, with numbers as short as they can be read."""
        curves = {
            seed: [None if point is None else [short(point[0]), short(point[1])] for point in points]
            for seed, points in self.curves.items()
        }
        return {**asdict(self), "curves": curves}


def make_curves(leaderboard: LeaderboardData) -> tuple[list[CurvePlot], int]:
    """Return the histories of all distillations whose history follows an iterative process.

    Parameters
    ----------
    leaderboard : LeaderboardData

    Returns
    -------
    plots : list of CurvePlot
        Ordered by dataset, budget and method.
    left_out : int
        Number of plots beyond `MAX_PLOTS`.
    """
    runs = [run for run in find_histories(leaderboard) if is_time_series(run.steps)]
    by_set = itertools.groupby(runs, lambda run: (run.dataset, run.budget, run.method))
    plots = [plot for _, members in by_set for plot in _plots(list(members))]
    return plots[:MAX_PLOTS], max(0, len(plots) - MAX_PLOTS)


def _plots(runs: list[RunHistory]) -> Iterator[CurvePlot]:
    """Yield a plot for each series of the runs of one method at one budget."""
    first = runs[0]
    for prefix in dict.fromkeys(run.prefix for run in runs):
        same_kind = [run for run in runs if run.prefix == prefix][:MAX_SEEDS]
        x_name = x_axis(same_kind[0].steps)[0]
        same_kind = [run for run in same_kind if x_axis(run.steps)[0] == x_name]
        names = list(dict.fromkeys(name for run in same_kind for name in series_names(run.steps)))
        axis = "seconds since the start" if x_name == "seconds" else axis_label(x_name)
        for name in names[:MAX_SERIES]:
            curves = {run.seed: _points(x_axis(run.steps)[1], column(run.steps, name)) for run in same_kind}
            curves = {seed: points for seed, points in curves.items() if any(points)}
            if curves:
                title = f"{prefix}{axis_label(name)}"
                log, words = _is_log(title, curves), _words(curves)
                yield CurvePlot(first.dataset, first.method, first.budget, title, axis, log, words, curves)


def _points(xs: list[float | None], ys: list[float | None]) -> list[Point]:
    """Return the points of a line, with None where it is interrupted.

    A line is interrupted where a value is missing and where x starts again at a smaller value.
    """
    points: list[Point] = []
    for x, y in thinned(list(zip(xs, ys, strict=True)), MAX_POINTS):
        if x is None or y is None or abs(y) > MAX_VALUE:
            points.append(None)
            continue
        previous = points[-1] if points else None
        points += [None, (x, y)] if previous is not None and x < previous[0] else [(x, y)]
    return points


def _is_log(title: str, curves: dict[int, list[Point]]) -> bool:
    values = [point[1] for points in curves.values() for point in points if point is not None]
    low, high = min(values), max(values)
    return "loss" in title and low > 0 and high / low >= LOG_FROM


def _words(curves: dict[int, list[Point]]) -> str:
    """Return the first and the last values, averaged over seeds, as text."""
    values = [[point[1] for point in points if point is not None] for points in curves.values()]
    first, last = (sum(each[place] for each in values) / len(values) for place in (0, -1))
    seeds = f", mean of {len(values)} seeds" if len(values) > 1 else ""
    return f"{fmt.general(first)} to {fmt.general(last)}{seeds}"
