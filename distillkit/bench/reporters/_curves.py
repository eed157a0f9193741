"""Loss curves: what each distillation recorded on its way, one small plot per series with a thin line per seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from distillkit.bench.leaderboard import Leaderboard
from distillkit.bench.reporters import _format as f
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
COLOURS = 10
MAX_POINTS, MAX_SEEDS, MAX_SERIES = 100, 10, 6
MAX_PLOTS = 150
MAX_VALUE = 1e100
"""What diverged beyond this is a gap, so that the rest can be seen."""

LOG_FROM = 100
"""Largest over smallest value from which a loss without zeros and negative values is drawn on a log scale."""


@dataclass(frozen=True)
class CurvePlot:
    """One series of one method at one budget: an ``<svg>`` element, and in words where its lines start and end."""

    title: str
    svg: Markup
    words: str


@dataclass
class CurveGroup:
    """The plots of one method at one budget.

    Parameters
    ----------
    dataset, method, budget : str
    plots : list of CurvePlot
    """

    dataset: str
    method: str
    budget: str
    plots: list[CurvePlot] = field(default_factory=list)


@dataclass
class _Line:
    """One series of one run."""

    seed: int
    x: list[float | None]
    y: list[float | None]

    def points(self) -> list[tuple[float, float] | None]:
        """Return the points; None where the line is broken: by a value that is not there, or an axis that starts anew."""
        found: list[tuple[float, float] | None] = []
        for x, y in thinned(list(zip(self.x, self.y, strict=True)), MAX_POINTS):
            if x is None or y is None or abs(y) > MAX_VALUE:
                found.append(None)
                continue
            before = found[-1] if found else None
            found += [None, (x, y)] if before is not None and x < before[0] else [(x, y)]
        return found


def make_curves(leaderboard: Leaderboard, colours: Mapping[str, int]) -> tuple[list[CurveGroup], int]:
    """Draw the histories of all distillations that have one which follows a process in time.

    Parameters
    ----------
    leaderboard : Leaderboard
    colours : mapping of str to int
        Method -> number of its colour, the same on the whole page.

    Returns
    -------
    groups : list of CurveGroup
        By dataset, budget and method.
    left_out : int
        Plots not drawn because there are more than `MAX_PLOTS`.
    """
    runs = [run for run in find_histories(leaderboard) if is_time_series(run.steps)]
    groups: list[CurveGroup] = []
    drawn = left_out = 0
    for (dataset, budget, method), members in itertools.groupby(
        runs, lambda run: (run.dataset, run.budget, run.method)
    ):
        group = CurveGroup(dataset, method, budget)
        for title, x_name, lines in _plots(list(members)):
            if drawn < MAX_PLOTS:
                group.plots.append(_Plot(group, title, x_name, lines, colours.get(method, 0)).draw())
                drawn += 1
            else:
                left_out += 1
        groups += [group] if group.plots else []
    return groups, left_out


def _plots(runs: list[RunHistory]) -> Iterator[tuple[str, str, list[_Line]]]:
    """Yield title, name of the axis and lines of each series; the series of one run stand beside each other's seeds."""
    for whose in dict.fromkeys(run.whose for run in runs):
        own = [run for run in runs if run.whose == whose][:MAX_SEEDS]
        x_name = x_axis(own[0].steps)[0]
        own = [run for run in own if x_axis(run.steps)[0] == x_name]
        names = list(dict.fromkeys(name for run in own for name in series_names(run.steps)))
        for name in names[:MAX_SERIES]:
            lines = [_Line(run.seed, x_axis(run.steps)[1], column(run.steps, name)) for run in own]
            lines = [line for line in lines if any(line.points())]
            if lines:
                yield f"{whose}{axis_label(name)}", x_name, lines


