"""The leaderboard as one self-contained page: no network, no fonts or scripts from elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from distillkit.bench.leaderboard import Leaderboard, Panel
from distillkit.bench.leaderboard._panels import records
from distillkit.bench.reporters import _format as f
from distillkit.bench.reporters._chart import COLOURS, chart
from distillkit.bench.reporters._curves import make_curves
from distillkit.bench.reporters._pictures import make_pictures
from distillkit.bench.reporters._students import FIGURES, LEGEND, student_figures
from distillkit.bench.reporters._summary import failure_lines, matched_published, skipped_lines

__all__ = ["render_html", "write"]

HERE = Path(__file__).parent


def write(leaderboard: Leaderboard, folder: Path) -> list[Path]:
    """Write ``leaderboard.html``, a page that works from disk without any other file.

    Parameters
    ----------
    leaderboard : Leaderboard
    folder : Path
        Made if it is not there.

    Returns
    -------
    list of Path
        The file written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "leaderboard.html"
    path.write_text(render_html(leaderboard), encoding="utf-8")
    return [path]


def render_html(leaderboard: Leaderboard) -> str:
    """Return the page; all text is escaped, pictures are inline.

    Parameters
    ----------
    leaderboard : Leaderboard
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    panels = leaderboard.panels()
    colours = _colours(panels)
    pictures, pictures_left = make_pictures(leaderboard)
    curves, curves_left = make_curves(leaderboard, colours)
    return environment.get_template("report.html.j2").render(
        board=leaderboard,
        progress=f.progress(leaderboard),
        panels=[
            {
                "panel": panel,
                "chart": chart(panel, colours),
                "table": _panel_rows(panel),
                "columns": [panel.metric] if panel.of_students else panel.budgets or ["fixed size"],
                "figures": student_figures(panel),
            }
            for panel in panels
        ],
        student_legend=LEGEND,
        colours={name: number % COLOURS for name, number in colours.items()},
        columns=_columns(leaderboard),
        lines=records(leaderboard.table),
        choices=_choices(leaderboard),
        overall=[(overall, records(overall.table)) for overall in leaderboard.overall],
        pictures=_by_dataset_and_budget(pictures),
        pictures_left=pictures_left,
        curves={dataset: list(groups) for dataset, groups in itertools.groupby(curves, lambda group: group.dataset)},
        curves_left=curves_left,
        matched=matched_published(leaderboard),
        not_run=[figure for figure in records(leaderboard.published) if figure["evaluator"] is None],
        failures=failure_lines(leaderboard),
        failed_cells=records(leaderboard.failures),
        skipped=skipped_lines(leaderboard),
        environments={key: _flatten(value) for key, value in leaderboard.environments.items()},
        period=_period(leaderboard),
        f=f,
    )


def _colours(panels: list[Panel]) -> dict[str, int]:
    """Number the methods, those that are drawn as lines first; a method keeps its number on the whole page."""
    drawn = sorted({name for panel in panels for name in panel.methods})
    others = sorted({name for panel in panels for name in panel.references} - set(drawn))
    return {name: number for number, name in enumerate([*drawn, *others])}


@dataclass(frozen=True)
class _Column:
    """A column of the full table: how a line's value reads, and what it is sorted by."""

    key: str
    label: str
    show: Callable[[Any], str]
    numeric: bool = True
    extra: bool = False
    help: str = ""


