"""Encoding of the training and test rows of a table for the bench."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from distillkit.exceptions import DataError, DatasetError, DatasetOptionError, DistillkitWarning
from distillkit.tables import TableEncoder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EncodedRows", "encode_rows"]

_LARGEST = 1e15  # squares of larger values, summed over columns, leave the range of float32


class EncodedRows(NamedTuple):
    """Encoded rows of a table.

    Parameters
    ----------
    X_train, X_test : ndarray of shape (n, n_encoded), float32
    feature_names : tuple of str
        Names of the encoded columns, such as ``"age"`` or ``"color=red"``.
    notes : list of str
        Descriptions of the encoding, for `Dataset.preparation`.
    """

    X_train: np.ndarray
    X_test: np.ndarray
    feature_names: tuple[str, ...]
    notes: list[str]


def encode_rows(
    sources: tuple[Path, Path], train: pd.DataFrame, test: pd.DataFrame, max_categories: int
) -> EncodedRows:
    """Encode rows by a `TableEncoder` that has seen the training rows alone.

    Parameters
    ----------
    sources : tuple of Path
        The files of the training and the test rows, for messages.
    train, test : DataFrame
        Converted columns without the target, see `distillkit.datasets._typed_rows.convert`.
    max_categories : int
        Largest number of columns per text column, without the mark of gaps.

    Raises
    ------
    DatasetError
        If no column can be used, if `max_categories` is wrong, or if a value is too many standard
        deviations away from the training rows for float32.
    """
    if isinstance(max_categories, bool) or not isinstance(max_categories, int) or max_categories < 2:
        raise DatasetOptionError(f"max_categories={max_categories!r} must be a whole number, at least 2.")
    with warnings.catch_warnings():
        # The reader has named identifiers, and the notes name all columns that are left out.
        warnings.simplefilter("ignore", DistillkitWarning)
        encoder = TableEncoder(max_categories).fit(train)
    left_out = [name for name, column in zip(encoder.names_, encoder.columns_, strict=True) if not column.parts]
    if len(left_out) == train.shape[1]:
        raise DatasetError(
            f"{sources[0]}: no column can be used: all are empty, constant or different in nearly every row "
            f"({', '.join(left_out)})."
        )
    names = tuple(encoder.get_feature_names_out().tolist())
    X_train, X_test = (_as_float32(source, encoder, rows) for source, rows in zip(sources, (train, test), strict=True))
    return EncodedRows(X_train, X_test, names, _notes(encoder, left_out))


def _as_float32(source: Path, encoder: TableEncoder, rows: pd.DataFrame) -> np.ndarray:
    """Encode rows as float32, and check that their distances stay in its range."""
    try:
        with np.errstate(over="ignore"):
            encoded = encoder.transform(rows)
    except DataError as exc:
        raise DatasetError(f"{source}: {exc}") from exc
    too_large = np.argwhere(~(np.abs(encoded) <= _LARGEST))
    if len(too_large):
        row, place = too_large[0]
        name = encoder.get_feature_names_out()[place]
        raise DatasetError(
            f"{source}: column {name!r} holds the value {rows[name].iloc[row]}, which is too far from the training "
            "rows for float32 numbers: replace the value, or drop its row."
        )
    return encoded.astype(np.float32)


def _notes(encoder: TableEncoder, left_out: list[str]) -> list[str]:
    kinds = {column.kind for column in encoder.columns_ if column.parts}
    notes = []
    if kinds - {"category"}:
        notes.append("numbers standardized with statistics of the training rows")
    if "category" in kinds:
        notes.append(f"text one-hot encoded, at most {encoder.max_levels} columns each")
    if any(name.endswith("=missing") for name in encoder.get_feature_names_out()):
        notes.append("gaps marked by a column of their own")
    if left_out:
        shown = ", ".join(left_out[:5]) + (", ..." if len(left_out) > 5 else "")
        notes.append(f"left out, being empty, constant or different in nearly every row: {shown}")
    return notes
