"""The leaderboard as Markdown that diffs well: fixed order and rounding, no time stamps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from distillkit.bench.leaderboard import Leaderboard, Overall, Panel
from distillkit.bench.leaderboard._panels import records
from distillkit.bench.reporters import _format as f
from distillkit.bench.reporters._students import LEGEND, student_figures
from distillkit.bench.reporters._summary import failure_lines, matched_published, skipped_lines

__all__ = ["write"]


def write(leaderboard: Leaderboard, folder: Path) -> list[Path]:
    """Write ``leaderboard.md``; equal rows give equal bytes, whenever and wherever it is written.

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
    path = folder / "leaderboard.md"
    path.write_text("\n".join(_lines(leaderboard)) + "\n", encoding="utf-8")
    return [path]


def _lines(leaderboard: Leaderboard) -> Iterator[str]:
    yield from (f"# {_text(leaderboard.title)}", "")
    if leaderboard.description:
        yield from (_text(leaderboard.description), "")
    yield from (f"{f.progress(leaderboard)}.", "")
    panels = leaderboard.panels()
    for panel in panels:
        yield from _panel(panel)
    for overall in leaderboard.overall:
        yield from _overall(overall)
    yield from _published(leaderboard)
    yield from _failures(leaderboard)
    yield from _skipped(leaderboard)
    yield from _how_to_read(leaderboard, panels)


