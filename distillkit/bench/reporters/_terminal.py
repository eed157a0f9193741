"""Writes the leaderboard as plain text, with one table per dataset and evaluator."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from distillkit.bench.leaderboard import LeaderboardData, Overall, Panel
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters._sections import SECTIONS, SectionTable, overall_columns
from distillkit.bench.reporters._students import LEGEND, student_columns_of
from distillkit.bench.reporters._summary import failure_groups, matched_published, skipped_groups

__all__ = ["render_scores", "render_terminal", "render_text", "write"]

WIDTH = 100
MAX_LINES = 12
_NAME = 24
"""Largest width of the column of methods; longer names are folded."""

_SCORE, _COSTS = 22, 26
"""Width of the column of one budget, and total width of the columns rows, distil and train."""


def write(leaderboard: LeaderboardData, folder: Path) -> list[Path]:
    """Write ``leaderboard.txt``, which is at most 100 columns wide.

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
    path = folder / "leaderboard.txt"
    path.write_text(render_text(leaderboard), encoding="utf-8", errors="backslashreplace")
    return [path]


def render_text(leaderboard: LeaderboardData) -> str:
    """Return the leaderboard as plain text, at most 100 columns wide.

    Parameters
    ----------
    leaderboard : LeaderboardData
    """
    return _as_text(lambda console: render_terminal(leaderboard, console))


def render_scores(leaderboard: LeaderboardData) -> str:
    """Return the tables of scores alone, as plain text.

    Parameters
    ----------
    leaderboard : LeaderboardData
    """

    def render(console: Console) -> None:
        _print_head(leaderboard, console)
        for panel in leaderboard.panels():
            _print_panel(panel, console)

    return _as_text(render)


def _as_text(render: Callable[[Console], None]) -> str:
    text = io.StringIO()
    plain: dict[str, Any] = {
        "color_system": None,
        "force_terminal": False,
        "force_jupyter": False,
        "legacy_windows": False,
    }
    render(Console(file=text, width=WIDTH, **plain))  # In a notebook, others would show what they print.
    lines = [line.rstrip() for line in text.getvalue().splitlines()]  # Tables are padded with spaces.
    return "\n".join(lines) + "\n"


def render_terminal(leaderboard: LeaderboardData, console: Console) -> None:
    """Print a leaderboard.

    Parameters
    ----------
    leaderboard : LeaderboardData
    console : rich.console.Console
        Where to print. Tables are laid out for 100 columns and folded in narrower consoles.
    """
    _print_head(leaderboard, console)
    panels = leaderboard.panels()
    for panel in panels:
        _print_panel(panel, console)
    for overall in leaderboard.overall:
        _print_overall(overall, console)
    _print_sections(leaderboard, console)
    _print_published(leaderboard, console)
    _print_failures(leaderboard, console)
    _print_skipped(leaderboard, console)
    _print_legend(leaderboard, panels, console)


def _print_head(leaderboard: LeaderboardData, console: Console) -> None:
    console.print(Text(leaderboard.title, style="bold"))
    if leaderboard.description:
        console.print(Text(leaderboard.description))
    console.print(Text(fmt.progress(leaderboard), style="dim"))
    for note in leaderboard.notes:
        console.print(Text(note, style="yellow"))


