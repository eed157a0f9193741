"""The leaderboard as text: one table per dataset and evaluator, methods against budgets."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from distillkit.bench.leaderboard import Leaderboard, Overall, Panel
from distillkit.bench.leaderboard._panels import records
from distillkit.bench.reporters import _format as f
from distillkit.bench.reporters._students import LEGEND, student_figures
from distillkit.bench.reporters._summary import failure_lines, matched_published, skipped_lines

__all__ = ["render_terminal", "write"]

WIDTH = 100
MAX_LINES = 12
_NAME = 24  # longer names of methods fold
_SCORE, _COSTS = 19, 26  # columns that a budget takes, and that rows, distil and training take together


def write(leaderboard: Leaderboard, folder: Path) -> list[Path]:
    """Write ``leaderboard.txt``, at most 100 columns wide.

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
    path = folder / "leaderboard.txt"
    text = io.StringIO()
    render_terminal(
        leaderboard, Console(file=text, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    )
    lines = [line.rstrip() for line in text.getvalue().splitlines()]  # tables are padded to their width
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [path]


def render_terminal(leaderboard: Leaderboard, console: Console) -> None:
    """Print a leaderboard.

    Parameters
    ----------
    leaderboard : Leaderboard
    console : rich.console.Console
        Used as it is; tables are laid out for 100 columns and fold in narrower ones.
    """
    console.print(Text(leaderboard.title, style="bold"))
    if leaderboard.description:
        console.print(Text(leaderboard.description))
    console.print(Text(f.progress(leaderboard), style="dim"))
    panels = leaderboard.panels()
    for panel in panels:
        _print_panel(panel, console)
    for overall in leaderboard.overall:
        _print_overall(overall, console)
    _print_published(leaderboard, console)
    _print_failures(leaderboard, console)
    _print_skipped(leaderboard, console)
    _print_legend(leaderboard, panels, console)


def _print_panel(panel: Panel, console: Console) -> None:
    better = "" if panel.greater_is_better else ", less is better"
    console.print()
    console.print(
        Text(panel.title, style="bold cyan"), Text(f"  {panel.task}, {panel.metric}{better}", style="dim"), sep=""
    )
    name = min(_NAME, max(len(method) for method in (*panel.methods, *panel.references)))
    if panel.of_students:
        console.print(_student_table(panel, name))
        return
    at_a_time = max(1, (WIDTH - name - _COSTS) // _SCORE)
    chunks = [panel.budgets[i : i + at_a_time] for i in range(0, len(panel.budgets), at_a_time)] or [[]]
    for chunk in chunks:
        console.print(_panel_table(panel, chunk, name, costs=chunk is chunks[-1]))


def _panel_table(panel: Panel, budgets: list[str], name_width: int, *, costs: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("method", overflow="fold", width=name_width)
    for budget in budgets or ["-"]:
        table.add_column(_budget_title(panel, budget), justify="right", no_wrap=len(budget) < 16)
    shared = "†" if any(entry["timing_shared"] for entry in panel.entries.values()) else ""
    for name in ("rows", f"distil{shared}", f"train{shared}") if costs else ():
        table.add_column(name, justify="right", style="dim", no_wrap=True)
    places = f.wide(panel)
    for method in (*panel.methods, *panel.references):
        cells = [_cell(panel, method, budget, places) for budget in budgets or ["-"]]
        largest = panel.get(method, budgets[-1] if budgets else "-")
        more = (
            [f.general(None if largest is None else largest["rows"], 6), _seconds(largest), _reduction(largest)]
            if costs
            else []
        )
        label = Text(method, style="dim italic" if method in panel.references else "")
        table.add_row(label, *cells, *more, end_section=bool(panel.references) and method == _last(panel.methods))
    return table


def _student_table(panel: Panel, name_width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("method", overflow="fold", width=name_width)
    table.add_column(panel.metric, justify="right")
    figures, places = student_figures(panel), f.wide(panel)
    shared = "†" if any(entry["timing_shared"] for entry in panel.entries.values()) else ""
    for figure in figures:
        title = figure.title + (shared if figure.timed else "")
        table.add_column(title, justify="right", style="dim", no_wrap=True)
    for method in (*panel.methods, *panel.references):
        texts = [figure.text(panel.get(method, "-") or {}) for figure in figures]
        label = Text(method, style="dim italic" if method in panel.references else "")
        last = bool(panel.references) and method == _last(panel.methods)
        table.add_row(label, _cell(panel, method, "-", places), *texts, end_section=last)
    return table


def _last(names: list[str]) -> str | None:
    return names[-1] if names else None


def _budget_title(panel: Panel, budget: str) -> str:
    if budget == "-":
        return "fixed size"
    unit = "a class" if panel.task == "classification" and budget.isdigit() else "rows" if budget.isdigit() else ""
    return f"{budget} {unit}".strip()


def _seconds(entry: dict[str, Any] | None) -> str:
    return f.NOTHING if entry is None else f.duration(entry["seconds-distil"])


def _reduction(entry: dict[str, Any] | None) -> str:
    """Return how many times shorter training is than on the whole set; without the whole set, how long it takes."""
    if entry is None:
        return f.NOTHING
    reduction = entry["training-time-reduction"]
    return f.duration(entry["seconds-train"]) if reduction is None else f.ratio(reduction)


def _cell(panel: Panel, method: str, budget: str, places: int) -> Text:
    entry = panel.get(method, budget)
    if entry is None or entry["mean"] is None:
        return Text(f.no_value(entry), style="red" if entry is not None else "dim")
    if method in panel.references:
        return Text(f.score(entry, places) + f"{f.marks(entry):<1}", style="dim italic")
    best = entry["rank"] == 1
    rank = "" if entry["rank"] is None else f"#{entry['rank']} "
    return Text(rank + f.score(entry, places) + f"{f.marks(entry):<1}", style="bold green" if best else "")


def _print_overall(overall: Overall, console: Console) -> None:
    console.print()
    console.print(Text(overall.title, style="bold cyan"))
    if len(overall.table):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for name in ("method", "average rank", "first in"):
            table.add_column(name, justify="left" if name == "method" else "right")
        for line in records(overall.table):
            table.add_row(
                Text(line["method"]), f.fixed(line["average_rank"], 2), f"{line['firsts']}/{overall.n_comparisons}"
            )
        console.print(table)
    left_out = ", ".join(f"{name} ({count})" for name, count in overall.left_out.items())
    if left_out:
        console.print(Text(f"Left out, not complete in all (comparisons complete): {left_out}", style="dim"))
    console.print(Text(overall.verdict))


def _print_published(leaderboard: Leaderboard, console: Console) -> None:
    found = matched_published(leaderboard)
    if not found:
        return
    console.print()
    console.print(Text("Published figures beside measured ones", style="bold cyan"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("dataset", "budget", "method", "measured by", "published by", "verdict"):
        table.add_column(name, overflow="fold")
    for line in found[:MAX_LINES]:
        published = f"{f.fixed(line['published'])} {line['published_evaluator']}"
        table.add_row(
            *map(
                Text,
                (line["dataset"], line["budget"], line["line_method"], line["measured_by"], published, line["verdict"]),
            )
        )
    console.print(table)
    if len(found) > MAX_LINES:
        console.print(
            Text(f"… and {len(found) - MAX_LINES} more: see leaderboard.md or leaderboard.html.", style="dim")
        )


def _print_failures(leaderboard: Leaderboard, console: Console) -> None:
    lines = failure_lines(leaderboard)
    if lines:
        console.print()
        console.print(Text(f"Failures: {len(leaderboard.failures)} cells", style="bold red"))
    for line in lines[:MAX_LINES]:
        what = f"{line['method']} on {line['dataset']} (budget {', '.join(line['budgets'])}): {line['cells']} {line['status']}"
        phase = f" in {line['phase']}" if line["phase"] else ""
        console.print(Padding(Text(what + phase + (f": {line['error']}" if line["error"] else "")), (0, 0, 0, 2)))
    _print_more(lines, console)


def _print_skipped(leaderboard: Leaderboard, console: Console) -> None:
    lines = skipped_lines(leaderboard)
    if lines:
        console.print()
        console.print(Text(f"Skipped: {leaderboard.n_skipped} cells", style="bold"))
    for line in lines[:MAX_LINES]:
        text = f"{line['method']} on {line['dataset']} ({line['cells']}): {line['reason']}"
        console.print(Padding(Text(text, style="dim"), (0, 0, 0, 2)))
    _print_more(lines, console)


def _print_more(lines: list[dict[str, Any]], console: Console) -> None:
    if len(lines) > MAX_LINES:
        console.print(Text(f"  … and {len(lines) - MAX_LINES} more kinds.", style="dim"))


def _print_legend(leaderboard: Leaderboard, panels: list[Panel], console: Console) -> None:
    used = {mark for panel in panels for entry in panel.entries.values() for mark in f.marks(entry)}
    used |= {"†"} if leaderboard.timing_shared else set()
    console.print()
    lines = ["#1 is the best of its column; ± is half the 95 % interval over distillation seeds."]
    lines += [f"{mark} {meaning}" for mark, meaning in f.MARKS.items() if mark in used]
    if any(panel.references for panel in panels):
        lines.append("Below the rule: references of fixed size, the same in every column, without rank.")
    if not all(panel.of_students for panel in panels):
        lines.append(
            "rows, distil, train: at the largest budget; 20x = training is 20 times shorter than on the whole set."
        )
    if any(panel.of_students for panel in panels):
        lines.append(LEGEND)
    for line in lines:
        console.print(Text(line, style="dim"))
