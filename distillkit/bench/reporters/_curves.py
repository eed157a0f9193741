"""Draws the training histories of distillations as small plots with one line per seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from distillkit.bench.leaderboard import LeaderboardData
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters._histories import RunHistory, find_histories
from distillkit.bench.reporters._marks import nice_ticks
from distillkit.plotting._history_data import (
    STEP_KEYS,
    axis_label,
    column,
    is_time_series,
    series_names,
    thinned,
    x_axis,
)

__all__ = ["CurveGroup", "CurvePlot", "make_curves"]

WIDTH, HEIGHT = 300, 186
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 12, 42
COLORS = 10
MAX_POINTS, MAX_SEEDS, MAX_SERIES = 100, 10, 6
MAX_PLOTS = 150
MAX_VALUE = 1e100
"""Larger absolute values, from a run that diverged, are drawn as gaps."""

LOG_FROM = 100
"""A positive loss is drawn on a log scale if its largest value is this many times its smallest."""


@dataclass(frozen=True)
class CurvePlot:
    """A plot of one series of one method at one budget, with its start and end values in words."""

    title: str
    svg: Markup
    words: str


@dataclass
class CurveGroup:
    """The plots of one method at one budget.

    Parameters
    ----------
    dataset, method, budget : str
        What was distilled, with which method and to which size.
    plots : list of CurvePlot
        One plot per series.
    """

    dataset: str
    method: str
    budget: str
    plots: list[CurvePlot] = field(default_factory=list)


@dataclass
class _Curve:
    """The values of one series in one run."""

    seed: int
    x: list[float | None]
    y: list[float | None]

    def points(self) -> list[tuple[float, float] | None]:
        """Return the points, with None where the line is interrupted.

        A line is interrupted where a value is missing and where x starts again at a smaller value.
        """
        points: list[tuple[float, float] | None] = []
        for x, y in thinned(list(zip(self.x, self.y, strict=True)), MAX_POINTS):
            if x is None or y is None or abs(y) > MAX_VALUE:
                points.append(None)
                continue
            previous = points[-1] if points else None
            points += [None, (x, y)] if previous is not None and x < previous[0] else [(x, y)]
        return points


def make_curves(leaderboard: LeaderboardData, colors: Mapping[str, int]) -> tuple[list[CurveGroup], int]:
    """Draw the histories of all distillations whose history follows an iterative process.

    Parameters
    ----------
    leaderboard : LeaderboardData
    colors : mapping of str to int
        Number of the color of each method, which is the same on the whole page.

    Returns
    -------
    groups : list of CurveGroup
        Ordered by dataset, budget and method.
    left_out : int
        Number of plots that are not drawn because there are more than `MAX_PLOTS`.
    """
    runs = [run for run in find_histories(leaderboard) if is_time_series(run.steps)]
    groups: list[CurveGroup] = []
    drawn = left_out = 0
    for (dataset, budget, method), members in itertools.groupby(
        runs, lambda run: (run.dataset, run.budget, run.method)
    ):
        group = CurveGroup(dataset, method, budget)
        for title, x_name, curves in _plots(list(members)):
            if drawn < MAX_PLOTS:
                group.plots.append(_Plot(group, title, x_name, curves, colors.get(method, 0)).draw())
                drawn += 1
            else:
                left_out += 1
        groups += [group] if group.plots else []
    return groups, left_out


def _plots(runs: list[RunHistory]) -> Iterator[tuple[str, str, list[_Curve]]]:
    """Yield the title, the name of the horizontal axis and the curves of each series."""
    for prefix in dict.fromkeys(run.prefix for run in runs):
        same_kind = [run for run in runs if run.prefix == prefix][:MAX_SEEDS]
        x_name = x_axis(same_kind[0].steps)[0]
        same_kind = [run for run in same_kind if x_axis(run.steps)[0] == x_name]
        names = list(dict.fromkeys(name for run in same_kind for name in series_names(run.steps)))
        for name in names[:MAX_SERIES]:
            curves = [_Curve(run.seed, x_axis(run.steps)[1], column(run.steps, name)) for run in same_kind]
            curves = [curve for curve in curves if any(curve.points())]
            if curves:
                yield f"{prefix}{axis_label(name)}", x_name, curves


class _Plot:
    """Draws one small plot: it computes the scales first, then draws the axes and the curves."""

    def __init__(self, group: CurveGroup, title: str, x_name: str, curves: list[_Curve], color: int) -> None:
        self.group, self.title, self.x_name, self.curves, self.color = group, title, x_name, curves, color
        self.x_label = "seconds since the start" if x_name == "seconds" else axis_label(x_name)
        points = [point for curve in curves for point in curve.points() if point is not None]
        first, last = min(x for x, _ in points), max(x for x, _ in points)
        # The axis starts at zero unless the first record is late in the fit.
        from_zero = 0 < first < last / 2 and x_name != "entry"
        self.left, self.right = _with_margin(0.0 if from_zero else first, last, 0)
        low, high = min(y for _, y in points), max(y for _, y in points)
        self.log = "loss" in title and low > 0 and high / low >= LOG_FROM
        self.low, self.high = _with_margin(self._transform(low), self._transform(high), 0.06)
        self.parts: list[Markup] = []

    def _transform(self, value: float) -> float:
        """Return the logarithm of a value if the axis is logarithmic, otherwise the value."""
        return math.log10(value) if self.log else value

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the position of a point in pixels."""
        x_fraction = (x - self.left) / (self.right - self.left)
        y_fraction = (self._transform(y) - self.low) / (self.high - self.low)
        return LEFT + (WIDTH - LEFT - RIGHT) * x_fraction, TOP + (HEIGHT - TOP - BOTTOM) * (1 - y_fraction)

    def add(self, element: Markup, **values: object) -> None:
        """Add an SVG element, with escaped values and numbers rounded to a tenth of a pixel."""
        rounded = {name: round(value, 1) if isinstance(value, float) else value for name, value in values.items()}
        self.parts.append(element.format(**rounded))

    def draw(self) -> CurvePlot:
        """Return the plot with its title and description."""
        words = self._words()
        budget = "fixed size" if self.group.budget == "-" else f"budget {self.group.budget}"
        label = f"{self.title} against {self.x_label}, {self.group.method} on {self.group.dataset}, {budget}: {words}"
        self._axes()
        for curve in self.curves:
            self._draw_curve(curve)
        svg = Markup('<svg class="chart s{c}" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">').format(
            c=self.color % COLORS, w=WIDTH, h=HEIGHT, label=label
        )
        return CurvePlot(self.title, svg + Markup("").join(self.parts) + Markup("</svg>"), words)

    def _words(self) -> str:
        """Return the first and the last values of the curves, averaged over seeds, as text."""
        curve_values = [[point[1] for point in curve.points() if point is not None] for curve in self.curves]
        first, last = (sum(values[i] for values in curve_values) / len(curve_values) for i in (0, -1))
        seeds = f", mean of {len(curve_values)} seeds" if len(curve_values) > 1 else ""
        return f"{fmt.general(first)} to {fmt.general(last)}{seeds}"

    def _axes(self) -> None:
        """Draw the grid, the axes, their ticks and their titles."""
        bottom = HEIGHT - BOTTOM
        y_ticks, x_ticks = self._y_ticks(), self._x_ticks()
        for value, text in zip(y_ticks, _labels(y_ticks), strict=True):
            y = self.at(self.left, value)[1]
            self.add(Markup('<line class="grid" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>'), a=LEFT, b=WIDTH - RIGHT, y=y)
            tick = Markup('<text class="tick" x="{x}" y="{y}" text-anchor="end">{t}</text>')
            self.add(tick, x=LEFT - 6, y=y + 4, t=text)
        for value, text in zip(x_ticks, _labels(x_ticks), strict=True):
            x = LEFT + (WIDTH - LEFT - RIGHT) * (value - self.left) / (self.right - self.left)
            self.add(Markup('<line class="axis" x1="{x}" x2="{x}" y1="{a}" y2="{b}"/>'), x=x, a=bottom, b=bottom + 4)
            tick = Markup('<text class="tick" x="{x}" y="{y}" text-anchor="middle">{t}</text>')
            self.add(tick, x=x, y=bottom + 16, t=text)
        axis = Markup('<line class="axis" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>')
        self.add(axis, a=LEFT, b=WIDTH - RIGHT, y=bottom)
        name = Markup('<text class="title" x="{x}" y="{y}" text-anchor="middle">{t}</text>')
        self.add(name, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 7, t=self.x_label)
        name = Markup('<text class="title" transform="translate(12 {y}) rotate(-90)" text-anchor="middle">{t}</text>')
        shown = self.title if len(self.title) < 25 else self.title[:23] + "…"
        self.add(name, y=(TOP + bottom) / 2, t=f"{shown} (log)" if self.log else shown)

    def _y_ticks(self) -> list[float]:
        if not self.log:
            return _ticks(self.low, self.high)
        powers = range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)
        return [10.0**power for power in powers[:: -(-len(powers) // 5)]]

    def _x_ticks(self) -> list[float]:
        ticks = _ticks(self.left, self.right)
        is_count = self.x_name in (*STEP_KEYS, "entry")
        return [float(round(tick)) for tick in ticks if abs(tick - round(tick)) < 1e-6] if is_count else ticks

    def _draw_curve(self, curve: _Curve) -> None:
        """Draw a curve as one path, in which a point between two gaps is a line of length zero.

        Such a line is visible as a dot because the style sheet rounds the ends of lines.
        """
        path, previous = "", None
        points = curve.points()
        for point, following in zip(points, [*points[1:], None], strict=True):
            if point is not None:
                x, y = self.at(*point)
                path += f"{'M' if previous is None else 'L'}{x:.1f} {y:.1f}"
                path += "h0" if previous is None and following is None else ""
            previous = point
        drawn = [point for point in points if point is not None]
        ends = [f"{fmt.general(y)} at {self.x_label} {fmt.general(x, 6)}" for x, y in (drawn[0], drawn[-1])]
        text = f"seed {curve.seed}: {' to '.join(ends)}"
        self.add(Markup('<path class="curve" d="{d}"><title>{t}</title></path>'), d=path, t=text)


def _with_margin(low: float, high: float, fraction: float) -> tuple[float, float]:
    """Return a range with a margin; an empty range is widened around its value."""
    span = high - low if high - low > 1e-9 * max(abs(low), abs(high), 1e-9) else max(abs(high), 1.0)
    margin = fraction * span if high - low == span else span / 2
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers inside a range of any magnitude."""
    scale = 10.0 ** math.floor(math.log10(max(abs(low), abs(high))))
    return [tick * scale for tick in nice_ticks(low / scale, high / scale, 5)]


def _labels(ticks: list[float]) -> list[str]:
    """Return short labels of ticks, all with as many decimals as are needed to distinguish them."""
    largest = max(map(abs, ticks), default=0.0)
    if len(ticks) > 1 and largest < 1e5:
        step = min(b - a for a, b in itertools.pairwise(ticks))
        for places in range(5):
            if all(abs(round(tick, places) - tick) < 1e-3 * step for tick in ticks):
                return [fmt.fixed(tick, places) for tick in ticks]
    return [_short(tick) for tick in ticks]


def _short(value: float) -> str:
    """Return a number with three digits, and with an exponent if it is very large or small."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return fmt.general(value)
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"