def _print_panel(panel: Panel, console: Console) -> None:
    direction = "" if panel.greater_is_better else ", lower is better"
    console.print()
    console.print(
        Text(panel.title, style="bold cyan"),
        Text(f"  {panel.described_task}, {panel.metric}{direction}", style="dim"),
        sep="",
    )
    for note in panel.notes:
        console.print(Text(note, style="dim"))
    names = (*panel.methods, *panel.references)
    name_width = min(_NAME, max(len(method + _name_marks(panel, method)) for method in names))
    if panel.of_students:
        console.print(_student_table(panel, name_width))
        return
    # Budgets that do not fit into one table go into several; the last one also has the costs.
    n_columns = max(1, (WIDTH - name_width - _COSTS) // _SCORE)
    chunks = [panel.budgets[i : i + n_columns] for i in range(0, len(panel.budgets), n_columns)] or [[]]
    for chunk in chunks:
        console.print(_panel_table(panel, chunk, name_width, costs=chunk is chunks[-1]))


def _panel_table(panel: Panel, budgets: list[str], name_width: int, *, costs: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("method", overflow="fold", width=name_width)
    for budget in budgets or ["-"]:
        table.add_column(fmt.budget_title(panel, budget), justify="right", no_wrap=len(budget) < 16)
    shared = "†" if any(entry["timing_shared"] for entry in panel.entries.values()) else ""
    for name in ("rows", f"distil{shared}", f"train{shared}") if costs else ():
        table.add_column(name, justify="right", style="dim", no_wrap=True)
    places = fmt.score_decimals(panel)
    for method in (*panel.methods, *panel.references):
        cells = [_cell(panel, method, budget, places) for budget in budgets or ["-"]]
        largest = panel.get(method, budgets[-1] if budgets else "-")
        cost_cells = (
            [fmt.general(None if largest is None else largest["rows"], 6), _seconds(largest), _reduction(largest)]
            if costs
            else []
        )
        label = Text(method + _name_marks(panel, method), style="dim italic" if method in panel.references else "")
        last = bool(panel.references) and method == _last(panel.methods)
        table.add_row(label, *cells, *cost_cells, end_section=last)
    return table


def _student_table(panel: Panel, name_width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("method", overflow="fold", width=name_width)
    table.add_column(panel.metric, justify="right")
    columns, places = student_columns_of(panel), fmt.score_decimals(panel)
    shared = "†" if any(entry["timing_shared"] for entry in panel.entries.values()) else ""
    for column in columns:
        title = column.title + (shared if column.timed else "")
        table.add_column(title, justify="right", style="dim", no_wrap=True)
    for method in (*panel.methods, *panel.references):
        texts = [column.text(panel.get(method, "-") or {}) for column in columns]
        label = Text(method + _name_marks(panel, method), style="dim italic" if method in panel.references else "")
        last = bool(panel.references) and method == _last(panel.methods)
        table.add_row(label, _cell(panel, method, "-", places), *texts, end_section=last)
    return table


def _name_marks(panel: Panel, method: str) -> str:
    return fmt.name_marks(panel.get(method, budget) for budget in panel.budgets or ["-"])


def _last(names: list[str]) -> str | None:
    return names[-1] if names else None


def _seconds(entry: dict[str, Any] | None) -> str:
    return fmt.NO_VALUE if entry is None else fmt.duration(entry["seconds-distil"])


def _reduction(entry: dict[str, Any] | None) -> str:
    """Return the reduction of the training time, or without the whole set the training time."""
    if entry is None:
        return fmt.NO_VALUE
    reduction = entry["training-time-reduction"]
    return fmt.duration(entry["seconds-train"]) if reduction is None else fmt.ratio(reduction)


def _cell(panel: Panel, method: str, budget: str, places: int) -> Text:
    entry = panel.get(method, budget)
    if entry is None or entry["mean"] is None:
        return Text(fmt.missing_reason(entry), style="red" if entry is not None else "dim")
    if method in panel.references:
        return Text(fmt.score(entry, places) + f"{fmt.marks(entry):<1}", style="dim italic")
    text = f"{fmt.rank_text(entry)} {fmt.score(entry, places)}{fmt.marks(entry):<1}"
    return Text(text, style="bold green" if entry["tied_with_best"] else "")


def _print_overall(overall: Overall, console: Console) -> None:
    console.print()
    console.print(Text(overall.title, style="bold cyan"))
    if len(overall.table):
        _print_table(overall_columns(overall), console)
    left_out = ", ".join(f"{name} ({count})" for name, count in overall.left_out.items())
    if left_out:
        reason = "Left out because not complete in every comparison (number of complete ones)"
        console.print(Text(f"{reason}: {left_out}", style="dim"))
    console.print(Text(overall.verdict))


def _print_table(section: SectionTable, console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, name in enumerate(section.head):
        table.add_column(name, justify="left" if place < section.left else "right", overflow="fold")
    for row in section.rows[:MAX_LINES]:
        table.add_row(*map(Text, row))
    console.print(table)


def _print_sections(leaderboard: LeaderboardData, console: Console) -> None:
    """Print the first table of each further section, and where the others are."""
    for section in SECTIONS:
        tables = section.tables(leaderboard)
        if not tables:
            continue
        console.print()
        console.print(Text(section.title, style="bold cyan"), Text(f"  {tables[0].title}", style="dim"), sep="")
        first = tables[0]
        shown = first.head[: first.short]
        _print_table(SectionTable("", shown, [row[: len(shown)] for row in first.rows], first.left), console)
        if len(tables) > 1 or len(first.rows) > MAX_LINES or len(first.head) > len(shown):
            console.print(Text("  … more in leaderboard.md or leaderboard.html.", style="dim"))


def _print_published(leaderboard: LeaderboardData, console: Console) -> None:
    matches = matched_published(leaderboard)
    if not matches:
        return
    console.print()
    console.print(Text("Published and measured results", style="bold cyan"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("dataset", "budget", "method", "measured by", "published by", "verdict"):
        table.add_column(name, overflow="fold")
    for match in matches[:MAX_LINES]:
        published = f"{fmt.fixed(match['published'])} {match['published_evaluator']}"
        names = (match["dataset"], match["budget"], match["line_method"])
        table.add_row(*map(Text, (*names, match["measured_by"], published, match["verdict"])))
    console.print(table)
    if len(matches) > MAX_LINES:
        console.print(
            Text(f"… and {len(matches) - MAX_LINES} more: see leaderboard.md or leaderboard.html.", style="dim")
        )


def _print_failures(leaderboard: LeaderboardData, console: Console) -> None:
    groups = failure_groups(leaderboard)
    if groups:
        console.print()
        console.print(Text(f"Failures: {len(leaderboard.failures)} cells", style="bold red"))
    for group in groups[:MAX_LINES]:
        cells = f"{group['method']} on {group['dataset']} (budget {', '.join(group['budgets'])}): {group['cells']}"
        phase = f" in {group['phase']}" if group["phase"] else ""
        error = f": {group['error']}" if group["error"] else ""
        console.print(Padding(Text(f"{cells} {group['status']}{phase}{error}"), (0, 0, 0, 2)))
    _print_omitted(groups, console)


def _print_skipped(leaderboard: LeaderboardData, console: Console) -> None:
    groups = skipped_groups(leaderboard)
    if groups:
        console.print()
        console.print(Text(f"Skipped: {leaderboard.n_skipped} cells", style="bold"))
    for group in groups[:MAX_LINES]:
        text = f"{group['method']} on {group['dataset']} ({group['cells']}): {group['reason']}"
        console.print(Padding(Text(text, style="dim"), (0, 0, 0, 2)))
    _print_omitted(groups, console)


def _print_omitted(groups: list[dict[str, Any]], console: Console) -> None:
    """Print how many groups were left out, if any."""
    if len(groups) > MAX_LINES:
        console.print(Text(f"  … and {len(groups) - MAX_LINES} more groups of cells.", style="dim"))


def _print_legend(leaderboard: LeaderboardData, panels: list[Panel], console: Console) -> None:
    """Explain the marks and columns that occur in the tables."""
    used = {mark for panel in panels for entry in panel.entries.values() for mark in fmt.marks(entry)}
    used |= {mark for panel in panels for entry in panel.entries.values() for mark in fmt.name_marks([entry])}
    used |= {"†"} if leaderboard.timing_shared else set()
    console.print()
    lines = [fmt.RANKS]
    lines += [f"{mark} {meaning}" for mark, meaning in fmt.MARKS.items() if mark in used]
    if any(panel.references for panel in panels):
        lines.append("Below the rule: references of fixed size, the same in every column and without a rank.")
    if not all(panel.of_students for panel in panels):
        lines.append(
            "rows, distil, train: at the largest budget. distil is the time of the distillation; train is the "
            "training time, or how many times shorter it is than on the whole set (20x)."
        )
    if any(panel.of_students for panel in panels):
        lines.append(LEGEND)
    for line in lines:
        console.print(Text(line, style="dim"))
