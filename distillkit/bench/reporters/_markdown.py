"""Writes the leaderboard as Markdown in a fixed order and without time stamps, for clean diffs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData, Overall, Panel
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters._sections import SECTIONS, SectionTable, overall_columns, win_table
from distillkit.bench.reporters._students import LEGEND, student_columns_of
from distillkit.bench.reporters._summary import failure_groups, matched_published, skipped_groups

__all__ = ["render_markdown", "write"]


def write(leaderboard: LeaderboardData, folder: Path) -> list[Path]:
    """Write ``leaderboard.md``; equal rows give an identical file.

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
    path = folder / "leaderboard.md"
    path.write_text(render_markdown(leaderboard), encoding="utf-8", errors="backslashreplace")
    return [path]


def render_markdown(leaderboard: LeaderboardData) -> str:
    """Return the leaderboard as Markdown.

    Parameters
    ----------
    leaderboard : LeaderboardData
    """
    return "\n".join(_lines(leaderboard)) + "\n"


def _lines(leaderboard: LeaderboardData) -> Iterator[str]:
    yield from (f"# {_text(leaderboard.title)}", "")
    if leaderboard.description:
        yield from (_text(leaderboard.description), "")
    yield from (f"{fmt.progress(leaderboard)}.", "")
    if leaderboard.notes:
        yield from (_text(" ".join(leaderboard.notes)), "")
    panels = leaderboard.panels()
    for panel in panels:
        yield from _panel(panel)
    for overall in leaderboard.overall:
        yield from _overall(overall)
    for section in SECTIONS:
        yield from _sections(section.title, section.words, section.tables(leaderboard))
    yield from _published(leaderboard)
    yield from _failures(leaderboard)
    yield from _skipped(leaderboard)
    yield from _how_to_read(leaderboard, panels)


