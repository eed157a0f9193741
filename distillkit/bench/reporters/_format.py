"""Formats numbers as text, and holds the explanations, so that all reports use the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from distillkit.bench.leaderboard import Leaderboard, Panel

__all__ = [
    "COLUMN_HELP",
    "MARKS",
    "NO_VALUE",
    "PROTOCOL",
    "budget_text",
    "budget_title",
    "decimals",
    "duration",
    "fixed",
    "general",
    "half_width",
    "marks",
    "missing_reason",
    "progress",
    "pvalue",
    "ratio",
    "score",
    "score_decimals",
    "size",
]

NO_VALUE = "—"
"""Shown in place of a missing number."""

MARKS = {
    "*": "significantly better than the control: the random subset, or for students the student alone "
    "(paired t-test over distillation seeds, Holm-corrected p < 0.05)",
    "!": "significantly worse than the control (the same test)",
    "~": "some cells have no value: the method ranks behind complete ones, and missing values are not imputed",
    "†": "cells ran in parallel: their times are not comparable to those of cells that ran alone",
}
"""The marks of entries, with their meanings."""

PROTOCOL = (
    "Methods have access to the training rows only. An evaluator is trained on the distilled rows and predicts the "
    "test rows, which neither the evaluator nor the method has seen. The test rows are used once, for the final "
    "state of training and not for selecting the best one. Values are averaged over the evaluation seeds of each "
    "distillation seed; means, 95 % Student intervals and n are over distillation seeds, and a single seed has no "
    "interval. Methods are ranked among those with the same dataset, evaluator, kind of labels and budget; hard and "
    "soft labels are never mixed. References of fixed size, such as the whole set and the class means, are shown "
    "with every budget and have no rank. Methods that reduce a model instead of rows are trained on all training "
    "rows, and their students predict the test rows themselves. They are compared only with each other: the student "
    "alone, trained without a teacher, is their control, and the teacher is their reference."
)
"""The protocol of all comparisons, as reports explain it."""

COLUMN_HELP = {
    "rank": "Rank by mean among the methods with the same dataset, evaluator, kind of labels and budget; "
    "equal means share a rank.",
    "mean": "Mean of the primary metric over distillation seeds, with its 95 % interval.",
    "n": "Number of distillation seeds with a value.",
    "std": "Standard deviation between distillation seeds, after averaging over evaluation seeds.",
    "std_evaluation": "Standard deviation between evaluation seeds, pooled over the distilled sets.",
    "done": "Number of cells with a value, and number of planned cells.",
    "p_vs_random": "Two-sided p-value of the paired t-test against the control (the random subset, or for students "
    "the student alone), Holm-corrected within the comparison; missing with fewer than 3 shared seeds.",
    "separated": "Whether the whole interval is better than the interval of the control.",
    "gap_to_whole": "Mean minus the mean of the same evaluator trained on the whole training set.",
    "agreement": "Fraction of the test rows for which student and teacher predict the same class; in regression, R2 "
    "with the predictions of the teacher as the truth.",
    "parameters": "Number of parameters of the student; for trees, number of nodes.",
    "parameter-compression": "Number of parameters of the teacher divided by that of the student.",
    "latency-ratio": "Seconds of the teacher divided by those of the student, for predicting the same rows "
    "(at most 256).",
    "rows": "Number of rows of the distilled set; students are trained on all training rows.",
    "bytes": "Size of the rows and labels of the distilled set in bytes, including soft labels.",
    "compression-rows": "Number of training rows divided by number of distilled rows.",
    "compression-bytes": "Bytes of the training set divided by bytes of the distilled set.",
    "seconds-distil": "Seconds of the distillation; for students, of training the teacher and of its predictions.",
    "seconds-train": "Seconds of training the evaluator on the distilled set, or of training the student.",
    "training-time-reduction": "Seconds of training on the whole set divided by seconds-train.",
    "peak_mb": "Largest peak memory of a cell, in MB.",
    "stopped_by": "What ended an iterative method: the number of steps, the time limit, or convergence.",
}
"""Explanations of the columns of the table."""


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
    """Return half the width of the interval of an entry, or None if it has no interval."""
    return None if entry["ci_low"] is None else (entry["ci_high"] - entry["ci_low"]) / 2


def score(entry: Mapping[str, Any], places: int) -> str:
    """Return the mean of an entry and, if it has an interval, half of its width."""
    half = half_width(entry)
    return fixed(entry["mean"], places) + ("" if half is None else f" ±{fixed(half, places)}")


def marks(entry: Mapping[str, Any]) -> str:
    """Return the marks of an entry, see `MARKS`."""
    significance = {"better": "*", "worse": "!"}.get(entry["vs_random"], "")
    return significance + ("" if entry["complete"] else "~")


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


def progress(leaderboard: Leaderboard) -> str:
    """Return the numbers of cells that are done, ok, failed and skipped, as text."""
    parts = [
        f"{leaderboard.n_done} of {leaderboard.n_planned} cells done",
        f"{leaderboard.n_ok} ok",
        f"{leaderboard.n_done - leaderboard.n_ok} failed",
    ]
    return ", ".join(parts + ([f"{leaderboard.n_skipped} skipped"] if leaderboard.n_skipped else []))
