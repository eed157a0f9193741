"""Reads the results from the literature that ship with distillkit, one CSV file per dataset."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

from distillkit.exceptions import ResultsError
from distillkit.specs import PublishedResult

__all__ = ["COLUMNS", "published_folder", "published_results"]

COLUMNS = ("method", "dataset", "budget", "evaluator", "metric", "value", "std", "n", "source", "protocol")
"""The columns that every file must have."""

STRUCTURED = (
    "label", "preset", "label_mode", "size_factor", "bytes", "augmentation", "network", "epochs", "judge",
    "verified", "note",
)  # fmt: skip
"""The columns that a file may have as well; see `PublishedResult` for their meaning."""

_TEXTS = ("method", "dataset", "budget", "evaluator", "metric", "source")
_WORDS: dict[str, tuple[str, str | None]] = {
    "preset": ("default", ""),
    "judge": ("none", ""),
    "label_mode": ("not stated", ""),
    "size_factor": ("parameters", None),
}
"""The word of a structured column for a value that an empty field cannot say, and the value."""

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
        Folder of CSV files with the columns `COLUMNS`, and with any of the columns `STRUCTURED`;
        None takes the files that ship with distillkit. Accuracies are fractions in [0, 1]. ``std``
        and ``n`` may be empty. The budget ``-`` stands for the whole training set. ``protocol``
        says what rules out a comparison with any measurement of the bench.

        Four of the structured columns have words for what an empty field cannot say:
        ``preset = default`` is the method with its default settings, ``judge = none`` that no
        evaluator of distillkit follows the recipe, ``label_mode = not stated`` that the source
        does not tell the kind of labels, and ``size_factor = parameters`` that rows are generated
        from stored parameters. An empty field has the default value of `PublishedResult`.

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
            columns = tuple(reader.fieldnames or ())
            missing = [name for name in COLUMNS if name not in columns]
            if missing:
                raise ResultsError(
                    f"{path} lacks the column {', '.join(missing)}: its first line must name {', '.join(COLUMNS)}."
                )
            return [_result(line, columns, f"{path}, line {reader.line_num}") for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise ResultsError(f"{path} cannot be read as a CSV file in UTF-8 ({exc}): repair or remove it.") from exc


def _result(line: dict[str, str | None], columns: tuple[str, ...], place: str) -> PublishedResult:
    if None in line or any(line[name] is None for name in columns):
        raise ResultsError(
            f"{place}: the line does not have {len(columns)} fields; put texts with commas in double quotes."
        )
    fields = {name: (line[name] or "").strip() for name in columns}
    for name in _TEXTS:
        if not fields[name]:
            raise ResultsError(f"{place}: {name} is empty; every figure needs {', '.join(_TEXTS)} and value.")
    value = _number(fields["value"], "value", place)
    if fields["metric"] in _FRACTIONS and not 0 <= value <= 1:
        raise ResultsError(
            f"{place}: value {value:g} is not a fraction; write {fields['metric']} as 0.912, not as 91.2."
        )
    values: dict[str, Any] = {name: fields[name] for name in (*_TEXTS, "protocol")}
    values["std"] = _number(fields["std"], "std", place) if fields["std"] else None
    values["n"] = _count(fields["n"], "n", place) if fields["n"] else None
    return PublishedResult(value=value, **values, **_structured(fields, place))


def _structured(fields: dict[str, str], place: str) -> dict[str, Any]:
    """Return the values of the structured columns whose fields are not empty."""
    given = {name: fields[name] for name in STRUCTURED if fields.get(name)}
    values: dict[str, Any] = dict(given)
    for name, (word, value) in _WORDS.items():
        if given.get(name) == word:
            values[name] = value
    if isinstance(values.get("size_factor"), str):
        values["size_factor"] = _number(given["size_factor"], "size_factor", place)
    for name in ("bytes", "epochs"):
        if name in given:
            values[name] = _count(given[name], name, place)
    if values.get("label_mode", "") not in ("", "hard", "soft"):
        raise ResultsError(f"{place}: label_mode {given['label_mode']!r} is none of hard, soft and 'not stated'.")
    if "verified" in given:
        if given["verified"] not in ("yes", "no"):
            raise ResultsError(f"{place}: verified {given['verified']!r} is neither yes nor no.")
        values["verified"] = given["verified"] == "yes"
    return values


def _number(text: str, name: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ResultsError(f"{place}: {name} {text!r} is not a number; write it like 0.912.")
    return value


def _count(text: str, name: str, place: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        what = {"n": "number of repetitions"}.get(name, f"number of {name}")
        raise ResultsError(f"{place}: {name} {text!r} is not a {what}; write a whole number, or leave it empty.")
    return int(text)
