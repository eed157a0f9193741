"""Formats numbers as text, and holds the explanations, so that all reports use the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData, Panel
from distillkit.bench.reporters._explanations import COLUMN_HELP, MARKS, PROTOCOL, RANKS

__all__ = [
    "COLUMN_HELP",
    "MARKS",
    "NO_VALUE",
    "PROTOCOL",
    "RANKS",
    "budget_text",
    "budget_title",
    "decimals",
    "duration",
    "fixed",
    "general",
    "half_text",
    "half_width",
    "marks",
    "missing_reason",
    "name_marks",
    "progress",
    "pvalue",
    "rank_text",
    "ratio",
    "score",
    "score_decimals",
    "size",
]

NO_VALUE = "—"
"""Shown in place of a missing number."""


def budget_text(budget: str) -> str:
    """Return a budget as users write it: a share in percent, and the others as they are."""
    try:
        share = float(budget)
    except ValueError:
        return budget
    return f"{100 * share:.6g}%" if 0 < share < 1 else budget


def budget_title(panel: Panel, budget: str) -> str:
    """Return the heading of the column of a budget, with its unit."""
    if budget == "-":
        return "fixed size"
    if budget.isdigit():
        return f"{budget} {'a class' if panel.task == 'classification' else 'rows'}"
    return budget_text(budget)


def fixed(value: float | None, places: int = 3) -> str:
    """Return a number with a fixed number of decimals; a value that rounds to zero has no minus."""
    if value is None:
        return NO_VALUE
    text = f"{value:.{places}f}"
    return text.lstrip("-") if float(text) == 0 else text


def general(value: float | None, digits: int = 3) -> str:
    """Return a number with significant digits; only very large or small ones have an exponent."""
    if value is None:
        return NO_VALUE
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        text = f"{value:.{digits}g}"
        return f"{float(text):,.0f}" if "e" in text or abs(float(text)) >= 1000 else text
    return f"{value:.{digits - 1}e}"


def decimals(values: Iterable[float | None]) -> int:
    """Return the number of decimals for a column, which is smaller for columns of large values."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return 3 if largest < 10 else 2 if largest < 100 else 1 if largest < 10_000 else 0


def half_width(entry: Mapping[str, Any]) -> float | None:
    """Return half the width of the interval of an entry, or None if it has no interval.

    If one side ends at a bound of the metric, the longer side is returned.
    """
    return None if entry["ci_low"] is None else max(entry["ci_high"] - entry["mean"], entry["mean"] - entry["ci_low"])


def half_text(half: float | None, places: int) -> str:
    """Return half the width of an interval as text, with more decimals where it would read zero."""
    if half is None:
        return ""
    text = fixed(half, places)
    return f"±{text}" if float(text) or not half else f"±{half:.1g}"


def score(entry: Mapping[str, Any], places: int) -> str:
    """Return the mean of an entry and, if it has an interval, half of its width."""
    return f"{fixed(entry['mean'], places)} {half_text(half_width(entry), places)}".rstrip()


def rank_text(entry: Mapping[str, Any]) -> str:
    """Return the interval of the rank such as ``#1-4``, or without one the place, ``(3)``."""
    if entry["rank"] is None:
        return ""
    low, high = entry["rank_low"], entry["rank_high"]
    if low is None:
        return f"({entry['rank']})"
    return f"#{low}" if low == high else f"#{low}-{high}"


def marks(entry: Mapping[str, Any]) -> str:
    """Return the marks of the score of an entry, see `MARKS`."""
    significance = {"better": "*", "worse": "!"}.get(entry["vs_random"], "")
    return significance + ("" if entry["complete"] else "~")


def name_marks(entries: Iterable[Mapping[str, Any] | None]) -> str:
    """Return the marks of the name of a method, from its entries on one dataset; see `MARKS`."""
    known = [entry for entry in entries if entry is not None]
    tuned = "‡" if any(entry["tuned_on_test"] for entry in known) else ""
    return tuned + ("°" if any(entry["deterministic"] for entry in known) else "")


def missing_reason(entry: Mapping[str, Any] | None) -> str:
    """Return in a word or two why an entry has no mean, such as "failed" or "pending"."""
    if entry is None:
        return NO_VALUE
    words = [part.partition(" ")[2] for part in entry["statuses"].split(", ") if part]
    return next((word.replace("_", " ") for word in words if word != "ok"), "no value")


def duration(seconds: float | None) -> str:
    """Return a duration in a suitable unit, with two digits."""
    if seconds is None:
        return NO_VALUE
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms"
    for limit, unit, name in ((99.5, 1, "s"), (5970, 60, "min"), (float("inf"), 3600, "h")):
        if seconds < limit:
            return f"{general(seconds / unit, 2)} {name}"
    return f"{seconds:g} s"


def size(number: float | None) -> str:
    """Return a number of bytes in a suitable decimal unit, with three digits."""
    if number is None:
        return NO_VALUE
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5 or unit == "GB":
            return f"{general(number)} {unit}"
        number /= 1000
    return NO_VALUE


def ratio(value: float | None) -> str:
    """Return a factor such as ``60x``, with two digits."""
    return NO_VALUE if value is None else f"{general(value, 2)}x"


def pvalue(p: float | None) -> str:
    """Return a p-value with two digits, or ``<0.001``."""
    return NO_VALUE if p is None else "<0.001" if p < 0.001 else f"{p:.2g}"


def score_decimals(panel: Panel) -> int:
    """Return the number of decimals for the scores of a panel."""
    return decimals(entry["mean"] for entry in panel.entries.values())


def progress(leaderboard: LeaderboardData) -> str:
    """Return the numbers of cells that are done, ok, failed and skipped, as text."""
    parts = [
        f"{leaderboard.n_done} of {leaderboard.n_planned} cells done",
        f"{leaderboard.n_ok} ok",
        f"{leaderboard.n_done - leaderboard.n_ok} failed",
    ]
    return ", ".join(parts + ([f"{leaderboard.n_skipped} skipped"] if leaderboard.n_skipped else []))
