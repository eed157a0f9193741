"""Distilled sets as pictures: images in a grid, series as small plots, straight from the stored artefacts."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from distillkit.bench.leaderboard import Leaderboard
from distillkit.bench.leaderboard._panels import budget_order
from distillkit.plotting._tiles import by_class, tile, to_bytes, with_channels

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["Picture", "draw_set", "make_pictures"]

MAX_CLASSES, MAX_ROWS, MAX_SERIES, MAX_POINTS = 10, 10, 5, 120
MAX_PICTURES = 120
MAX_FILE = 64 * 2**20
"""Artefacts of more bytes are not opened for a picture."""

TILE = 26
"""Pixels on the screen that a small image is enlarged to, at least half and at most 1.5 times."""


@dataclass
class Picture:
    """A drawn set, or why there is none.

    Parameters
    ----------
    dataset, method, budget : str
    html : Markup
        An ``<img>`` or ``<svg>`` element; empty where there is none.
    note : str
        What is shown of the set, or why nothing is.
    """

    dataset: str
    method: str
    budget: str
    html: Markup
    note: str


def make_pictures(leaderboard: Leaderboard) -> tuple[list[Picture], int]:
    """Draw the distilled sets of images and series of the first distillation seed that has one.

    Returns
    -------
    pictures : list of Picture
        By dataset, budget and method, in the order of the leaderboard.
    left_out : int
        Sets not drawn because there are more than `MAX_PICTURES`.
    """
    first: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for row in leaderboard.rows:
        if row.get("artefact") and row.get("status") == "ok" and row.get("modality") in ("image", "series"):
            key = (row["dataset"], row["budget"], row["method"])
            if key not in first or row["distil_seed"] < first[key]["distil_seed"]:
                first[key] = row
    datasets = list(dict.fromkeys(dataset for dataset, _, _ in first))
    order = sorted(first, key=lambda key: (datasets.index(key[0]), budget_order(key[1])))
    pictures = [_picture(first[key], leaderboard.folder) for key in order[:MAX_PICTURES]]
    return pictures, max(0, len(order) - MAX_PICTURES)


def _picture(row: Mapping[str, Any], folder: Path | None) -> Picture:
    from distillkit.distilled import DistilledSet

    path = Path(row["artefact"]) if folder is None else folder / row["artefact"]
    try:
        if path.is_file() and path.stat().st_size > MAX_FILE:
            html, note = Markup(""), f"not drawn: the file has more than {MAX_FILE // 2**20} MB"
        else:
            html, note = draw_set(DistilledSet.load(path), row["modality"])
    except Exception as exc:  # a damaged artefact costs its picture, never the report
        html, note = Markup(""), f"no picture: {exc}".replace(str(path), row["artefact"])  # not where the results lie
    return Picture(row["dataset"], row["method"], row["budget"], html, f"seed {row['distil_seed']}; {note}")


def draw_set(small: DistilledSet, modality: str) -> tuple[Markup, str]:
    """Draw a set.

    Parameters
    ----------
    small : DistilledSet
        Images (m, channels, height, width) or (m, height, width), series (m, channels, time) or (m, time).
    modality : {"image", "series"}

    Returns
    -------
    html : Markup
    note : str
        What is shown.

    Raises
    ------
    ValueError
        If the rows have another shape, or none is there.
    """
    X = with_channels(np.asarray(small.in_original_units()), modality)
    groups = by_class(small.y, len(X))
    return _grid(X, groups) if modality == "image" else _lines(X, groups)


def _shown(groups: Mapping[str, np.ndarray], rows: int) -> str:
    names = list(groups)[:MAX_CLASSES]
    most = max(len(groups[name]) for name in names)
    classes = f"classes {names[0]} to {names[-1]}" if len(names) > 1 else f"class {names[0]}"
    more = f" of {len(groups)}" if len(groups) > len(names) else ""
    return f"{classes}{more}; {f'{rows} of {most}' if most > rows else most} each"


def _grid(X: np.ndarray, groups: Mapping[str, np.ndarray]) -> tuple[Markup, str]:
    """Draw images: one column per class, or rows of ten where there are no classes."""
    X, scale_note = to_bytes(X)
    if list(groups) == ["all"]:
        columns = [groups["all"][i :: min(MAX_CLASSES, len(X))][:MAX_ROWS] for i in range(min(MAX_CLASSES, len(X)))]
        note = f"{min(len(X), MAX_CLASSES * MAX_ROWS)} of {len(X)} rows"
    else:
        columns = [rows[:MAX_ROWS] for rows in list(groups.values())[:MAX_CLASSES]]
        note = _shown(groups, MAX_ROWS)
    canvas = tile(X, columns, down=True)
    enlarge = max(1, round(TILE / max(X.shape[1:3])))
    size = (canvas.shape[1] * enlarge, canvas.shape[0] * enlarge)
    html = Markup('<img class="grid" width="{}" height="{}" alt="{}" src="data:image/png;base64,{}">')
    return html.format(*size, f"distilled images: {note}", _png(canvas)), note + scale_note


def _png(canvas: np.ndarray) -> str:
    from PIL import Image

    image = Image.fromarray(canvas[:, :, 0] if canvas.shape[2] == 1 else canvas)
    if image.mode == "RGB":
        image = image.quantize(256)  # a third of the bytes, and the eye does not see it at this size
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _lines(X: np.ndarray, groups: Mapping[str, np.ndarray]) -> tuple[Markup, str]:
    """Draw series: one small plot per class, its rows over each other, all on one scale."""
    names = list(groups)[:MAX_CLASSES]
    step = -(-X.shape[2] // MAX_POINTS)
    values = X[:, 0, ::step].astype(np.float64)
    shown = np.concatenate([groups[name][:MAX_SERIES] for name in names])
    low, high = float(np.nanmin(values[shown])), float(np.nanmax(values[shown]))
    note = _shown(groups, MAX_SERIES) + (f"; first of {X.shape[1]} channels" if X.shape[1] > 1 else "")
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
