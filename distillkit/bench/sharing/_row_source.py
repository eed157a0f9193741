"""Reads rows from a results folder, a published site, or a file of rows, in one way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distillkit.bench.results._schema import wrong_row
from distillkit.bench.results._store import ResultsStore
from distillkit.exceptions import ResultsError

__all__ = ["RowSource", "find_row", "open_source", "read_lines"]

Row = dict[str, Any]

_FILE_NAMES = ("key", "distil_key", "data_key", "environment", "suite")
"""Fields of a row that name files, which must not lead out of their folder."""

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass
class RowSource:
    """Rows with the environments and the files that belong to them.

    Parameters
    ----------
    path : Path
        What the user has named.
    rows : dict of str to dict
        Rows by key. What a row of an earlier version lacks is taken from the plan.
    store : ResultsStore
        The folder of environments, targets and artefacts; a published site has the same layout.
    problems : list of str
        What is wrong with rows that cannot be used, in sentences.
    """

    path: Path
    rows: dict[str, Row]
    store: ResultsStore
    problems: list[str] = field(default_factory=list)

    def environment(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the versions and the hardware that made a row; empty if they are not known."""
        return self.store.environments().get(row.get("environment") or "", {})

    def artefact(self, row: Mapping[str, Any]) -> Path | None:
        """Return the file of the distilled set of a row, if it is there."""
        path = self.store.artefact_path(str(row.get("distil_key")))
        return path if path.is_file() else None


def open_source(path: Path) -> RowSource:
    """Open a results folder, a published site, a file of JSON lines, or the file of one row.

    Raises
    ------
    ResultsError
        If there are no rows.
    """
    if path.is_dir() and (path / "rows").is_dir():
        return _of_files(path, sorted((path / "rows").glob("*.jsonl")), path)
    if path.is_dir() and ((path / "plan.json").is_file() or (path / "cells").is_dir()):
        return _of_store(path)
    if path.is_file() and path.suffix in (".jsonl", ".json"):
        folder = path.parent.parent if path.parent.name in ("cells", "rows") else path.parent
        return _of_files(path, [path], folder)
    what = "has neither rows nor a plan" if path.exists() else "does not exist"
    raise ResultsError(
        f"{path} {what}: give a results folder, a published site, a file of rows (.jsonl), or the file of a row."
    )


def _of_store(path: Path) -> RowSource:
    store = ResultsStore(path)
    planned = {cell["key"]: cell for cell in store.planned_cells()}
    names = {file.stem for file in (path / "cells").glob("*.json")}
    rows = {key: _completed(row, planned.get(key)) for key, row in store.rows().items()}
    problems = [f"cells/{key}.json is damaged, or the row of another cell." for key in sorted(names - rows.keys())]
    return RowSource(path, rows, store, problems)


def _of_files(path: Path, files: list[Path], folder: Path) -> RowSource:
    store = ResultsStore(folder)
    planned = {cell["key"]: cell for cell in store.planned_cells()}
    rows: dict[str, Row] = {}
    problems: list[str] = []
    for place, row in (pair for file in files for pair in read_lines(file)):
        if isinstance(row, str):
            problems.append(f"{place}: {row}.")
        elif row["key"] in rows:
            problems.append(f"{place}: the row {row['key']} is there twice.")
        else:
            rows[row["key"]] = _completed(row, planned.get(row["key"]))
    return RowSource(path, rows, store, problems)


def read_lines(path: Path) -> Iterator[tuple[str, Row | str]]:
    """Yield each row of a file of JSON lines with its place, or what is wrong with the line.

    The file of a single row, whose JSON has several lines, gives that row.

    Raises
    ------
    ResultsError
        If the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ResultsError(f"cannot read {path}: {exc}. Give a file of rows in UTF-8.") from exc
    lines = [text] if path.suffix == ".json" else text.splitlines()
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"{path.name}, line {number}", _parsed(line)


def _parsed(line: str) -> Row | str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as exc:
        return f"it is no JSON ({exc})"
    if not isinstance(row, dict):
        return "it is no JSON object"
    return wrong_row(row) or _unsafe_name(row) or row


def _unsafe_name(row: Row) -> str | None:
    """Return which field names a file and holds more than a name, or None."""
    for name in _FILE_NAMES:
        value = row.get(name)
        if value is not None and not _FILE_NAME.fullmatch(str(value)):
            return f"the field {name} is {value!r}, which is no name of a file"
    return None


def _completed(row: Row, planned: Mapping[str, Any] | None) -> Row:
    """Return a row with the fields that rows of earlier versions left to the plan."""
    if planned is None or "metric_versions" in row:
        return row
    missing = {name: value for name, value in planned.items() if name not in row}
    return missing | row | {"metric_versions": planned.get("metrics", [])}


def find_row(source: RowSource, key: str) -> Row:
    """Return the row whose key starts with some text.

    Raises
    ------
    ResultsError
        If no row or several have such a key.
    """
    matches = [name for name in source.rows if name.startswith(key)]
    if key in source.rows or len(matches) == 1:
        return source.rows[key if key in source.rows else matches[0]]
    if not matches:
        raise ResultsError(
            f"no row of {source.path} has a key that begins with {key!r}: its {len(source.rows)} keys are in the "
            "column key of rows.csv."
        )
    shown = ", ".join(matches[:5]) + (", ..." if len(matches) > 5 else "")
    raise ResultsError(f"{len(matches)} rows of {source.path} have a key that begins with {key!r}: {shown}.")