def _columns(leaderboard: Leaderboard) -> list[_Column]:
    def text(key: str, label: str, *, extra: bool = False) -> _Column:
        return _Column(
            key,
            label,
            lambda value: "" if value is None else str(value),
            numeric=False,
            extra=extra,
            help=f.COLUMN_HELP.get(key, ""),
        )

    def number(key: str, label: str, show: Callable[[Any], str] = f.general, *, extra: bool = False) -> _Column:
        known = leaderboard.metrics.get(key)
        return _Column(key, label, show, extra=extra, help=f.COLUMN_HELP.get(key) or (known.summary if known else ""))

    def whole(value: Any) -> str:
        return f.general(value, 6)

    several = leaderboard.table["label_mode"].nunique() > 1
    shown = {
        "rows",
        "bytes",
        "compression-rows",
        "compression-bytes",
        "seconds-distil",
        "seconds-train",
        *leaderboard.primary.values(),
    }
    students = [figure for figure in FIGURES if figure.key in leaderboard.table.columns and figure.key not in shown]
    shown |= {figure.key for figure in students}
    return [
        text("dataset", "dataset"), text("evaluator", "evaluator"), *([text("label_mode", "labels")] if several else []),
        text("budget", "budget"), text("method", "method"), text("kind", "kind", extra=True), number("rank", "rank", whole),
        text("metric", "metric", extra=True), number("mean", "mean", f.fixed), number("half", "±", f.fixed), number("n", "n", whole),
        number("std", "std", f.general, extra=True), number("std_evaluation", "std, evaluation", extra=True),
        number("p_vs_random", "p", f.pvalue), text("vs_random", "vs random", extra=True), number("gap_to_whole", "to whole", _signed),
        number("rows", "rows", whole), number("compression-rows", "compr.", f.ratio), number("bytes", "bytes", f.size),
        number("compression-bytes", "compr. bytes", f.ratio, extra=True), number("seconds-distil", "distil", f.duration),
        number("seconds-train", "train", f.duration), number("training-time-reduction", "shorter", f.ratio),
        *(number(figure.key, figure.title, figure.show) for figure in students),
        number("peak_mb", "peak MB", whole, extra=True), text("done", "done"), text("stopped_by", "stopped by", extra=True),
        text("statuses", "statuses", extra=True), text("plugin", "plugin", extra=True),
        *(number(name, name, extra=True) for name in leaderboard.metric_columns if name not in shown),
    ]  # fmt: skip


def _signed(value: float | None) -> str:
    text = f.fixed(value)
    return text if value is None or value <= 0 else f"+{text}"


def _choices(leaderboard: Leaderboard) -> dict[str, list[str]]:
    """Return the values that the table can be narrowed to."""
    names = ("dataset", "evaluator", "budget", "kind")
    return {name: [str(value) for value in dict.fromkeys(leaderboard.table[name])] for name in names}


def _panel_rows(panel: Panel) -> list[dict[str, Any]]:
    """Return the lines of a panel's small table."""
    places = f.wide(panel)
    rows = []
    for method in (*panel.methods, *panel.references):
        cells = []
        for budget in panel.budgets or ["-"]:
            entry = panel.get(method, budget)
            there = entry is not None and entry["mean"] is not None
            half = f.half_width(entry) if entry is not None and there else None
            cells.append(
                {
                    "there": there,
                    "text": f.fixed(entry["mean"], places) if entry is not None and there else f.no_value(entry),
                    "half": "" if half is None else f"±{f.fixed(half, places)}",
                    "rank": entry["rank"] if entry is not None else None,
                    "marks": f.marks(entry) if entry is not None and there else "",
                    "done": entry["done"] if entry is not None and not entry["complete"] else "",
                }
            )
        rows.append({"method": method, "reference": method in panel.references, "cells": cells})
    return rows


def _by_dataset_and_budget(pictures: list[Any]) -> dict[str, dict[str, list[Any]]]:
    grouped: dict[str, dict[str, list[Any]]] = {}
    for picture in pictures:
        grouped.setdefault(picture.dataset, {}).setdefault(picture.budget, []).append(picture)
    return grouped


def _flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested settings as one level of names and texts."""
    flat: dict[str, str] = {}
    for name, item in value.items():
        if isinstance(item, Mapping):
            flat |= _flatten(item, f"{prefix}{name}: ")
        else:
            flat[f"{prefix}{name}"] = (
                ", ".join(map(str, item)) or "none" if isinstance(item, list | tuple) else str(item)
            )
    return flat


def _period(leaderboard: Leaderboard) -> str:
    """Say when the cells ran: of the rows, not of the report."""
    started = sorted(str(row["started"]) for row in leaderboard.rows if row.get("started"))
    if not started:
        return ""
    return started[0][:10] if started[0][:10] == started[-1][:10] else f"{started[0][:10]} to {started[-1][:10]}"
