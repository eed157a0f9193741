"""Rows of the user with gaps, as values of variables, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables._encoder import read_columns
from distillkit.tables._estimators import check_order
from distillkit.tables._frames import is_frame
from distillkit.tables._reading import Labels, Numbers, Times, Values
from distillkit.utils._containers import to_numpy

__all__ = ["filled_like", "read_rows"]

_TOLERANCE = 1e-7


def read_rows(synthesizer: Any, X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows as values of variables.

    Parameters
    ----------
    synthesizer : ForestSynthesizer
        Fitted.
    X : array-like or frame of shape (n, d)

    Returns
    -------
    values : ndarray of shape (n, p)
        NaN for numbers that are missing; another value for levels that are.
    missing : ndarray of shape (n, p), bool
    impossible : ndarray of shape (n,), bool
        Whether a value is a level or a number that the column cannot hold.

    Raises
    ------
    DataError
        If X has other columns than the training rows.
    """
    variables = synthesizer.generator_.variables
    encoder = synthesizer.__dict__.get("encoder_")
    if encoder is None:
        encoded = _numbers(synthesizer, X)
        gaps = np.isnan(encoded)
        encoded = np.where(gaps, 0.0, encoded)
        columns = np.column_stack(
            [gaps[:, part.start : part.start + part.width].any(axis=1) for part in variables.parts]
        )
        impossible = np.zeros(len(encoded), dtype=bool)
    else:
        encoded = encoder.transform(X)
        gaps = [values.missing for values in read_columns(X, encoder.names_)]
        kept = [place for place, column in enumerate(encoder.columns_) if column.parts]
        columns = np.column_stack([gaps[place] for place in kept]) if kept else np.zeros((len(encoded), 0), dtype=bool)
        is_one_hot = [part for part in variables.parts if part.kind == "one-hot"]
        impossible = np.zeros(len(encoded), dtype=bool)
        for part in is_one_hot:
            no_level = encoded[:, part.start : part.start + part.width].max(axis=1) < 0.5
            impossible |= no_level
    values = variables.values(encoded)
    for place, part in enumerate(variables.parts):
        if part.is_number:  # values are rounded and clipped to those that a column can hold
            exact = encoded[:, part.start].astype(np.float64) * part.scale + part.mean
            moved = np.abs(exact - values[:, place]) > _TOLERANCE * max(abs(part.low), abs(part.high))
            impossible |= moved & ~columns[:, place]
    numbers = np.array([part.is_number for part in variables.parts], dtype=bool)
    return np.where(columns & numbers, np.nan, values), columns, impossible


def _numbers(synthesizer: Any, X: Any) -> np.ndarray:
    """Return an array, or a frame of numbers, as floats."""
    check_order(synthesizer, X)
    size = int(synthesizer.n_features_in_)
    try:
        rows = np.asarray(to_numpy(X), dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise DataError(f"X holds values that are no numbers, as the training rows have: {exc}.") from exc
    if rows.ndim != 2 or rows.shape[1] != size:
        raise DataError(f"X has shape {rows.shape}, but the training rows have {size} columns: give these.")
    if np.isinf(rows).any():
        raise DataError("X holds infinity: give finite numbers, or NaN for unknown ones.")
    return rows


def filled_like(synthesizer: Any, X: Any, values: np.ndarray, missing: np.ndarray, rng: np.random.Generator) -> Any:
    """Return rows in which values of variables stand in place of gaps.

    Parameters
    ----------
    synthesizer : ForestSynthesizer
    X : array-like or frame of shape (n, d)
    values : ndarray of shape (n, p)
    missing : ndarray of shape (n, p), bool
    rng : Generator
        Draws rare levels that share an encoded column.
    """
    variables = synthesizer.generator_.variables
    rounded = np.column_stack(
        [
            part.rounded(column) if part.is_number else column
            for part, column in zip(variables.parts, values.T, strict=True)
        ]
    )
    encoded = variables.encode(rounded)
    if not is_frame(X):
        rows = _numbers(synthesizer, X)
        widths = [part.width for part in variables.parts]
        filled = np.where(np.repeat(missing, widths, axis=1), encoded, rows)
        return filled if not np.issubdtype(np.asarray(X).dtype, np.floating) else filled.astype(np.asarray(X).dtype)
    decoder = synthesizer.decoder_
    made = decoder.values(encoded, rng)
    given = list(read_columns(X, decoder.encoder.names_))
    columns = [_merged(old, new) for old, new in zip(given, made, strict=True)]
    frame = decoder.frame(columns)
    if hasattr(frame, "index") and hasattr(X, "index"):
        frame.index = X.index
    return frame


def _merged(given: Values, made: Values) -> Values:
    """Return the values of a column with made ones in place of gaps."""
    gaps = given.missing
    if not gaps.any():
        return given
    if isinstance(given, Labels) and isinstance(made, Labels):
        levels = list(given.levels)
        places = {level: place for place, level in enumerate(levels)}
        for level in made.levels:
            if level not in places:
                places[level] = len(levels)
                levels.append(level)
        of_made = np.array([*(places[level] for level in made.levels), -1], dtype=np.int64)
        return Labels(np.where(gaps, of_made[made.codes], given.codes), levels)
    if isinstance(given, Times) and isinstance(made, Times):
        return Times(np.where(gaps, made.data, given.data), given.is_date)
    if isinstance(given, Numbers) and isinstance(made, Numbers):
        return Numbers(np.where(gaps, made.data, given.data), made.is_boolean, given.is_integer or made.is_integer)
    return made if gaps.all() else given
