"""Draws distilled sets from their stored artefacts: images in a grid, and series as small plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from distillkit.bench.leaderboard import LeaderboardData
from distillkit.bench.leaderboard._panels import budget_order
from distillkit.utils._pictures import draw_rows

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["Picture", "draw_set", "first_sets", "make_pictures"]

MAX_PICTURES = 120
MAX_FILE = 64 * 2**20
"""Artefacts with more bytes are not drawn."""


@dataclass
class Picture:
    """The picture of a distilled set, or the reason why there is none.

    Parameters
    ----------
    dataset, method, budget : str
        What was distilled, with which method and to which size.
    html : Markup
        An ``<img>`` or ``<div>`` element; empty if there is no picture.
    note : str
        Which rows are shown, or why none are.
    """

    dataset: str
    method: str
    budget: str
    html: Markup
    note: str


def make_pictures(leaderboard: LeaderboardData) -> tuple[list[Picture], int]:
    """Draw the distilled sets of images and series, each for the smallest seed that has one.

    Returns
    -------
    pictures : list of Picture
        Ordered by dataset, budget and method.
    left_out : int
        Number of sets that are not drawn because there are more than `MAX_PICTURES`.
    """
    rows = first_sets(leaderboard, ("image", "series"))
    pictures = [_picture(row, leaderboard.folder) for row in rows[:MAX_PICTURES]]
    return pictures, max(0, len(rows) - MAX_PICTURES)


def first_sets(leaderboard: LeaderboardData, modalities: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return a row for each distilled set of some modalities, that of the smallest seed with a set.

    Rows are ordered by dataset, budget and method.
    """
    first: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for row in leaderboard.rows:
        if row.get("artefact") and row.get("status") == "ok" and row.get("modality") in modalities:
            key = (row["dataset"], row["budget"], row["method"])
            if key not in first or row["distil_seed"] < first[key]["distil_seed"]:
                first[key] = row
    datasets = list(dict.fromkeys(dataset for dataset, _, _ in first))
    order = sorted(first, key=lambda key: (datasets.index(key[0]), budget_order(key[1])))
    return [first[key] for key in order]


def _picture(row: Mapping[str, Any], folder: Path | None) -> Picture:
    from distillkit.distilled import DistilledSet

    path = Path(row["artefact"]) if folder is None else folder / row["artefact"]
    try:
        if path.is_file() and path.stat().st_size > MAX_FILE:
            html, note = Markup(""), f"not drawn: the file has more than {MAX_FILE // 2**20} MB"
        else:
            html, note = draw_set(DistilledSet.load(path), row["modality"])
    except Exception as exc:  # A damaged artefact must not prevent the report.
        # The report may be published, so its text does not contain the path of the results folder.
        html, note = Markup(""), f"no picture: {exc}".replace(str(path), row["artefact"])
    return Picture(row["dataset"], row["method"], row["budget"], html, f"seed {row['distil_seed']}; {note}")


def draw_set(small: DistilledSet, modality: str) -> tuple[Markup, str]:
    """Draw a distilled set.

    Parameters
    ----------
    small : DistilledSet
        Images of shape (m, channels, height, width) or (m, height, width), or series of shape
        (m, channels, time) or (m, time).
    modality : {"image", "series"}

    Returns
    -------
    html : Markup
        An HTML element.
    note : str
        Which rows are shown.

    Raises
    ------
    ValueError
        If the rows have another shape, or there are none.
    """
    return draw_rows(np.asarray(small.in_original_units()), small.y, modality)
