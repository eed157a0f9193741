"""The columns of the table of all entries on the page, and their values as numbers and texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData
from distillkit.bench.reporters import _format as fmt
from distillkit.bench.reporters._students import STUDENT_COLUMNS

__all__ = ["Column", "table_columns"]

_TIMED = ("seconds-distil", "seconds-train", "training-time-reduction")
"""Columns whose values are not comparable if cells ran side by side."""


@dataclass(frozen=True)
class Column:
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
        Whether the column is hidden unless it is chosen.
    help : str, default=""
        Explanation of the column.
    """

    key: str
    label: str
    show: Callable[[Any], str]
    numeric: bool = True
    extra: bool = False
    help: str = ""

    def value(self, entry: Mapping[str, Any]) -> Any:
        """Return the value by which entries are sorted."""
        if self.key == "half":
            return fmt.half_width(entry)
        return fmt.rank_text(entry) if self.key == "ranks" else entry[self.key]

    def text(self, entry: Mapping[str, Any]) -> str:
        """Return the text of an entry, with its marks."""
        value = self.value(entry)
        shown = self.show(value)
        if self.key == "mean":
            return shown + fmt.marks(entry)
        return f"{shown}†" if value is not None and entry["timing_shared"] and self.key in _TIMED else shown


def table_columns(leaderboard: LeaderboardData) -> list[Column]:
    """Return the columns of the table of all entries.

    Parameters
    ----------
    leaderboard : LeaderboardData
    """
    several_label_modes = leaderboard.table["label_mode"].nunique() > 1
    listed = {"rows", "bytes", "compression-rows", "compression-bytes", "seconds-distil", "seconds-train"}
    listed |= set(leaderboard.primary.values())
    known = [column for column in STUDENT_COLUMNS if column.key in leaderboard.table.columns]
    of_students = [column for column in known if leaderboard.table[column.key].notna().any()]
    of_students = [column for column in of_students if column.key not in listed]
    listed |= {column.key for column in known}

    def number(key: str, label: str, show: Callable[[Any], str] = fmt.general, *, extra: bool = False) -> Column:
        metric = leaderboard.metrics.get(key)
        explanation = fmt.COLUMN_HELP.get(key) or (metric.summary if metric else "")
        return Column(key, label, show, extra=extra, help=explanation)

    return [
        _text("dataset", "dataset"),
        _text("evaluator", "evaluator"),
        *([_text("label_mode", "labels")] if several_label_modes else []),
        _text("budget", "budget"),
        _text("method", "method"),
        _text("kind", "family", extra=True),
        number("rank", "place", _whole),
        _text("ranks", "rank"),
        _text("metric", "metric", extra=True),
        number("mean", "mean", fmt.fixed),
        number("half", "±", fmt.fixed),
        number("n", "n", _whole),
        number("n_splits", "splits", _whole, extra=True),
        _text("interval_from", "interval from", extra=True),
        number("std", "std", fmt.general, extra=True),
        number("std_evaluation", "std, evaluation", extra=True),
        number("p_vs_random", "p", fmt.pvalue),
        _text("vs_random", "vs random", extra=True),
        number("gap_to_whole", "gap to whole", _signed),
        number("rows", "rows", _whole),
        number("compression-rows", "compr.", fmt.ratio),
        number("bytes", "bytes", fmt.size),
        number("compression-bytes", "compr. bytes", fmt.ratio, extra=True),
        number("seconds-distil", "distil", fmt.duration),
        number("seconds-train", "train", fmt.duration),
        number("training-time-reduction", "time reduction", fmt.ratio),
        *(number(column.key, column.title, column.show) for column in of_students),
        number("peak_mb", "peak MB", _whole, extra=True),
        _text("privacy", "privacy"),
        _text("done", "done"),
        _text("stopped_by", "stopped by", extra=True),
        _text("statuses", "statuses", extra=True),
        _text("plugin", "plugin", extra=True),
        *(number(name, name, extra=True) for name in leaderboard.metric_columns if name not in listed),
    ]


def _text(key: str, label: str, *, extra: bool = False) -> Column:
    explanation = fmt.COLUMN_HELP.get(key, "")
    return Column(key, label, lambda value: "" if value is None else str(value), False, extra, explanation)  # noqa: FBT003


def _whole(value: Any) -> str:
    return fmt.general(value, 6)


def _signed(value: float | None) -> str:
    shown = fmt.fixed(value)
    return shown if value is None or value <= 0 else f"+{shown}"
