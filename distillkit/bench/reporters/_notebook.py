"""The view of a leaderboard in a notebook: tables of scores without scripts or files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from distillkit.bench.leaderboard import LeaderboardData, Panel
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters._panel_rows import panel_rows
from distillkit.bench.reporters._students import student_columns_of
from distillkit.bench.reporters._summary import failure_groups, skipped_groups

__all__ = ["render_notebook"]

_STYLE = Markup("""<style>
.distillkit-board {max-width: 70em}
.distillkit-board table {border-collapse: collapse; margin: .3em 0 1em}
.distillkit-board caption {text-align: left; font-weight: bold; padding: .2em 0}
.distillkit-board th, .distillkit-board td {text-align: right; padding: .15em .9em .15em 0; white-space: nowrap}
.distillkit-board th:first-child {text-align: left; font-weight: normal}
.distillkit-board thead th {border-bottom: 1px solid currentColor; font-weight: bold}
.distillkit-board .best {font-weight: bold}
.distillkit-board .quiet {opacity: .7}
.distillkit-board .scroll {overflow-x: auto}
</style>""")


def render_notebook(leaderboard: LeaderboardData) -> str:
    """Return the scores of a leaderboard as an HTML element.

    Colors are those of the notebook, so that the view suits a dark one as well.

    Parameters
    ----------
    leaderboard : LeaderboardData
    """
    panels = leaderboard.panels()
    parts = [
        Markup("<p><strong>{}</strong> <span class='quiet'>{}</span></p>").format(
            leaderboard.title, fmt.progress(leaderboard)
        ),
        *(Markup("<p>{}</p>").format(note) for note in leaderboard.notes),
        *map(_panel, panels),
        *_left_out(leaderboard),
        _legend(panels),
    ]
    return str(Markup('<div class="distillkit-board">{}{}</div>').format(_STYLE, Markup("").join(parts)))


def _panel(panel: Panel) -> Markup:
    direction = "" if panel.greater_is_better else ", lower is better"
    caption = Markup("{} <span class='quiet'>{}, {}{}</span>").format(
        panel.title, panel.described_task, panel.metric, direction
    )
    students = student_columns_of(panel) if panel.of_students else []
    budgets = (
        [panel.metric] if panel.of_students else [fmt.budget_title(panel, each) for each in panel.budgets or ["-"]]
    )
    head = Markup("").join(
        Markup("<th scope='col'>{}</th>").format(name)
        for name in (
            "method",
            *budgets,
            *(column.title for column in students),
            *(() if students else ("rows", "distil")),
        )
    )
    rows = Markup("").join(_row(panel, row, students) for row in panel_rows(panel))
    notes = Markup("<p class='quiet'>{}</p>").format(" ".join(panel.notes)) if panel.notes else ""
    table = Markup("<table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>")
    return Markup("<div class='scroll'>{}</div>{}").format(table.format(caption, head, rows), notes)


def _row(panel: Panel, row: dict[str, Any], students: list[Any]) -> Markup:
    cells = Markup("").join(
        Markup("<td class='{}'>{} {} {}{}</td>").format(
            "best" if cell["best"] else "", cell["rank"], cell["text"], cell["half"], cell["marks"]
        )
        for cell in row["cells"]
    )
    entry = panel.get(row["method"], panel.budgets[-1] if panel.budgets else "-") or {}
    costs = (
        [column.text(entry) for column in students]
        if students
        else [fmt.general(entry.get("rows"), 6), fmt.duration(entry.get("seconds-distil"))]
    )
    further = Markup("").join(Markup("<td class='quiet'>{}</td>").format(text) for text in costs)
    name = Markup("<th scope='row'>{}{}</th>").format(row["method"], row["marks"])
    return Markup("<tr class='{}'>{}{}{}</tr>").format("quiet" if row["reference"] else "", name, cells, further)


def _left_out(leaderboard: LeaderboardData) -> Iterator[Markup]:
    """Yield a line for each group of cells that failed or were skipped."""
    for group in failure_groups(leaderboard):
        yield Markup("<p>{} on {}: {}, {}</p>").format(
            group["method"], group["dataset"], group["status"], group["error"] or "no message"
        )
    for group in skipped_groups(leaderboard):
        yield Markup("<p class='quiet'>{} on {}: skipped, {}</p>").format(
            group["method"], group["dataset"], group["reason"]
        )


def _legend(panels: list[Panel]) -> Markup:
    entries = [entry for panel in panels for entry in panel.entries.values()]
    used = {mark for entry in entries for mark in fmt.marks(entry)} | {
        mark for entry in entries for mark in fmt.name_marks([entry])
    }
    lines = [fmt.RANKS, *(f"{mark} {meaning}" for mark, meaning in fmt.MARKS.items() if mark in used)]
    text = Markup("<br>").join(lines)
    return Markup("<details class='quiet'><summary>How to read this</summary>{}</details>").format(text)
