"""Strict reader of delimited text files (CSV and TSV), which returns every cell as text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from distillkit.datasets._cells import arrow_cells, python_cells, without_missing
from distillkit.datasets._paths import suffix_of
from distillkit.datasets._text_content import read_text, unreadable
from distillkit.exceptions import DatasetError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_delimited"]

SEPARATORS = (",", ";", "\t", "|")
_ROWS_FOR_DETECTION = 20

Record = tuple[int, list[str]]


def read_delimited(
    path: Path, separator: str | None, decimal: str, encoding: str | None, missing: Collection[str]
) -> tuple[list[str], pd.DataFrame]:
    """Read a delimited file with a header line.

    Leading and trailing blanks of names and values are removed. Lines without any value are
    skipped. Quoted values may hold separators and line breaks.

    Parameters
    ----------
    path : Path
        The file, which may be compressed by gzip.
    separator : str or None
        None takes the separator of ``, ; tab |`` that divides the header and the first rows alike.
    decimal : {".", ","}
        A decimal comma cannot be the separator.
    encoding : str or None
        None means UTF-8, or UTF-16 if the file begins with its byte order mark.
    missing : collection of str
        Values that mean a missing value, besides the empty one.

    Returns
    -------
    names : list of str
        The names as in the header line, stripped, not yet checked.
    cells : DataFrame of str
        The values, with integers as column labels; missing ones are null.

    Raises
    ------
    DatasetError
        If the file is not text, if a row does not have as many values as the header line (the
        message names the line), or if quotes are not closed.
    """
    import pandas as pd

    content = read_text(path, encoding)
    declared, start = _declared_separator(content)
    content, first_line = content[start:], 2 if start else 1
    separator = separator or declared or _detect(path, content, decimal)
    records = _records(path, content, separator, first_line)
    header = next((record for _, record in records if record != [""]), [])
    if not header:
        raise DatasetError(f"{path} is empty: it needs a header line and rows.")
    columns = arrow_cells(content, separator, len(header))
    if columns is None:
        columns = python_cells(_complete(path, records, len(header)), len(header))
    arrays = [pd.arrays.ArrowExtensionArray(without_missing(column, missing)) for column in columns]
    return [name.strip() for name in header], pd.DataFrame(dict(enumerate(arrays)))


def _declared_separator(content: bytes) -> tuple[str | None, int]:
    """Return the mark of a first line ``sep=;`` as Excel writes it, and where the next begins."""
    declaration = re.match(rb"sep=([\x20-\x7e\t])[ \t]*(\r\n|\n|\r)", content, re.IGNORECASE)
    return (None, 0) if declaration is None else (declaration[1].decode(), declaration.end())


def _records(path: Path, content: bytes, separator: str, first_line: int) -> Iterator[Record]:
    """Yield every record that is not an empty line, with the number of its first line."""
    file = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    reader = csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)
    line = first_line
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + first_line
    except csv.Error as exc:
        raise unreadable(path, f"line {line}: {exc}", "check the quotes and the separator") from exc


def _detect(path: Path, content: bytes, decimal: str) -> str:
    """Return the separator that divides the header and the first rows alike."""
    file = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    head = "".join(islice(file, 2 * _ROWS_FOR_DETECTION))
    tabs = suffix_of(path).startswith(".tsv")
    candidates = [mark for mark in sorted(SEPARATORS, key=lambda mark: mark != "\t" or not tabs) if mark != decimal]
    sizes: dict[str, int] = {}
    for mark in candidates:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=mark, skipinitialspace=True)
        counts: list[int] = []
        with suppress(csv.Error):  # which the reading of all rows reports with its line
            counts.extend(len(record) for record in islice(reader, _ROWS_FOR_DETECTION) if record)
        if counts and counts[0] > 1:
            # A separator that divides all rows alike wins over those that do not.
            sizes[mark] = counts[0] + (10**6 if min(counts) == max(counts) else 0)
    return max(sizes, key=sizes.__getitem__, default=candidates[0])


def _complete(path: Path, records: Iterator[Record], n_columns: int) -> Iterator[list[str]]:
    """Yield the values of each record, and check that there are as many as names in the header."""
    for line, record in records:
        if len(record) == n_columns:
            yield record
        elif not _is_blank(record):
            raise _wrong_count(path, line, len(record), n_columns)


def _is_blank(record: list[str]) -> bool:
    """Return whether a line has blanks alone; in a table of one column it is a missing value."""
    return len(record) == 1 and not record[0].strip()


def _wrong_count(path: Path, line: int, n_values: int, n_columns: int) -> DatasetError:
    remedy = "check the separator and the quotes of this line"
    if n_values == n_columns + 1:
        remedy += ", or give the header a name for the first column if it holds row names"
    return unreadable(path, f"line {line} has {n_values} values, but the header line has {n_columns} names", remedy)