def _text(value: Any) -> str:
    """Return a value as text with the special characters of Markdown escaped."""
    text = " ".join(str(value).split())
    for character in ("\\", "|", "<", ">", "*", "_", "`", "[", "]", "#"):
        text = text.replace(character, "\\" + character)
    return text


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> Iterator[str]:
    """Yield the lines of a Markdown table; all but the first `left` columns are right-aligned."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(['---'] * left + ['---:'] * (len(head) - left))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _panel(panel: Panel) -> Iterator[str]:
    """Yield the scores of a panel and a table of its costs."""
    direction = "higher is better" if panel.greater_is_better else "lower is better"
    yield from (
        f"## {_text(panel.title)}",
        "",
        f"{_text(panel.described_task)}, {_text(panel.metric)} ({direction}). {_text(' '.join(panel.notes))}".rstrip(),
        "",
    )
    if panel.of_students:
        yield from _students(panel)
        return
    budgets, places = panel.budgets or ["-"], fmt.score_decimals(panel)
    names = (*panel.methods, *panel.references)
    yield from _table(
        ["method", *(_text(fmt.budget_title(panel, budget)) for budget in budgets)],
        ([_name(panel, name), *(_cell(panel, name, budget, places) for budget in budgets)] for name in names),
    )
    shared = "†" if any(entry["timing_shared"] for entry in panel.entries.values()) else ""
    header = [
        "method",
        "budget",
        "rows",
        "compression",
        "bytes",
        f"distil{shared}",
        f"train{shared}",
        "training time reduction",
        "done",
        "p",
        "stopped by",
    ]
    entries = (
        entry
        for name in names
        for budget in (*panel.budgets, "-")
        if (entry := panel.entries.get((name, budget))) is not None
    )
    yield from _table(header, (_costs(entry) for entry in entries), left=2)


def _students(panel: Panel) -> Iterator[str]:
    """Yield the table of a panel of students."""
    columns, places = student_columns_of(panel), fmt.score_decimals(panel)
    shared = "†" if any(entry["timing_shared"] for entry in panel.entries.values()) else ""
    titles = [column.title + (shared if column.timed else "") for column in columns]
    rows = []
    for name in (*panel.methods, *panel.references):
        entry = panel.entries[name, "-"]
        numbers = (column.text(entry) for column in columns)
        last_cells = (
            entry["done"],
            fmt.pvalue(entry["p_vs_random"]).replace("<", "\\<"),
            _text(entry["stopped_by"]) or fmt.NO_VALUE,
        )
        rows.append([_name(panel, name), _cell(panel, name, "-", places), *numbers, *last_cells])
    yield from _table(["method", _text(panel.metric), *titles, "done", "p", "stopped by"], rows)


def _name(panel: Panel, method: str) -> str:
    marks = _text(fmt.name_marks(panel.get(method, budget) for budget in panel.budgets or ["-"]))
    return f"*{_text(method)}*{marks}" if method in panel.references else f"{_text(method)}{marks}"


def _cell(panel: Panel, method: str, budget: str, places: int) -> str:
    entry = panel.get(method, budget)
    if entry is None or entry["mean"] is None:
        return fmt.missing_reason(entry)
    text = f"{fmt.score(entry, places)}{_text(fmt.marks(entry))}"
    if entry["rank"] is None:
        return f"*{text}*"
    return f"**{text}** {fmt.rank_text(entry)}" if entry["tied_with_best"] else f"{text} {fmt.rank_text(entry)}"


def _costs(entry: dict[str, Any]) -> list[str]:
    return [
        _text(entry["method"]),
        _text(entry["budget"]),
        fmt.general(entry["rows"], 6),
        fmt.ratio(entry["compression-rows"]),
        fmt.size(entry["bytes"]),
        fmt.duration(entry["seconds-distil"]),
        fmt.duration(entry["seconds-train"]),
        fmt.ratio(entry["training-time-reduction"]),
        entry["done"],
        fmt.pvalue(entry["p_vs_random"]).replace("<", "\\<"),
        _text(entry["stopped_by"]) or fmt.NO_VALUE,
    ]


def _overall(overall: Overall) -> Iterator[str]:
    yield from (f"## {_text(overall.title)}", "")
    if len(overall.table):
        yield from _section(overall_columns(overall))
    if overall.left_out:
        names = ", ".join(f"{_text(name)} ({count})" for name, count in overall.left_out.items())
        yield from (f"Left out because not complete in every comparison (number of complete ones): {names}.", "")
    yield from (_text(overall.verdict), "")
    if len(overall.wins) > 1:
        yield from _section(win_table(overall))


def _section(table: SectionTable) -> Iterator[str]:
    """Yield a table whose cells are texts, with its title."""
    if table.title:
        yield from (f"### {_text(table.title)}", "")
    rows = ([_text(cell) for cell in row] for row in table.rows)
    yield from _table([_text(name) for name in table.head], rows, left=table.left)


def _sections(title: str, words: str, tables: Sequence[SectionTable]) -> Iterator[str]:
    if tables:
        yield from (f"## {title}", "", _text(words), "")
        for table in tables:
            yield from _section(table)


def _published(leaderboard: LeaderboardData) -> Iterator[str]:
    matches = matched_published(leaderboard)
    if not matches:
        return
    yield from ("## Published and measured results", "")
    yield from _table(
        ["dataset", "budget", "method", "measured", "published", "verdict", "published protocol", "source"],
        ([_text(cell) for cell in _published_cells(match)] for match in matches),
        left=8,
    )


def _published_cells(match: dict[str, Any]) -> list[str]:
    std = "" if match["published_std"] is None else f" (std {fmt.fixed(match['published_std'])})"
    published = f"{fmt.fixed(match['published'])}{std} {match['published_evaluator']}"
    return [
        match["dataset"],
        match["budget"],
        match["line_method"],
        match["measured_by"],
        published,
        match["verdict"],
        match["protocol"],
        match["source"],
    ]


def _failures(leaderboard: LeaderboardData) -> Iterator[str]:
    groups = failure_groups(leaderboard)
    if groups:
        yield from (f"## Failures: {len(leaderboard.failures)} cells", "")
        header = ["method", "dataset", "budgets", "evaluators", "cells", "status", "phase", "error"]
        yield from _table(header, ([_text(cell) for cell in _failure_cells(group)] for group in groups), left=8)


def _failure_cells(group: dict[str, Any]) -> list[str]:
    return [
        group["method"],
        group["dataset"],
        ", ".join(group["budgets"]),
        ", ".join(group["evaluators"]),
        group["cells"],
        group["status"],
        group["phase"] or fmt.NO_VALUE,
        group["error"] or fmt.NO_VALUE,
    ]


def _skipped(leaderboard: LeaderboardData) -> Iterator[str]:
    groups = skipped_groups(leaderboard)
    if groups:
        yield from (f"## Skipped: {leaderboard.n_skipped} cells", "")
        cells = (
            [_text(cell) for cell in (group["method"], group["dataset"], group["cells"], group["reason"])]
            for group in groups
        )
        yield from _table(["method", "dataset", "cells", "reason"], cells, left=4)


def _how_to_read(leaderboard: LeaderboardData, panels: list[Panel]) -> Iterator[str]:
    yield from ("## How to read this", "", _text(fmt.PROTOCOL), "")
    yield f"- {_text(fmt.RANKS)}"
    if any(panel.references for panel in panels):
        yield "- Methods in italics are references of fixed size; they are the same in every column and have no rank."
    if any(panel.of_students for panel in panels):
        yield f"- {_text(LEGEND)}"
    yield from (f"- {_text(mark)} {_text(meaning)}" for mark, meaning in fmt.MARKS.items())
    versions: dict[str, Any] = {}
    for environment in leaderboard.environments.values():
        for name, version in environment.get("versions", {}).items():
            versions.setdefault(name, []).append(version)
    if versions:
        packages = ", ".join(f"{name} {' and '.join(dict.fromkeys(used))}" for name, used in sorted(versions.items()))
        yield f"- Versions: {_text(packages)}."
