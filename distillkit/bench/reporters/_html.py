"""Writes the leaderboard as one self-contained HTML page, which loads nothing from elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from distillkit.bench.leaderboard import LeaderboardData, Panel
from distillkit.bench.leaderboard._panels import to_records
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters._chart import COLORS, chart
from distillkit.bench.reporters._curves import make_curves
from distillkit.bench.reporters._pictures import make_pictures
from distillkit.bench.reporters._sections import SECTIONS, overall_columns, win_table
from distillkit.bench.reporters._students import LEGEND, STUDENT_COLUMNS, student_columns_of
from distillkit.bench.reporters._summary import failure_groups, matched_published, skipped_groups

__all__ = ["panel_rows", "render_html", "write"]

HERE = Path(__file__).parent


def write(leaderboard: LeaderboardData, folder: Path) -> list[Path]:
    """Write ``leaderboard.html``, a page that needs no other file.

    Parameters
    ----------
    leaderboard : LeaderboardData
    folder : Path
        Created if it does not exist.

    Returns
    -------
    list of Path
        The file written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "leaderboard.html"
    path.write_text(render_html(leaderboard), encoding="utf-8", errors="backslashreplace")
    return [path]


def render_html(leaderboard: LeaderboardData) -> str:
    """Return the page as text, with escaped texts and inline pictures.

    Parameters
    ----------
    leaderboard : LeaderboardData
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    panels = leaderboard.panels()
    colors = _assign_colors(panels)
    pictures, pictures_left = make_pictures(leaderboard)
    curves, curves_left = make_curves(leaderboard, colors)
    return environment.get_template("report.html.j2").render(
        board=leaderboard,
        progress=fmt.progress(leaderboard),
        panels=[
            {
                "panel": panel,
                "chart": chart(panel, colors),
                "table": panel_rows(panel),
                "columns": [panel.metric]
                if panel.of_students
                else [fmt.budget_title(panel, budget) for budget in panel.budgets or ["-"]],
                "student_columns": student_columns_of(panel),
            }
            for panel in panels
        ],
        student_legend=LEGEND,
        colors={name: number % COLORS for name, number in colors.items()},
        columns=_columns(leaderboard),
        entries=[{**entry, "ranks": fmt.rank_text(entry)} for entry in to_records(leaderboard.table)],
        choices=_choices(leaderboard),
        overall=[(overall, overall_columns(overall), win_table(overall)) for overall in leaderboard.overall],
        sections=[(section, tables) for section in SECTIONS if (tables := section.tables(leaderboard))],
        pictures=_by_dataset_and_budget(pictures),
        pictures_left=pictures_left,
        curves={dataset: list(groups) for dataset, groups in itertools.groupby(curves, lambda group: group.dataset)},
        curves_left=curves_left,
        matched=matched_published(leaderboard),
        not_run=[result for result in to_records(leaderboard.published) if result["evaluator"] is None],
        failures=failure_groups(leaderboard),
        failed_cells=to_records(leaderboard.failures),
        skipped=skipped_groups(leaderboard),
        environments={key: _flatten(value) for key, value in leaderboard.environments.items()},
        period=_period(leaderboard),
        fmt=fmt,
    )


def _assign_colors(panels: list[Panel]) -> dict[str, int]:
    """Return a number for each method, which is the same on the whole page, references last."""
    methods = sorted({name for panel in panels for name in panel.methods})
    references = sorted({name for panel in panels for name in panel.references} - set(methods))
    return {name: number for number, name in enumerate([*methods, *references])}


@dataclass(frozen=True)
class _Column:
    """A column of the full table.

    Parameters
    ----------
    key, label : str
        Column of the leaderboard's table, and its heading on the page.
    show : callable
        Formats a value as text.
    numeric : bool, default=True
        Whether the column is aligned to the right and sorted by number.
    extra : bool, default=False
        Whether the column is hidden unless all columns are shown.
    help : str, default=""
        Explanation of the column.
    """

    key: str
    label: str
    show: Callable[[Any], str]
    numeric: bool = True
    extra: bool = False
    help: str = ""


def _columns(leaderboard: LeaderboardData) -> list[_Column]:
    def text(key: str, label: str, *, extra: bool = False) -> _Column:
        return _Column(
            key,
            label,
            lambda value: "" if value is None else str(value),
            numeric=False,
            extra=extra,
            help=fmt.COLUMN_HELP.get(key, ""),
        )

    def number(key: str, label: str, show: Callable[[Any], str] = fmt.general, *, extra: bool = False) -> _Column:
        metric = leaderboard.metrics.get(key)
        explanation = fmt.COLUMN_HELP.get(key) or (metric.summary if metric else "")
        return _Column(key, label, show, extra=extra, help=explanation)

    def whole(value: Any) -> str:
        return fmt.general(value, 6)

    several_label_modes = leaderboard.table["label_mode"].nunique() > 1
    listed = {
        "rows",
        "bytes",
        "compression-rows",
        "compression-bytes",
        "seconds-distil",
        "seconds-train",
        *leaderboard.primary.values(),
    }
    known = [column for column in STUDENT_COLUMNS if column.key in leaderboard.table.columns]
    student_columns = [
        column for column in known if leaderboard.table[column.key].notna().any() and column.key not in listed
    ]
    listed |= {column.key for column in known}
    return [
        text("dataset", "dataset"),
        text("evaluator", "evaluator"),
        *([text("label_mode", "labels")] if several_label_modes else []),
        text("budget", "budget"),
        text("method", "method"),
        text("kind", "kind", extra=True),
        number("rank", "place", whole),
        text("ranks", "rank"),
        text("metric", "metric", extra=True),
        number("mean", "mean", fmt.fixed),
        number("half", "±", fmt.fixed),
        number("n", "n", whole),
        number("n_splits", "splits", whole, extra=True),
        text("interval_from", "interval from", extra=True),
        number("std", "std", fmt.general, extra=True),
        number("std_evaluation", "std, evaluation", extra=True),
        number("p_vs_random", "p", fmt.pvalue),
        text("vs_random", "vs random", extra=True),
        number("gap_to_whole", "gap to whole", _signed),
        number("rows", "rows", whole),
        number("compression-rows", "compr.", fmt.ratio),
        number("bytes", "bytes", fmt.size),
        number("compression-bytes", "compr. bytes", fmt.ratio, extra=True),
        number("seconds-distil", "distil", fmt.duration),
        number("seconds-train", "train", fmt.duration),
        number("training-time-reduction", "time reduction", fmt.ratio),
        *(number(column.key, column.title, column.show) for column in student_columns),
        number("peak_mb", "peak MB", whole, extra=True),
        text("done", "done"),
        text("stopped_by", "stopped by", extra=True),
        text("statuses", "statuses", extra=True),
        text("plugin", "plugin", extra=True),
        *(number(name, name, extra=True) for name in leaderboard.metric_columns if name not in listed),
    ]


def _signed(value: float | None) -> str:
    text = fmt.fixed(value)
    return text if value is None or value <= 0 else f"+{text}"


def _choices(leaderboard: LeaderboardData) -> dict[str, list[str]]:
    """Return the values by which the table can be filtered, by column."""
    names = ("dataset", "evaluator", "budget", "kind")
    return {name: [str(value) for value in dict.fromkeys(leaderboard.table[name])] for name in names}


def panel_rows(panel: Panel) -> list[dict[str, Any]]:
    """Return the rows of the small table of a panel."""
    places = fmt.score_decimals(panel)
    rows = []
    for method in (*panel.methods, *panel.references):
        cells = []
        for budget in panel.budgets or ["-"]:
            entry = panel.get(method, budget)
            has_value = entry is not None and entry["mean"] is not None
            half = fmt.half_width(entry) if entry is not None and has_value else None
            cells.append(
                {
                    "has_value": has_value,
                    "text": fmt.fixed(entry["mean"], places)
                    if entry is not None and has_value
                    else fmt.missing_reason(entry),
                    "half": fmt.half_text(half, places),
                    "rank": fmt.rank_text(entry) if entry is not None else "",
                    "best": entry is not None and bool(entry["tied_with_best"]),
                    "marks": fmt.marks(entry) if entry is not None and has_value else "",
                    "done": entry["done"] if entry is not None and not entry["complete"] else "",
                }
            )
        name_marks = fmt.name_marks(panel.get(method, budget) for budget in panel.budgets or ["-"])
        rows.append({"method": method, "marks": name_marks, "reference": method in panel.references, "cells": cells})
    return rows


def _by_dataset_and_budget(pictures: list[Any]) -> dict[str, dict[str, list[Any]]]:
    grouped: dict[str, dict[str, list[Any]]] = {}
    for picture in pictures:
        grouped.setdefault(picture.dataset, {}).setdefault(picture.budget, []).append(picture)
    return grouped


def _flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested mappings as a single one from joined names to texts."""
    flat: dict[str, str] = {}
    for name, item in value.items():
        if isinstance(item, Mapping):
            flat |= _flatten(item, f"{prefix}{name}: ")
        else:
            flat[f"{prefix}{name}"] = (
                ", ".join(map(str, item)) or "none" if isinstance(item, list | tuple) else str(item)
            )
    return flat


def _period(leaderboard: LeaderboardData) -> str:
    """Return the dates of the first and the last cell that ran, as text."""
    started = sorted(str(row["started"]) for row in leaderboard.rows if row.get("started"))
    if not started:
        return ""
    return started[0][:10] if started[0][:10] == started[-1][:10] else f"{started[0][:10]} to {started[-1][:10]}"
