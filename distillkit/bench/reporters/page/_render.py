"""Fills the template of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from distillkit.bench.leaderboard import LeaderboardData, Panel
from distillkit.bench.leaderboard._panels import to_records
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters._headline import headlines
from distillkit.bench.reporters._panel_rows import panel_rows
from distillkit.bench.reporters._pictures import make_pictures
from distillkit.bench.reporters._sections import SECTIONS, overall_columns, win_table
from distillkit.bench.reporters._students import LEGEND, student_columns_of
from distillkit.bench.reporters._summary import failure_groups, matched_published, skipped_groups
from distillkit.bench.reporters.page._columns import table_columns
from distillkit.bench.reporters.page._curves import CurvePlot, make_curves
from distillkit.bench.reporters.page._details import entry_details
from distillkit.bench.reporters.page._library import HINT, packed, packed_library
from distillkit.bench.reporters.page._payload import Key, entry_keys, page_payload
from distillkit.bench.reporters.page._tables import make_table_rows

__all__ = ["render_page"]

SCRIPTS = (
    "unpack.js",
    "state.js",
    "filters.js",
    "results.js",
    "table.js",
    "ranks.js",
    "charts.js",
    "specs.js",
    "drawer.js",
    "page.js",
)
"""The scripts of the page, in the order in which they are run."""


def render_page(leaderboard: LeaderboardData) -> str:
    """Return the page of a leaderboard, which needs no other file.

    Parameters
    ----------
    leaderboard : LeaderboardData

    Returns
    -------
    str
        HTML. Everything that can be read is there without scripts but charts, filters, the table of
        all entries and the drawer, whose data are packed (zlib, base64) to keep the page small.
    """
    panels = leaderboard.panels()
    entries = to_records(leaderboard.table)
    columns = table_columns(leaderboard)
    pictures, pictures_left = make_pictures(leaderboard)
    payload = page_payload(leaderboard, panels, entries, columns)
    curves, curves_left = make_curves(leaderboard)
    drawer, notes = _drawer(leaderboard, entries, curves)
    notes += [f"{curves_left} more plots are not drawn to keep this page small."] if curves_left else []
    places = entry_keys(entries)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            board=leaderboard,
            headlines=headlines(leaderboard),
            progress=fmt.progress(leaderboard),
            panels=[_panel(panel, place, places) for place, panel in enumerate(panels)],
            student_legend=LEGEND,
            methods={method["name"]: method for method in payload["methods"]},
            choices=_choices(leaderboard, payload),
            columns=columns,
            overall=[(overall, overall_columns(overall), win_table(overall)) for overall in leaderboard.overall],
            sections=[(section, tables) for section in SECTIONS if (tables := section.tables(leaderboard))],
            pictures=_by_dataset_and_budget(pictures),
            pictures_left=pictures_left,
            curves=_by_dataset(curves, entries),
            notes=notes,
            matched=matched_published(leaderboard),
            not_run=[result for result in to_records(leaderboard.published) if result["evaluator"] is None],
            failures=failure_groups(leaderboard),
            failed_cells=to_records(leaderboard.failures),
            skipped=skipped_groups(leaderboard),
            environments=drawer["environments"],
            period=_period(leaderboard),
            payload=packed(_json(payload)),
            drawer=packed(_json(drawer)),
            library=packed_library(),
            hint=HINT,
            scripts=SCRIPTS,
            fmt=fmt,
        )
    )


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _panel(panel: Panel, place: int, places: Mapping[Key, int]) -> dict[str, Any]:
    """Return a panel with the texts of its table; each cell knows the place of its entry."""
    rows = panel_rows(panel)
    for row in rows:
        for cell in row["cells"]:
            entry = cell.pop("entry")
            known = None if entry is None else (panel.dataset, panel.evaluator, panel.label_mode, entry["method"])
            cell["place"] = None if known is None or entry is None else places[(*known, entry["budget"])]
    heads = [panel.metric] if panel.of_students else [fmt.budget_title(panel, each) for each in panel.budgets or ["-"]]
    return {
        "panel": panel,
        "place": place,
        "table": rows,
        "columns": list(zip(panel.budgets or ["-"], heads, strict=True)),
        "student_columns": student_columns_of(panel),
    }


def _choices(leaderboard: LeaderboardData, payload: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the filters with their labels and values; one value alone leaves nothing to choose."""
    table = leaderboard.table
    budgets = list(dict.fromkeys(b for panel in payload["panels"] for b in panel["budgets"]))
    splits = sorted({int(split) for entry in payload["entries"] for split in entry["splits"]})
    labels = {"hard": "hard labels", "soft": "soft labels", "any": "students"}
    return {
        "dataset": _choice("Data set", list(dict.fromkeys(table["dataset"]))),
        "budget": _choice("Budget", budgets, fmt.budget_text),
        "labels": _choice("Labels", list(dict.fromkeys(table["label_mode"])), lambda name: labels.get(name, name)),
        "evaluator": _choice("Evaluator", list(dict.fromkeys(table["evaluator"]))),
        "split": _choice(
            "Split", [str(split) for split in splits], lambda split: f"split {split} alone", "mean of all"
        ),
        "family": _choice("Family", list(dict.fromkeys(str(kind) for kind in table["kind"]))),
    }


def _choice(label: str, values: Sequence[str], show: Any = str, every: str = "all") -> dict[str, Any]:
    return {"label": label, "every": every, "values": [(value, show(value)) for value in values]}


def _drawer(
    leaderboard: LeaderboardData, entries: Sequence[Mapping[str, Any]], curves: Sequence[CurvePlot]
) -> tuple[dict[str, Any], list[str]]:
    """Return what the drawer shows, and notes on what was left out to keep the page small."""
    tables, tables_left = make_table_rows(leaderboard)
    notes = [f"The rows of {tables_left} more tables are not shown to keep this page small."] if tables_left else []
    details = entry_details(leaderboard, entries)
    return {**details, "curves": [plot.as_json() for plot in curves], "tables": tables}, notes


def _by_dataset(curves: Sequence[CurvePlot], entries: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the plots by dataset, each with the place of the first entry that it belongs to."""
    places: dict[tuple[str, str, str], int] = {}
    for place, entry in enumerate(entries):
        places.setdefault((entry["dataset"], entry["method"], entry["budget"]), place)
    grouped: dict[str, list[dict[str, Any]]] = {}
    for plot in curves:
        place = places[plot.dataset, plot.method, plot.budget]
        grouped.setdefault(plot.dataset, []).append({"plot": plot, "place": place})
    return grouped


def _by_dataset_and_budget(pictures: list[Any]) -> dict[str, dict[str, list[Any]]]:
    grouped: dict[str, dict[str, list[Any]]] = {}
    for picture in pictures:
        grouped.setdefault(picture.dataset, {}).setdefault(picture.budget, []).append(picture)
    return grouped


def _period(leaderboard: LeaderboardData) -> str:
    """Return the dates of the first and the last cell that ran, as text."""
    started = sorted(str(row["started"]) for row in leaderboard.rows if row.get("started"))
    if not started:
        return ""
    return started[0][:10] if started[0][:10] == started[-1][:10] else f"{started[0][:10]} to {started[-1][:10]}"
