"""Cells of delimited text: read by Arrow where it reads them as Python does, else by Python."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["arrow_cells", "python_cells", "without_missing"]

_BLOCK_BYTES = 2**24
_ROWS_PER_CHUNK = 50_000


def arrow_cells(content: bytes, separator: str, n_columns: int) -> list[pa.ChunkedArray] | None:
    """Return the columns below the first record as text, or None if Python has to read them.

    Arrow is faster than Python by an order of magnitude, but does not name the lines of its errors,
    reads a quote after a blank as text, and accepts text after a closing quote.

    Parameters
    ----------
    content : bytes
        UTF-8 text.
    separator : str
    n_columns : int
        Number of values of every record.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    has_old_line_ends = b"\r" in content and content.count(b"\r") != content.count(b"\r\n")
    if len(separator.encode()) > 1 or has_old_line_ends or not _has_regular_quotes(content, separator):
        return None
    names = [str(place) for place in range(n_columns)]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            # Threads of Arrow would be lost in the processes that a suite forks.
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=b'"' in content),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    columns: list[pa.ChunkedArray] = table.slice(1).columns
    return columns


def _has_regular_quotes(content: bytes, separator: str) -> bool:
    """Return whether every quote opens a value, closes it, or stands twice inside of it."""
    characters = np.frombuffer(content, dtype=np.uint8)
    places = np.flatnonzero(characters == ord('"'))
    if not len(places):
        return True
    if len(places) % 2:
        return False
    # Of two quotes inside a value, the first one closes it, and the second one opens it again.
    opening, closing = places[::2], places[1::2]
    is_edge = np.zeros(256, dtype=bool)
    is_edge[[ord(separator), ord("\n"), ord("\r")]] = True
    reopens = np.concatenate([[False], opening[1:] == closing[:-1] + 1])
    begins = (opening == 0) | is_edge[characters[opening - 1]]
    ends = (closing == len(content) - 1) | is_edge[characters[np.minimum(closing + 1, len(content) - 1)]]
    return bool((begins | reopens).all() and (ends | np.append(reopens[1:], False)).all())


def python_cells(records: Iterator[list[str]], n_columns: int) -> list[pa.ChunkedArray]:
    """Return the columns of records that have `n_columns` values each."""
    import pyarrow as pa

    chunks: list[list[pa.Array]] = [[] for _ in range(n_columns)]
    while rows := list(islice(records, _ROWS_PER_CHUNK)):
        for parts, values in zip(chunks, zip(*rows, strict=True), strict=True):
            parts.append(pa.array(values, pa.string()))
    return [pa.chunked_array(parts, pa.string()) for parts in chunks]


def without_missing(column: pa.ChunkedArray, missing: Collection[str]) -> pa.DictionaryArray:
    """Strip the text of a column, and make empty text and the given texts missing.

    Each different text is held once, so that its type is found and converted once.
    """
    import pyarrow as pa
    from pyarrow import compute

    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # in some versions of Arrow
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    stripped = compute.utf8_trim_whitespace(encoded.dictionary)
    words = pa.array(sorted({"", *missing}), pa.string())
    present = compute.if_else(compute.is_in(stripped, value_set=words), pa.scalar(None, pa.string()), stripped)
    # Texts that differ in blanks alone are one text now.
    texts = present.dictionary_encode()
    return pa.DictionaryArray.from_arrays(texts.indices.take(encoded.indices), texts.dictionary)