class _Plot:
    """One small plot: scales first, then axes and lines."""

    def __init__(self, group: CurveGroup, title: str, x_name: str, lines: list[_Line], colour: int) -> None:
        self.group, self.title, self.x_name, self.lines, self.colour = group, title, x_name, lines, colour
        self.x_said = "seconds since the start" if x_name == "seconds" else axis_label(x_name)
        points = [point for line in lines for point in line.points() if point is not None]
        first, last = min(x for x, _ in points), max(x for x, _ in points)
        from_zero = 0 < first < last / 2 and x_name != "entry"  # what came before the first record belongs to the fit
        self.left, self.right = _widened(0.0 if from_zero else first, last, 0)
        low, high = min(y for _, y in points), max(y for _, y in points)
        self.log = "loss" in title and low > 0 and high / low >= LOG_FROM
        self.low, self.high = _widened(self._up(low), self._up(high), 0.06)
        self.parts: list[Markup] = []

    def _up(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        across = (x - self.left) / (self.right - self.left)
        up = (self._up(y) - self.low) / (self.high - self.low)
        return LEFT + (WIDTH - LEFT - RIGHT) * across, TOP + (HEIGHT - TOP - BOTTOM) * (1 - up)

    def add(self, element: Markup, **values: object) -> None:
        """Add an element; values are escaped, numbers rounded to a tenth of a pixel."""
        rounded = {name: round(value, 1) if isinstance(value, float) else value for name, value in values.items()}
        self.parts.append(element.format(**rounded))

    def draw(self) -> CurvePlot:
        words = self._words()
        budget = "fixed size" if self.group.budget == "-" else f"budget {self.group.budget}"
        label = f"{self.title} against {self.x_said}, {self.group.method} on {self.group.dataset}, {budget}: {words}"
        self._axes()
        for line in self.lines:
            self._line(line)
        svg = Markup('<svg class="chart s{c}" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">').format(
            c=self.colour % COLOURS, w=WIDTH, h=HEIGHT, label=label
        )
        return CurvePlot(self.title, svg + Markup("").join(self.parts) + Markup("</svg>"), words)

    def _words(self) -> str:
        """Say where the lines start and end: the mean over seeds."""
        ends = [[point[1] for point in line.points() if point is not None] for line in self.lines]
        first, last = (sum(values[i] for values in ends) / len(ends) for i in (0, -1))
        seeds = f", mean of {len(ends)} seeds" if len(ends) > 1 else ""
        return f"{f.general(first)} to {f.general(last)}{seeds}"

    def _axes(self) -> None:
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
        self.add(name, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 7, t=self.x_said)
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
        counts = self.x_name in (*STEP_KEYS, "entry")
        return [float(round(tick)) for tick in ticks if abs(tick - round(tick)) < 1e-6] if counts else ticks

    def _line(self, line: _Line) -> None:
        """Draw a line as one path; what stands alone between gaps is a dot, as the ends of lines are round."""
        path, before = "", None
        points = line.points()
        for point, after in zip(points, [*points[1:], None], strict=True):
            if point is not None:
                x, y = self.at(*point)
                path += f"{'M' if before is None else 'L'}{x:.1f} {y:.1f}"
                path += "h0" if before is None and after is None else ""
            before = point
        where = [point for point in points if point is not None]
        ends = [f"{f.general(y)} at {self.x_said} {f.general(x, 6)}" for x, y in (where[0], where[-1])]
        text = f"seed {line.seed}: {' to '.join(ends)}"
        self.add(Markup('<path class="curve" d="{d}"><title>{t}</title></path>'), d=path, t=text)


def _widened(low: float, high: float, share: float) -> tuple[float, float]:
    """Return a range with a margin, and with a width where it has none."""
    room = high - low if high - low > 1e-9 * max(abs(low), abs(high), 1e-9) else max(abs(high), 1.0)
    margin = share * room if high - low == room else room / 2
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers inside a range, however small or large."""
    scale = 10.0 ** math.floor(math.log10(max(abs(low), abs(high))))
    return [tick * scale for tick in nice_ticks(low / scale, high / scale, 5)]


def _labels(ticks: list[float]) -> list[str]:
    """Return numbers in little space, all with as many decimals as tell them apart."""
    largest = max(map(abs, ticks), default=0.0)
    if len(ticks) > 1 and largest < 1e5:
        step = min(b - a for a, b in itertools.pairwise(ticks))
        for places in range(5):
            if all(abs(round(tick, places) - tick) < 1e-3 * step for tick in ticks):
                return [f.fixed(tick, places) for tick in ticks]
    return [_short(tick) for tick in ticks]


def _short(value: float) -> str:
    """Return a number to three digits, with an exponent where it is large or small."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f.general(value)
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"
