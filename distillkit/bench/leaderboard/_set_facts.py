"""Floors of distribution metrics and privacy findings, which rows hold for each distilled set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from distillkit.bench.leaderboard._entry import finite

__all__ = ["FLOOR_PARTS", "PRIVACY_COLUMNS", "floor_means", "floor_names", "privacy_columns"]

FLOOR_PARTS = ("picked", "fresh", "z")
"""The columns that a metric with a floor has: random training rows, held-out ones, z-score."""

PRIVACY_COLUMNS = ("privacy", "privacy_reasons", "exposes_originals", "starts_from_real")

_VERDICTS = ("fail", "warn", "unknown", "pass")
"""Verdicts of the privacy panel, the most severe first."""

Row = Mapping[str, Any]


def floor_names(rows: Iterable[Row]) -> set[str]:
    """Return the metrics for which any row has a floor."""
    return {name for row in rows for name in (row.get("floors") or {})}


def floor_means(rows: Iterable[Row], metric: str) -> dict[str, float | None]:
    """Return the means over distilled sets of the floors of a metric and of its z-score.

    Parameters
    ----------
    rows : iterable of mapping
        Finished rows; several rows of one distilled set have the same floors.
    metric : str

    Returns
    -------
    dict of str to float or None
        ``picked`` and ``fresh``, the metric of random training rows and of random held-out training
        rows, and ``z``, the distance of the set from the latter in their standard deviations.
    """
    found = [floors[metric] for row in rows if metric in (floors := row.get("floors") or {})]
    values = {
        "picked": [_first(floor.get("picked")) for floor in found],
        "fresh": [_first(floor.get("fresh")) for floor in found],
        "z": [finite(floor.get("z")) for floor in found],
    }
    known = {name: [value for value in several if value is not None] for name, several in values.items()}
    return {name: fmean(several) if several else None for name, several in known.items()}


def _first(pair: Any) -> float | None:
    """Return the mean of a pair of mean and standard deviation."""
    return finite(pair[0]) if isinstance(pair, list | tuple) and pair else finite(pair)


def privacy_columns(rows: Iterable[Row]) -> dict[str, Any]:
    """Return the most severe verdict over the sets, with the reasons of the first such set."""
    rows = list(rows)
    panels = [panel for row in rows if isinstance(panel := row.get("privacy"), Mapping)]
    verdicts = [str(panel.get("verdict")) for panel in panels]
    worst = next((verdict for verdict in _VERDICTS if verdict in verdicts), "")
    reasons = next((panel.get("reasons") or () for panel in panels if panel.get("verdict") == worst), ())
    return {
        "privacy": worst,
        "privacy_reasons": " ".join(map(str, reasons)),
        **{name: _any(rows, panels, name) for name in ("exposes_originals", "starts_from_real")},
    }


def _any(rows: list[Row], panels: list[Mapping[str, Any]], name: str) -> bool | None:
    """Return whether any row or its privacy panel sets a flag; None if none has it."""
    flags = [source[name] for source in (*rows, *panels) if isinstance(source.get(name), bool)]
    return any(flags) if flags else None
