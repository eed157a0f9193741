"""The rows of the small table of a panel, as the page and the view in notebooks show them."""

from __future__ import annotations

from typing import Any

from distillkit.bench.leaderboard import Panel
from distillkit.bench.reporters import _format as fmt

__all__ = ["panel_rows"]


def panel_rows(panel: Panel) -> list[dict[str, Any]]:
    """Return the rows of the small table of a panel.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    list of dict
        ``method``, ``marks``, ``reference`` and ``cells``; a cell is a dict with the texts of one
        budget, and with its ``entry`` in the leaderboard's table, which may be None.
    """
    places = fmt.score_decimals(panel)
    rows = []
    for method in (*panel.methods, *panel.references):
        cells = [_cell(panel.get(method, budget), budget, places) for budget in panel.budgets or ["-"]]
        name_marks = fmt.name_marks(panel.get(method, budget) for budget in panel.budgets or ["-"])
        rows.append({"method": method, "marks": name_marks, "reference": method in panel.references, "cells": cells})
    return rows


def _cell(entry: dict[str, Any] | None, budget: str, places: int) -> dict[str, Any]:
    has_value = entry is not None and entry["mean"] is not None
    half = fmt.half_width(entry) if entry is not None and has_value else None
    shown = fmt.fixed(entry["mean"], places) if entry is not None and has_value else fmt.missing_reason(entry)
    return {
        "entry": entry,
        "budget": budget,
        "has_value": has_value,
        "text": shown,
        "half": fmt.half_text(half, places),
        "rank": fmt.rank_text(entry) if entry is not None else "",
        "best": entry is not None and bool(entry["tied_with_best"]),
        "marks": fmt.marks(entry) if entry is not None and has_value else "",
        "done": entry["done"] if entry is not None and not entry["complete"] else "",
    }
