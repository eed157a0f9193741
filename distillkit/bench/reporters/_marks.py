"""Helpers for plots: round ticks, non-overlapping labels, marks of several shapes, and tooltips."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from distillkit.bench.reporters import _format as fmt

__all__ = ["describe", "marker", "nice_ticks", "spread"]


def nice_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Return at least three and at most ``count + 1`` round numbers inside [low, high]."""
    min_step = (high - low) / count
    power = 10.0 ** math.floor(math.log10(min_step))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= min_step * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions within [low, high] so that neighbors are at least `gap` apart, in order.

    The gap is smaller if there is not enough space.
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    gap = min(gap, (high - low) / max(1, len(positions) - 1))
    placed = [0.0] * len(positions)
    # Push positions up from the lowest, then back down from the highest.
    floor = low
    for i in order:
        placed[i] = max(positions[i], floor)
        floor = placed[i] + gap
    ceiling = high
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return placed


def marker(number: int, x: float, y: float) -> Markup:
    """Return a mark at (x, y), with one of four shapes by the number of its method."""
    shape = (
        Markup('<circle class="mark" cx="{x}" cy="{y}" r="3.8"/>'),
        Markup('<rect class="mark" x="{l}" y="{t}" width="7" height="7"/>'),
        Markup('<path class="mark" d="M{x} {u}L{r} {d}H{k}Z"/>'),
        Markup('<path class="mark" d="M{x} {b}L{r} {t}H{k}Z"/>'),
    )[number % 4]
    values = {
        "x": x,
        "y": y,
        "l": x - 3.5,
        "t": y - 3.5,
        "u": y - 4.6,
        "d": y + 3.4,
        "b": y + 4.6,
        "r": x + 4.6,
        "k": x - 4.6,
    }
    return shape.format(**{name: round(value, 1) for name, value in values.items()})


def describe(entry: Mapping[str, Any]) -> str:
    """Return the tooltip of an entry."""
    interval = (
        ""
        if entry["ci_low"] is None
        else f", 95 % interval {fmt.fixed(entry['ci_low'], 4)} to {fmt.fixed(entry['ci_high'], 4)}"
    )
    budget = "fixed size" if entry["reference"] else f"budget {entry['budget']}"
    rows = "" if entry["rows"] is None else f", {fmt.general(entry['rows'], 6)} rows"
    mean = f"{entry['metric']} {fmt.fixed(entry['mean'], 4)}"
    return f"{entry['method']}, {budget}{rows}: {mean}{interval}, n = {entry['n']}"