def _text(value: Any) -> str:
    """Return text that stays text inside a Markdown table."""
    text = " ".join(str(value).split())
    for plain in ("\\", "|", "<", ">", "*", "_", "`", "[", "]", "#"):
        text = text.replace(plain, "\\" + plain)
    return text


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> Iterator[str]:
    """Write a table, its first `left` columns to the left and numbers to the right; cells are Markdown already."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(['---'] * left + ['---:'] * (len(head) - left))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _panel(panel: Panel) -> Iterator[str]:
    better = "more is better" if panel.greater_is_better else "less is better"
    yield from (f"## {_text(panel.title)}", "", f"{panel.task}, {_text(panel.metric)} ({better})", "")
    if panel.of_students:
        yield from _students(panel)
        return
    budgets, places = panel.budgets or ["-"], f.wide(panel)
    names = (*panel.methods, *panel.references)
    yield from _table(
        ["method", *(_text(budget) for budget in budgets)],
        ([_name(panel, name), *(_cell(panel, name, budget, places) for budget in budgets)] for name in names),
    )
    shared = "†" if any(entry["timing_shared"] for entry in panel.entries.values()) else ""
    head = [
        "method",
        "budget",
        "rows",
        "compression",
        "bytes",
        f"distil{shared}",
        f"train{shared}",
        "training shorter",
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
    yield from _table(head, (_costs(entry) for entry in entries), left=2)


def _students(panel: Panel) -> Iterator[str]:
    figures, places = student_figures(panel), f.wide(panel)
    shared = "†" if any(entry["timing_shared"] for entry in panel.entries.values()) else ""
    titles = [figure.title + (shared if figure.timed else "") for figure in figures]
    lines = []
    for name in (*panel.methods, *panel.references):
        entry = panel.entries[name, "-"]
        numbers = (figure.text(entry) for figure in figures)
        end = (
            entry["done"],
            f.pvalue(entry["p_vs_random"]).replace("<", "\\<"),
            _text(entry["stopped_by"]) or f.NOTHING,
        )
        lines.append([_name(panel, name), _cell(panel, name, "-", places), *numbers, *end])
    yield from _table(["method", _text(panel.metric), *titles, "done", "p", "stopped by"], lines)


def _name(panel: Panel, method: str) -> str:
    return f"*{_text(method)}*" if method in panel.references else _text(method)


def _cell(panel: Panel, method: str, budget: str, places: int) -> str:
    entry = panel.get(method, budget)
    if entry is None or entry["mean"] is None:
        return f.no_value(entry)
    text = f"{f.score(entry, places)}{_text(f.marks(entry))}"
    if entry["rank"] is None:
        return f"*{text}*"
    return f"**{text}** #1" if entry["rank"] == 1 else f"{text} #{entry['rank']}"


def _costs(entry: dict[str, Any]) -> list[str]:
    return [
        _text(entry["method"]),
        _text(entry["budget"]),
        f.general(entry["rows"], 6),
        f.ratio(entry["compression-rows"]),
        f.size(entry["bytes"]),
        f.duration(entry["seconds-distil"]),
        f.duration(entry["seconds-train"]),
        f.ratio(entry["training-time-reduction"]),
        entry["done"],
        f.pvalue(entry["p_vs_random"]).replace("<", "\\<"),
        _text(entry["stopped_by"]) or f.NOTHING,
    ]


def _overall(overall: Overall) -> Iterator[str]:
    yield from (f"## {_text(overall.title)}", "")
    rows = (
        [_text(line["method"]), f.fixed(line["average_rank"], 2), f"{line['firsts']}/{overall.n_comparisons}"]
        for line in records(overall.table)
    )
    if len(overall.table):
        yield from _table(["method", "average rank", "first in"], rows)
    if overall.left_out:
        names = ", ".join(f"{_text(name)} ({count})" for name, count in overall.left_out.items())
        yield from (f"Left out, not complete in all (comparisons complete): {names}.", "")
    yield from (_text(overall.verdict), "")


def _published(leaderboard: Leaderboard) -> Iterator[str]:
    found = matched_published(leaderboard)
    if not found:
        return
    yield from ("## Published figures beside measured ones", "")
    yield from _table(
        ["dataset", "budget", "method", "measured", "published", "verdict", "published protocol", "source"],
        ([_text(cell) for cell in _published_cells(line)] for line in found),
        left=8,
    )


def _published_cells(line: dict[str, Any]) -> list[str]:
    std = "" if line["published_std"] is None else f" (std {f.fixed(line['published_std'])})"
    published = f"{f.fixed(line['published'])}{std} {line['published_evaluator']}"
    return [
        line["dataset"], line["budget"], line["line_method"], line["measured_by"], published, line["verdict"], line["protocol"], line["source"],
    ]  # fmt: skip


def _failures(leaderboard: Leaderboard) -> Iterator[str]:
    lines = failure_lines(leaderboard)
    if lines:
        yield from (f"## Failures: {len(leaderboard.failures)} cells", "")
        head = ["method", "dataset", "budgets", "evaluators", "cells", "status", "phase", "error"]
        yield from _table(head, ([_text(cell) for cell in _failure_cells(line)] for line in lines), left=8)


def _failure_cells(line: dict[str, Any]) -> list[str]:
    return [
        line["method"], line["dataset"], ", ".join(line["budgets"]), ", ".join(line["evaluators"]), line["cells"], line["status"],
        line["phase"] or f.NOTHING, line["error"] or f.NOTHING,
    ]  # fmt: skip


def _skipped(leaderboard: Leaderboard) -> Iterator[str]:
    lines = skipped_lines(leaderboard)
    if lines:
        yield from (f"## Skipped: {leaderboard.n_skipped} cells", "")
        cells = (
            [_text(cell) for cell in (line["method"], line["dataset"], line["cells"], line["reason"])] for line in lines
        )
        yield from _table(["method", "dataset", "cells", "reason"], cells, left=4)


def _how_to_read(leaderboard: Leaderboard, panels: list[Panel]) -> Iterator[str]:
    yield from ("## How to read this", "", _text(f.PROTOCOL), "")
    yield "- #1 is the best of its column; ± is half the 95 % interval over distillation seeds."
    if any(panel.references for panel in panels):
        yield "- Methods in italics are references of fixed size, the same in every column, without rank."
    if any(panel.of_students for panel in panels):
        yield f"- {_text(LEGEND)}"
    yield from (f"- {_text(mark)} {_text(meaning)}" for mark, meaning in f.MARKS.items())
    versions: dict[str, Any] = {}
    for environment in leaderboard.environments.values():
        for name, version in environment.get("versions", {}).items():
            versions.setdefault(name, []).append(version)
    if versions:
        made = ", ".join(f"{name} {' and '.join(dict.fromkeys(found))}" for name, found in sorted(versions.items()))
        yield f"- Made with {_text(made)}."
