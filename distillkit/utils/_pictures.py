"""Pictures of images and series as HTML elements that need nothing else, without matplotlib."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from distillkit.utils._tiles import by_class, tile, to_bytes, with_channels

__all__ = ["MAX_CLASSES", "MAX_ROWS", "draw_rows", "png_text"]

MAX_CLASSES, MAX_ROWS, MAX_SERIES, MAX_POINTS = 10, 10, 5, 120

TILE = 26
"""Approximate size in pixels that small images are enlarged to, by a whole factor."""


def draw_rows(X: np.ndarray, y: np.ndarray | None, modality: str) -> tuple[Markup, str]:
    """Draw some images or series of each class.

    Parameters
    ----------
    X : ndarray
        Images of shape (m, channels, height, width) or (m, height, width), or series of shape
        (m, channels, time) or (m, time).
    y : ndarray of shape (m,) or None
        Class labels. Numbers with a fraction are no classes.
    modality : {"image", "series"}

    Returns
    -------
    html : Markup
        An ``<img>`` or ``<div>`` element.
    note : str
        Which rows are shown.

    Raises
    ------
    ValueError
        If the rows have another shape, or there are none.
    """
    X = with_channels(X, modality)
    groups = by_class(y, len(X))
    return _grid(X, groups) if modality == "image" else _lines(X, groups)


def _describe_selection(groups: Mapping[str, np.ndarray], rows: int) -> str:
    """Describe which classes are shown and how many rows of each."""
    names = list(groups)[:MAX_CLASSES]
    largest = max(len(groups[name]) for name in names)
    classes = f"classes {names[0]} to {names[-1]}" if len(names) > 1 else f"class {names[0]}"
    total = f" of {len(groups)}" if len(groups) > len(names) else ""
    return f"{classes}{total}; {f'{rows} of {largest}' if largest > rows else largest} each"


def _grid(X: np.ndarray, groups: Mapping[str, np.ndarray]) -> tuple[Markup, str]:
    """Draw images in a grid, with one column per class, or ten columns if there are no classes."""
    X, scale_note = to_bytes(X)
    if list(groups) == ["all"]:
        columns = [groups["all"][i :: min(MAX_CLASSES, len(X))][:MAX_ROWS] for i in range(min(MAX_CLASSES, len(X)))]
        note = f"{min(len(X), MAX_CLASSES * MAX_ROWS)} of {len(X)} rows"
    else:
        columns = [rows[:MAX_ROWS] for rows in list(groups.values())[:MAX_CLASSES]]
        note = _describe_selection(groups, MAX_ROWS)
    canvas = tile(X, columns, down=True)
    enlarge = max(1, round(TILE / max(X.shape[1:3])))
    size = (canvas.shape[1] * enlarge, canvas.shape[0] * enlarge)
    html = Markup('<img class="grid" width="{}" height="{}" alt="{}" src="data:image/png;base64,{}">')
    return html.format(*size, f"distilled images: {note}", png_text(canvas)), note + scale_note


def png_text(canvas: np.ndarray) -> str:
    """Return a picture of shape (height, width, 1 or 3) as the base64 text of a PNG file."""
    from PIL import Image

    image = Image.fromarray(canvas[:, :, 0] if canvas.shape[2] == 1 else canvas)
    if image.mode == "RGB":
        image = image.quantize(256)  # A palette reduces the size, with no visible loss in small images.
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _lines(X: np.ndarray, groups: Mapping[str, np.ndarray]) -> tuple[Markup, str]:
    """Draw series in one small plot per class, with its rows superimposed, all on one scale."""
    names = list(groups)[:MAX_CLASSES]
    step = -(-X.shape[2] // MAX_POINTS)
    values = X[:, 0, ::step].astype(np.float64)
    drawn = np.concatenate([groups[name][:MAX_SERIES] for name in names])
    finite = values[drawn][np.isfinite(values[drawn])]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    note = _describe_selection(groups, MAX_SERIES) + (f"; first of {X.shape[1]} channels" if X.shape[1] > 1 else "")
    plots = Markup("").join(_small_plot(name, values[groups[name][:MAX_SERIES]], low, high) for name in names)
    return Markup('<div class="series" role="img" aria-label="{}">{}</div>').format(
        f"distilled series: {note}", plots
    ), note


def _small_plot(name: str, values: np.ndarray, low: float, high: float, width: int = 118, height: int = 58) -> Markup:
    x = np.linspace(2, width - 2, values.shape[1]) if values.shape[1] > 1 else np.array([width / 2])
    y = height - 3 - (np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-12) * (height - 6)
    lines = Markup("").join(
        Markup('<polyline points="{}"/>').format(" ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, row, strict=True)))
        for row in y
    )
    box = Markup('<svg viewBox="0 0 {w} {h}" width="{w}" height="{h}">{lines}</svg>').format(
        w=width, h=height, lines=lines
    )
    return Markup("<div>{}<span>{}</span></div>").format(box, name)
