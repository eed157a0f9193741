"""Draws a panel as an inline SVG plot of the primary metric against the number of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from distillkit.bench.leaderboard import Panel
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters._marks import describe, marker, nice_ticks, spread

__all__ = ["chart"]

WIDTH, HEIGHT = 620, 340
LEFT, RIGHT, TOP, BOTTOM = 58, 168, 14, 50
LABEL_GAP = 14.5
COLORS = 10


def chart(panel: Panel, colors: Mapping[str, int]) -> Markup:
    """Draw a panel as a plot.

    Parameters
    ----------
    panel : Panel
    colors : mapping of str to int
        Number of the color of each method, which is the same on the whole page.

    Returns
    -------
    Markup
        An ``<svg>`` element; empty if no method that follows the budget has a value.
    """
    points = {
        (method, budget): entry
        for method in panel.methods
        for budget in panel.budgets
        if (entry := _entry_with_value(panel, method, budget))
    }
    if not points:
        return Markup("")
    return _Chart(panel, points, colors).draw()


def _entry_with_value(panel: Panel, method: str, budget: str) -> dict[str, Any] | None:
    """Return the entry of a method at a budget if it has a mean, otherwise None."""
    entry = panel.get(method, budget)
    return entry if entry is not None and entry["mean"] is not None else None


class _Chart:
    """Draws one plot: it computes the scales first, then draws the layers from back to front."""

    def __init__(self, panel: Panel, points: dict[tuple[str, str], dict[str, Any]], colors: Mapping[str, int]) -> None:
        self.panel, self.points, self.colors = panel, points, colors
        self.references = {name: entry for name in panel.references if (entry := _entry_with_value(panel, name, "-"))}
        self.published = [result for result in panel.published if result["line_method"] in panel.methods]
        self.parts: list[Markup] = []
        self.x = self._x_scale()
        self.low, self.high = self._range()

    def _x_scale(self) -> Callable[[str, str], float]:
        """Return a function from (method, budget) to the horizontal position in pixels.

        The axis is the logarithm of the number of distilled rows, or the index of the budget if the
        number of rows is not known for all entries.
        """
        # 1. Compute the value of each point on the axis.
        entries = self.points.values()
        indices = {budget: float(i + 1) for i, budget in enumerate(self.panel.budgets)}
        rows_known = all(entry["rows"] for entry in entries)
        values = {key: math.log(entry["rows"]) if rows_known else indices[key[1]] for key, entry in self.points.items()}
        first, last = min(values.values()), max(values.values())
        # 2. Put the tick of each budget at the median of its points.
        self.ticks = {
            budget: sorted(budget_values)[len(budget_values) // 2]
            for budget in self.panel.budgets
            if (budget_values := [value for (_, other), value in values.items() if other == budget])
        }
        width = WIDTH - LEFT - RIGHT

        def position(value: float) -> float:
            fraction = 0.5 if last == first else (value - first) / (last - first)
            return LEFT + width * (0.06 + 0.88 * fraction)

        # 3. Shift the methods slightly, so that their intervals do not overlap.
        self.tick_x = {budget: position(value) for budget, value in self.ticks.items()}
        shifts = {method: (i - (len(self.panel.methods) - 1) / 2) * 2.5 for i, method in enumerate(self.panel.methods)}
        return lambda method, budget: (
            position(values.get((method, budget), self.ticks.get(budget, first))) + shifts[method]
        )

    def _range(self) -> tuple[float, float]:
        """Return the range of the value axis.

        It includes all means, and the intervals as far as they extend it by at most half of the
        range of the means on either side.
        """
        means = [entry["mean"] for entry in (*self.points.values(), *self.references.values())]
        means += [result["published"] for result in self.published if result["budget"] in self.ticks]
        low, high = min(means), max(means)
        span = max(high - low, 0.02 * max(abs(low), abs(high)), 1e-9)
        ends = [entry[end] for entry in self.points.values() for end in ("ci_low", "ci_high") if entry[end] is not None]
        low, high = max(min([low, *ends]), low - span / 2), min(max([high, *ends]), high + span / 2)
        margin = 0.06 * max(high - low, span)
        return low - margin, high + margin

    def y(self, value: float) -> float:
        """Return the vertical position of a value in pixels, clipped to the plot."""
        value = min(max(value, self.low), self.high)
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)

    def add(self, element: Markup, **values: Any) -> None:
        """Add an SVG element, with escaped values and numbers rounded to a tenth of a pixel."""
        rounded = {name: round(value, 1) if isinstance(value, float) else value for name, value in values.items()}
        self.parts.append(element.format(**rounded))

    def draw(self) -> Markup:
        """Return the whole ``<svg>`` element."""
        label = f"{self.panel.metric} against budget, {self.panel.title}"
        self._axes()
        for entry in self.references.values():
            y = self.y(entry["mean"])
            self.add(Markup('<line class="ref" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>'), a=LEFT, b=WIDTH - RIGHT, y=y)
            self._tooltip_strip(entry, y)
        for method in self.panel.methods:
            self._series(method)
        for result in self.published:
            self._published(result)
        self._labels()
        svg = Markup('<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">').format(
            w=WIDTH, h=HEIGHT, label=label
        )
        return svg + Markup("").join(self.parts) + Markup("</svg>")

    def _axes(self) -> None:
        """Draw the grid, the axes, their ticks and their titles."""
        places = fmt.decimals([self.low, self.high])
        ticks = nice_ticks(self.low, self.high)
        if places == 3 and all(abs(tick * 100 - round(tick * 100)) < 1e-9 for tick in ticks):
            places = 2
        for tick in ticks:
            self.add(
                Markup('<line class="grid" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>'),
                a=LEFT,
                b=WIDTH - RIGHT,
                y=self.y(tick),
            )
            self.add(
                Markup('<text class="tick" x="{x}" y="{y}" text-anchor="end">{t}</text>'),
                x=LEFT - 7,
                y=self.y(tick) + 4,
                t=fmt.fixed(tick, places),
            )
        bottom, previous, lowered = HEIGHT - BOTTOM, -math.inf, False
        for budget, x in sorted(self.tick_x.items(), key=lambda item: item[1]):
            # Labels that are close to each other alternate between two heights.
            lowered = not lowered and x - previous < 7 * max(len(budget), 4)
            self.add(Markup('<line class="axis" x1="{x}" x2="{x}" y1="{a}" y2="{b}"/>'), x=x, a=bottom, b=bottom + 5)
            text = fmt.budget_text(budget)
            text = text if len(text) < 14 else text[:13] + "…"
            self.add(
                Markup('<text class="tick" x="{x}" y="{y}" text-anchor="middle">{t}</text>'),
                x=x,
                y=bottom + (30 if lowered else 17),
                t=text,
            )
            previous = x
        self.add(Markup('<line class="axis" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>'), a=LEFT, b=WIDTH - RIGHT, y=bottom)
        middle = (LEFT + WIDTH - RIGHT) / 2
        self.add(
            Markup('<text class="title" x="{x}" y="{y}" text-anchor="middle">{t}</text>'),
            x=middle,
            y=HEIGHT - 6,
            t=_axis_title(self.panel),
        )
        self.add(
            Markup('<text class="title" transform="translate(13 {y}) rotate(-90)" text-anchor="middle">{t}</text>'),
            y=(TOP + bottom) / 2,
            t=self.panel.metric,
        )

    def _series(self, method: str) -> None:
        """Draw the line, the intervals and the marks of a method."""
        points = [
            (self.x(method, budget), self.points[method, budget])
            for budget in self.panel.budgets
            if (method, budget) in self.points
        ]
        number = self.colors[method]
        self.parts.append(Markup('<g class="s{}">').format(number % COLORS))
        path = " ".join(f"{x:.1f},{self.y(entry['mean']):.1f}" for x, entry in points)
        self.add(Markup('<polyline class="line" points="{p}"/>'), p=path)
        for x, entry in points:
            self.parts.append(Markup("<g><title>{}</title>").format(describe(entry)))
            if entry["ci_low"] is not None:
                a, b = self.y(entry["ci_low"]), self.y(entry["ci_high"])
                self.add(
                    Markup('<path class="bar" d="M{l} {a}H{r}M{x} {a}V{b}M{l} {b}H{r}"/>'),
                    x=x,
                    l=x - 3,
                    r=x + 3,
                    a=a,
                    b=b,
                )
            self.parts.append(marker(number, x, self.y(entry["mean"])))
            self.parts.append(Markup("</g>"))
        self.parts.append(Markup("</g>"))

    def _published(self, result: Mapping[str, Any]) -> None:
        """Draw a published result as a diamond."""
        if result["budget"] not in self.tick_x:
            return
        x, y = self.x(result["line_method"], result["budget"]) + 7, self.y(result["published"])
        verdict = ": ".join(filter(None, (result["verdict"], result["reason"])))
        text = (
            f"published: {result['published_as']} {fmt.fixed(result['published'])} with "
            f"{result['published_evaluator']}, {verdict} ({result['protocol']}; {result['source']})"
        )
        self.add(
            Markup('<path class="published s{n}" d="M{x} {a}L{r} {y}L{x} {b}L{l} {y}Z"><title>{t}</title></path>'),
            n=self.colors[result["line_method"]] % COLORS,
            x=x,
            y=y,
            a=y - 5.5,
            b=y + 5.5,
            l=x - 5.5,
            r=x + 5.5,
            t=text,
        )

    def _tooltip_strip(self, entry: Mapping[str, Any], y: float) -> None:
        """Add an invisible strip along a reference line that shows its tooltip."""
        self.add(
            Markup('<rect class="hover" x="{x}" y="{y}" width="{w}" height="8"><title>{t}</title></rect>'),
            x=LEFT,
            y=y - 4,
            w=WIDTH - LEFT - RIGHT,
            t=describe(entry),
        )

    def _labels(self) -> None:
        """Label each line at its right end, with the labels spread apart and joined to the ends."""
        ends: list[tuple[str, float, float, str]] = []
        for method in self.panel.methods:
            budgets = [budget for budget in self.panel.budgets if (method, budget) in self.points]
            if budgets:
                entry = self.points[method, budgets[-1]]
                ends.append(
                    (
                        method,
                        self.x(method, budgets[-1]) + 5,
                        self.y(entry["mean"]),
                        f"s{self.colors[method] % COLORS}",
                    )
                )
        ends += [(name, WIDTH - RIGHT, self.y(entry["mean"]), "reference") for name, entry in self.references.items()]
        placed = spread([y for _, _, y, _ in ends], LABEL_GAP, TOP + 4, HEIGHT - BOTTOM + 8)
        for (name, x, y, css), label_y in zip(ends, placed, strict=True):
            edge = WIDTH - RIGHT + 20
            self.add(
                Markup('<path class="leader {c}" d="M{x} {y}L{m} {label_y}H{e}"/>'),
                c=css,
                x=x,
                y=y,
                m=edge - 8,
                label_y=label_y,
                e=edge - 3,
            )
            text = name if len(name) < 23 else name[:21] + "…"
            self.add(Markup('<text class="name {c}" x="{x}" y="{y}">{t}</text>'), c=css, x=edge, y=label_y + 4, t=text)


def _axis_title(panel: Panel) -> str:
    counts = all(budget.isdigit() for budget in panel.budgets)
    unit = (
        ("rows per class" if panel.task == "classification" else "rows")
        if counts
        else "rows per class, or share of the rows"
    )
    return f"budget ({unit}; log scale of distilled rows)"
