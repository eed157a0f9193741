"""Strict reader of delimited text files (CSV and TSV), which returns every cell as text."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from distillkit.datasets._paths import suffix_of
from distillkit.exceptions import DatasetError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_delimited"]

SEPARATORS = (",", ";", "\t", "|")
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_ROWS_PER_CHUNK = 50_000
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
    try:
        with _open(path, encoding) as file:
            declared, first_line = _declared_separator(file)
            separator = separator or declared or _detect(path, file, decimal)
            return _cells(path, _records(path, file, separator, first_line), {"", *missing})
    except UnicodeError:
        line = _undecodable_line(path, encoding)
        raise _unreadable(
            path,
            f"line {line} is not {encoding or 'UTF-8'} text",
            "give its encoding, such as encoding = 'latin-1', or save the file as UTF-8",
        ) from None
    except LookupError:
        raise DatasetError(f"encoding={encoding!r} is not known: give one such as 'utf-8' or 'latin-1'.") from None
    except (OSError, EOFError) as exc:
        raise _unreadable(path, str(exc), "check the file") from exc


def _unreadable(path: Path, reason: str, remedy: str) -> DatasetError:
    return DatasetError(f"{path} cannot be read as CSV ({' '.join(reason.split())}): {remedy}.")


@contextmanager
def _open(path: Path, encoding: str | None) -> Iterator[TextIO]:
    """Open a file as text, decompressed if it is compressed by gzip."""
    with path.open("rb") as raw:
        start = raw.read(len(_ZIP))
        raw.seek(0)
        if start == _ZIP:
            raise _unreadable(path, "it is a zip archive or an Excel file", "save the table as CSV (UTF-8) or Parquet")
        content = gzip.GzipFile(fileobj=raw) if start.startswith(_GZIP) else raw
        buffered = io.BufferedReader(content)
        if encoding is None:
            encoding = "utf-16" if buffered.peek(2)[:2] in _UTF16_MARKS else "utf-8-sig"
        yield io.TextIOWrapper(buffered, encoding=encoding, newline="")


def _declared_separator(file: TextIO) -> tuple[str | None, int]:
    """Read a first line ``sep=;`` as Excel writes it; return its mark and the next line number."""
    declaration = re.fullmatch(r"sep=(.)\s*", file.readline(), re.IGNORECASE)
    if declaration is not None:
        return declaration[1], 2
    file.seek(0)
    return None, 1


def _records(path: Path, file: TextIO, separator: str, first_line: int) -> Iterator[Record]:
    """Yield every record that is not an empty line, with the number of its first line."""
    reader = csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)
    line = first_line
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + first_line
    except csv.Error as exc:
        raise _unreadable(path, f"line {line}: {exc}", "check the quotes and the separator") from exc


def _detect(path: Path, file: TextIO, decimal: str) -> str:
    """Return the separator that divides the header and the first rows alike."""
    head = "".join(islice(file, 2 * _ROWS_FOR_DETECTION))
    file.seek(0)
    tabs = suffix_of(path).startswith(".tsv")
    candidates = [mark for mark in sorted(SEPARATORS, key=lambda mark: mark != "\t" or not tabs) if mark != decimal]
    sizes: dict[str, int] = {}
    for mark in candidates:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=mark, skipinitialspace=True)
        counts = [len(record) for record in islice(reader, _ROWS_FOR_DETECTION) if record]
        if counts and counts[0] > 1:
            # A separator that divides all rows alike wins over those that do not.
            sizes[mark] = counts[0] + (10**6 if min(counts) == max(counts) else 0)
    return max(sizes, key=sizes.__getitem__, default=candidates[0])


def _cells(path: Path, records: Iterator[Record], missing: set[str]) -> tuple[list[str], pd.DataFrame]:
    """Collect the records in columns, and check that each has as many values as the header."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import compute

    header = next((record for _, record in records if record != [""]), [])
    if not header:
        raise DatasetError(f"{path} is empty: it needs a header line and rows.")
    if any("\0" in name for name in header):
        raise _unreadable(path, "it holds NUL characters", "give its encoding, such as encoding = 'utf-16'")
    n_columns, words = len(header), pa.array(sorted(missing), pa.string())
    chunks: list[list[pa.Array]] = [[] for _ in header]
    while rows := list(islice(records, _ROWS_PER_CHUNK)):
        for line, row in rows:
            if len(row) != n_columns and not _is_blank(row):
                raise _wrong_count(path, line, len(row), n_columns)
        complete = [row for _, row in rows if len(row) == n_columns]
        for parts, values in zip(chunks, zip(*complete, strict=True), strict=bool(complete)):
            stripped = compute.utf8_trim_whitespace(pa.array(values, pa.string()))
            is_missing = compute.is_in(stripped, value_set=words)
            parts.append(compute.if_else(is_missing, pa.scalar(None, pa.string()), stripped))
    columns = [pd.arrays.ArrowExtensionArray(pa.chunked_array(parts, pa.string())) for parts in chunks]
    return [name.strip() for name in header], pd.DataFrame(dict(enumerate(columns)))


def _is_blank(row: list[str]) -> bool:
    """Return whether a line has blanks alone; in a table of one column it is a missing value."""
    return len(row) == 1 and not row[0].strip()


def _wrong_count(path: Path, line: int, n_values: int, n_columns: int) -> DatasetError:
    remedy = "check the separator and the quotes of this line"
    if n_values == n_columns + 1:
        remedy += ", or give the header a name for the first column if it holds row names"
    return _unreadable(path, f"line {line} has {n_values} values, but the header line has {n_columns} names", remedy)


def _undecodable_line(path: Path, encoding: str | None) -> int:
    """Return the number of the first line that cannot be decoded."""
    with path.open("rb") as raw:
        file = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == _GZIP else raw
        line = 0
        for line, content in enumerate(file, start=1):  # noqa: B007
            try:
                content.decode(encoding or "utf-8")
            except UnicodeError:
                break
    return line
