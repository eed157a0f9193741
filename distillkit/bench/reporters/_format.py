"""Numbers as text, the same in every report: fixed rounding, so that reports of equal rows are equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from distillkit.bench.leaderboard import Leaderboard, Panel

__all__ = [
    "COLUMN_HELP",
    "MARKS",
    "NOTHING",
    "PROTOCOL",
    "decimals",
    "duration",
    "fixed",
    "general",
    "half_width",
    "marks",
    "no_value",
    "progress",
    "pvalue",
    "ratio",
    "score",
    "size",
    "wide",
]

NOTHING = "—"
"""Stands where there is no number."""

MARKS = {
    "*": "better than the random subset, of students: than the student alone (paired t-test over distillation seeds, "
    "Holm-corrected p < 0.05)",
    "!": "worse than that (the same test)",
    "~": "cells are missing (see done k/n): ranked behind the complete ones, no value is made up",
    "†": "cells ran side by side: times do not compare with those of cells run alone",
}

PROTOCOL = (
    "Every method sees training rows only. An evaluator is trained on the distilled rows and predicts test rows that neither it nor "
    "the method has seen; the test rows are touched once, and the last state of training counts, not the best. Evaluation seeds are "
    "averaged within a distillation seed; means, 95 % Student intervals and n are over distillation seeds, and with one seed there is "
    "no interval. Methods are ranked within one dataset, evaluator, kind of labels and budget; hard and soft labels are never "
    "mixed. References of fixed size (the whole set, class means) are shown with every budget and take no rank. Methods that make a "
    "model small, not rows, train on all training rows and are compared with each other alone, their students as they predict: "
    "the student alone is their control, the teacher their reference."
)

COLUMN_HELP = {
    "rank": "Place by mean among the methods of the same dataset, evaluator, kind of labels and budget; ties share a place.",
    "mean": "Mean of the deciding metric over distillation seeds, with its 95 % interval.",
    "n": "Distillation seeds with a value.",
    "std": "Standard deviation between distillation seeds (of means over evaluation seeds).",
    "std_evaluation": "Standard deviation between evaluation seeds of one distilled set, pooled.",
    "done": "Cells with a value of those planned.",
    "p_vs_random": "Two-sided p of the paired t-test against the random subset (of students: against the student alone), "
    "Holm-corrected within the comparison; none with fewer than 3 shared seeds.",
    "separated": "Whether the interval lies wholly on the better side of the random subset's, or the student's alone.",
    "gap_to_whole": "Mean less that of the same evaluator trained on the whole set.",
    "agreement": "Share of the test rows that student and teacher label alike; for numbers R2 with the teacher's as truth.",
    "parameters": "Parameters of the student (of trees: nodes).",
    "parameter-compression": "The teacher's parameters over the student's.",
    "latency-ratio": "The teacher's seconds over the student's to predict the same rows, up to 256.",
    "rows": "Rows of the distilled set; students train on all.",
    "bytes": "Bytes of its rows and labels; soft labels count.",
    "compression-rows": "Training rows over distilled rows.",
    "compression-bytes": "Their bytes over the distilled set's.",
    "seconds-distil": "Seconds to distil; of students, to train and ask the teacher.",
    "seconds-train": "Seconds to train the evaluator on the distilled set, or the student.",
    "training-time-reduction": "Seconds to train on the whole set over seconds-train.",
    "peak_mb": "Largest memory of a cell, in MB.",
    "stopped_by": "What ended an iterative method: its steps, its seconds, or convergence.",
}


def fixed(value: float | None, places: int = 3) -> str:
    """Return a number with a fixed number of decimals; no minus before zero."""
    if value is None:
        return NOTHING
    text = f"{value:.{places}f}"
    return text.lstrip("-") if float(text) == 0 else text


def general(value: float | None, digits: int = 3) -> str:
    """Return a number with significant digits, without an exponent while it is readable."""
    if value is None:
        return NOTHING
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        text = f"{value:.{digits}g}"
        return f"{float(text):,.0f}" if "e" in text or abs(float(text)) >= 1000 else text
    return f"{value:.{digits - 1}e}"


def decimals(values: Iterable[float | None]) -> int:
    """Return the decimals that suit a column: three for values about one, fewer for large ones."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return 3 if largest < 10 else 2 if largest < 100 else 1 if largest < 10_000 else 0


def half_width(entry: Mapping[str, Any]) -> float | None:
    """Return half the width of an interval."""
    return None if entry["ci_low"] is None else (entry["ci_high"] - entry["ci_low"]) / 2


def score(entry: Mapping[str, Any], places: int) -> str:
    """Return the mean and half the width of its interval, where there is one."""
    half = half_width(entry)
    return fixed(entry["mean"], places) + ("" if half is None else f" ±{fixed(half, places)}")


def marks(entry: Mapping[str, Any]) -> str:
    """Return the marks of a line, see `MARKS`."""
    against = {"better": "*", "worse": "!"}.get(entry["vs_random"], "")
    return against + ("" if entry["complete"] else "~")


def no_value(entry: Mapping[str, Any] | None) -> str:
    """Say in one word why a line has no mean."""
    if entry is None:
        return NOTHING
    words = [part.partition(" ")[2] for part in entry["statuses"].split(", ") if part]
    return next((word.replace("_", " ") for word in words if word != "ok"), "no value")


def duration(seconds: float | None) -> str:
    """Return seconds as a person would say them, to two digits."""
    if seconds is None:
        return NOTHING
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms"
    for limit, unit, name in ((99.5, 1, "s"), (5970, 60, "min"), (float("inf"), 3600, "h")):
        if seconds < limit:
            return f"{general(seconds / unit, 2)} {name}"
    return f"{seconds:g} s"


def size(number: float | None) -> str:
    """Return bytes in decimal units, to three digits."""
    if number is None:
        return NOTHING
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5 or unit == "GB":
            return f"{general(number)} {unit}"
        number /= 1000
    return NOTHING


def ratio(value: float | None) -> str:
    """Return a factor such as ``60x``, to two digits."""
    return NOTHING if value is None else f"{general(value, 2)}x"


def pvalue(p: float | None) -> str:
    """Return a p-value to two digits, and no smaller than can be read."""
    return NOTHING if p is None else "<0.001" if p < 0.001 else f"{p:.2g}"


def wide(panel: Panel) -> int:
    """Return the decimals of a panel's scores."""
    return decimals(entry["mean"] for entry in panel.entries.values())


def progress(leaderboard: Leaderboard) -> str:
    """Say in one line how much is done."""
    board = leaderboard
    parts = [
        f"{board.n_done} of {board.n_planned} cells done",
        f"{board.n_ok} ok",
        f"{board.n_done - board.n_ok} failed",
    ]
    return ", ".join(parts + ([f"{board.n_skipped} skipped"] if board.n_skipped else []))
