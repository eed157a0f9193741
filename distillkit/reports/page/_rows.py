"""Pictures of images and plots of series, class by class, on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from distillkit.reports._examples import ExampleGroup, Examples
from distillkit.reports.page._charts import series_plot
from distillkit.utils._pictures import png_text
from distillkit.utils._tiles import tile, to_bytes

__all__ = ["Card", "image_cards", "series_cards"]

_LARGEST_SIDE = 64
_TILE = 40
_SERIES, _CHANNELS, _STEPS = 5, 6, 150
_SIDES = (("real", "real"), ("small", "distilled"))
_IMAGE = Markup('<img width="{}" height="{}" alt="{}" src="data:image/png;base64,{}">')


@dataclass(frozen=True)
class Card:
    """What the page shows of one class.

    Parameters
    ----------
    name : str
        Label of the class, or "all rows".
    counts : str
        Numbers of rows in words.
    lines : list of (str, list of Markup)
        Pairs of a heading and pictures.
    """

    name: str
    counts: str
    lines: list[tuple[str, list[Markup]]]


def image_cards(examples: Examples) -> tuple[list[Card], str]:
    """Return pictures of each class, and how the values became gray levels.

    All images share one scale, so that the sides can be compared.
    """
    parts = [
        part
        for group in examples.groups
        for part in (group.mean_real[None], group.real, group.mean_small[None], group.small)
    ]
    pixels, note = to_bytes(np.concatenate([_reduced(part) for part in parts]))
    ends = np.cumsum([len(part) for part in parts])[:-1]
    pictures = iter(np.split(pixels, ends))
    cards = []
    for group in examples.groups:
        lines = []
        for side, word in _SIDES:
            mean, rows = next(pictures), next(pictures)
            n_rows = group.n_real if side == "real" else group.n_small
            name = f" of class {group.name}" if group.name else ""
            shown = [_picture(mean, f"mean of the {n_rows:,} {word} images{name}")] if n_rows else []
            shown += [_picture(rows, f"{len(rows)} {word} images{name}")] if len(rows) else []
            lines.append((word, shown))
        cards.append(_card(group, lines))
    return cards, note.removeprefix("; ")


def _reduced(X: np.ndarray) -> np.ndarray:
    """Return images of at most 64 pixels a side, by the means of square blocks."""
    values = np.asarray(X, dtype=np.float64)
    factor = -(-max(values.shape[2:]) // _LARGEST_SIDE)
    if factor == 1:
        return values
    height, width = (max(1, side // factor) for side in values.shape[2:])
    values = values[:, :, : height * factor, : width * factor]
    rows, columns = (min(factor, side) for side in X.shape[2:])
    return np.asarray(values.reshape(*values.shape[:2], height, rows, width, columns).mean(axis=(3, 5)))


def _picture(pixels: np.ndarray, label: str) -> Markup:
    canvas = tile(pixels, [np.arange(len(pixels))], down=False)
    enlarge = max(1, -(-_TILE // max(pixels.shape[1:3])))
    return _IMAGE.format(canvas.shape[1] * enlarge, canvas.shape[0] * enlarge, label, png_text(canvas))


def series_cards(examples: Examples) -> tuple[list[Card], str]:
    """Return plots of each class and channel, and the scale of each channel."""
    first = examples.groups[0]
    n_channels, n_steps = first.mean_real.shape
    channels = range(min(n_channels, _CHANNELS))
    scales = [_scale(examples, channel) for channel in channels]
    step = -(-n_steps // _STEPS)
    cards = []
    for group in examples.groups:
        lines = []
        for channel in channels:
            plots = [_plot(group, side, word, channel, step, scales[channel]) for side, word in _SIDES]
            lines.append((f"channel {channel}" if n_channels > 1 else "", plots))
        cards.append(_card(group, lines))
    parts = [f"{low:.4g} to {high:.4g}" for low, high in scales]
    note = f"The vertical axes go from {', '.join(parts)}, the horizontal ones over {n_steps} steps."
    if n_channels > len(channels):
        note += f" The first {len(channels)} of {n_channels} channels are shown."
    return cards, note


def _plot(group: ExampleGroup, side: str, word: str, channel: int, step: int, scale: tuple[float, float]) -> Markup:
    rows = getattr(group, side)[:_SERIES, channel, ::step].astype(np.float64)
    mean = getattr(group, f"mean_{side}")[channel, ::step]
    name = f" of class {group.name}" if group.name else ""
    return series_plot(rows, mean, *scale, side, f"{len(rows)} {word} series{name} and the mean of all")


def _scale(examples: Examples, channel: int) -> tuple[float, float]:
    values: list[Any] = []
    for group in examples.groups:
        for side, _ in _SIDES:
            values += [getattr(group, side)[:_SERIES, channel].ravel(), getattr(group, f"mean_{side}")[channel]]
    shown = np.concatenate(values).astype(np.float64)
    return float(np.nanmin(shown)), float(np.nanmax(shown))


def _card(group: ExampleGroup, lines: list[tuple[str, list[Markup]]]) -> Card:
    name = f"Class {group.name}" if group.name else "All rows"
    return Card(name, f"{group.n_real:,} real rows, {group.n_small:,} distilled", lines)
