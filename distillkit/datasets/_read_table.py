"""The reader of tables, which ``distillkit distill`` and ``distillkit run`` share."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from distillkit.datasets._column_types import is_raw
from distillkit.datasets._delimited import read_delimited
from distillkit.datasets._paths import SUFFIXES, suffix_of
from distillkit.datasets._table_options import TableOptions
from distillkit.exceptions import DatasetError, DatasetOptionError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RawTable", "is_table", "read_table", "shortened"]


@dataclass(frozen=True, eq=False)
class RawTable:
    """The rows of a file, before the types of its columns are inferred.

    Parameters
    ----------
    path : Path
    frame : DataFrame
        Text of a delimited file, or columns with the declared types of a Parquet file.
    notes : list of str
        Sentences on what the reader did with the columns.
    """

    path: Path
    frame: pd.DataFrame
    notes: list[str] = field(default_factory=list)

    def column(self, target: str | int, option: str = "target") -> str:
        """Return the name of a column that is given by name or position.

        Raises
        ------
        DatasetError
            If there is no such column.
        """
        names = list(self.frame.columns)
        if str(target).strip() in names:
            return str(target).strip()
        if isinstance(target, int) and not isinstance(target, bool) and -len(names) <= target < len(names):
            return str(names[target])
        near = get_close_matches(str(target), names, n=3, cutoff=0.5)
        if not near and len(names) == 1 and (marks := [mark for mark in ",;\t|" if mark in names[0]]):
            hint = f"its lines were read as one column; is {marks[0]!r} the separator?"
        else:
            hint = f"did you mean {', '.join(map(repr, near))}?" if near else f"it has {shortened(names)}."
        raise DatasetOptionError(f"{self.path} has no column {target!r} ({option}): {hint}")

    def with_target(self, target: str) -> RawTable:
        """Return the rows that have a value in the target column.

        Raises
        ------
        DatasetError
            If no row has one, or if there is no other column.
        """
        if self.frame.shape[1] == 1:
            raise DatasetError(f"{self.path} has no column beside the target {target!r}, so no features to learn from.")
        has_target = self.frame[target].notna().to_numpy()
        if not has_target.any():
            raise DatasetError(f"{self.path}: no row has a value in the target column {target!r}.")
        if has_target.all():
            return self
        n_rows = np.count_nonzero(~has_target)
        note = f"{n_rows} row{'s' if n_rows > 1 else ''} without target dropped"
        return RawTable(self.path, self.frame[has_target].reset_index(drop=True), [*self.notes, note])


def shortened(names: list[str]) -> str:
    """Return names as a list for a message."""
    return ", ".join(names[:20]) + (f", ... ({len(names)} columns)" if len(names) > 20 else "")


def is_table(path: Path) -> bool:
    """Return whether the suffix of a path is that of a table."""
    return SUFFIXES.get(suffix_of(path)) in ("csv", "parquet")


def read_table(path: Path, options: TableOptions | None = None) -> RawTable:
    """Read a CSV, TSV or Parquet file.

    Parameters
    ----------
    path : Path
    options : TableOptions or None

    Returns
    -------
    RawTable

    Raises
    ------
    DatasetError
        If the file cannot be read, has no rows, or has two columns of one name.
    """
    options = TableOptions() if options is None else options
    if SUFFIXES.get(suffix_of(path)) == "parquet":
        from distillkit.datasets._parquet import read_parquet

        frame = read_parquet(path, options.drop, {"", *options.missing})
        names = [str(name).strip() for name in frame.columns]
    else:
        names, frame = read_delimited(path, options.separator, options.decimal, options.encoding, options.missing)
    if not len(frame):
        raise DatasetError(f"{path} has a header but no rows, so it holds nothing to learn from.")
    frame, notes = _named(path, names, frame)
    table = RawTable(path, frame, notes)
    dropped = [table.column(name, "drop") for name in options.drop if not _is_dropped(path, name, names)]
    if len(dropped) == frame.shape[1]:
        raise DatasetOptionError(f"{path}: drop={list(options.drop)!r} leaves no column: name fewer.")
    return RawTable(path, frame.drop(columns=dropped), notes)


def _is_dropped(path: Path, name: str, names: list[str]) -> bool:
    """Return whether the reader of Parquet left the column out already."""
    return SUFFIXES.get(suffix_of(path)) == "parquet" and name not in names


def _named(path: Path, names: list[str], frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Give every column its name; columns without a name get one, or go if they are empty."""
    notes = []
    if repeated := [name for name, count in Counter(names).items() if name and count > 1]:
        raise DatasetError(f"{path}: two columns are called {repeated[0]!r}: give each its own name.")
    if not any(names):
        raise DatasetError(f"{path}: the header line names no column: write the names into the first line.")
    new_names, taken = list(names), set(names)
    has_use = [not (name == "" and bool(frame.iloc[:, place].isna().all())) for place, name in enumerate(names)]
    for place, name in enumerate(names):
        if not name:
            new_name = f"unnamed_{place + 1}"
            if new_name in taken:
                raise DatasetError(f"{path}: column {place + 1} has no name: write one into the header line.")
            what = f"is called {new_name}" if has_use[place] else "is empty and left out"
            notes.append(f"column {place + 1} has no name and {what}")
            new_names[place] = new_name
    names = new_names
    frame = frame.set_axis(names, axis=1)
    if all(re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+", name) for name in names) and is_raw(frame.iloc[:, 0]):
        notes.append("the first line holds numbers only, but it was read as the names of the columns")
    return frame.loc[:, has_use], notes
