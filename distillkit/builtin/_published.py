"""Reads the results from the literature that ship with distillkit, one CSV file per dataset."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from distillkit.exceptions import ResultsError
from distillkit.specs import PublishedResult

__all__ = ["COLUMNS", "published_folder", "published_results"]

COLUMNS = ("method", "dataset", "budget", "evaluator", "metric", "value", "std", "n", "source", "protocol")
"""The columns that every file must have."""

_TEXTS = ("method", "dataset", "budget", "evaluator", "metric", "source")
_FRACTIONS = ("accuracy", "balanced-accuracy", "macro-f1")


def published_folder() -> Path:
    """Return the folder of the CSV files.

    It lies inside an installed package; in a checkout it is ``benchmarks/published``.
    """
    installed = Path(__file__).parent / "published"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "benchmarks" / "published"


def published_results(folder: Path | None = None) -> list[PublishedResult]:
    """Read published results from CSV files.

    Parameters
    ----------
    folder : Path or None
        Folder of CSV files with the columns `COLUMNS`; None takes the files that ship with
        distillkit. Accuracies are fractions in [0, 1]. ``std`` and ``n`` may be empty. The budget
        ``-`` stands for the whole training set. ``protocol`` describes how the protocol of the
        source differs from that of the bench; results of another program always differ somehow.

    Returns
    -------
    list of PublishedResult
        Sorted by file name, then in the order of the lines; empty if the folder does not exist.

    Raises
    ------
    ResultsError
        If a file lacks a column, or a line has an invalid number or an empty required field. The
        message names the file and the line.
    """
    folder = published_folder() if folder is None else Path(folder)
    return [result for path in sorted(folder.glob("*.csv")) for result in _read(path)]


def _read(path: Path) -> list[PublishedResult]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ResultsError(
                    f"{path} lacks the column {', '.join(missing)}: its first line must name {', '.join(COLUMNS)}."
                )
            return [_result(line, f"{path}, line {reader.line_num}") for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise ResultsError(f"{path} cannot be read as a CSV file in UTF-8 ({exc}): repair or remove it.") from exc


def _result(line: dict[str, str | None], place: str) -> PublishedResult:
    fields = {name: (line[name] or "").strip() for name in COLUMNS}
    if None in line or any(line[name] is None for name in COLUMNS):
        raise ResultsError(
            f"{place}: the line does not have {len(COLUMNS)} fields; put texts with commas in double quotes."
        )
    for name in _TEXTS:
        if not fields[name]:
            raise ResultsError(f"{place}: {name} is empty; every figure needs {', '.join(_TEXTS)} and value.")
    value = _number(fields["value"], "value", place)
    if fields["metric"] in _FRACTIONS and not 0 <= value <= 1:
        raise ResultsError(
            f"{place}: value {value:g} is not a fraction; write {fields['metric']} as 0.912, not as 91.2."
        )
    return PublishedResult(
        **{name: fields[name] for name in (*_TEXTS, "protocol")},
        value=value,
        std=_number(fields["std"], "std", place) if fields["std"] else None,
        n=_count(fields["n"], place) if fields["n"] else None,
    )


def _number(text: str, name: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ResultsError(f"{place}: {name} {text!r} is not a number; write it like 0.912.")
    return value


def _count(text: str, place: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ResultsError(
            f"{place}: n {text!r} is not a number of repetitions; write a whole number, or leave it empty."
        )
    return int(text)
