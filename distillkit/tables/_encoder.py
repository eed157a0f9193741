"""An encoder that learns the columns of a mixed table, turns rows into numbers, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from distillkit.exceptions import DataError
from distillkit.tables._columns import Column, OmittedColumn
from distillkit.tables._frames import column_names, container_of, refuse_empty, refuse_lazy, row_count
from distillkit.tables._learning import learn_column
from distillkit.tables._reading import Values, read_arrow, read_pandas
from distillkit.tables._schema import Schema, as_arrow
from distillkit.tables._state import column_from_state, column_to_state, from_typed, to_typed
from distillkit.utils._public_names import PicklesByPublicName
from distillkit.utils._warn_once import warn_once

__all__ = ["TableEncoder", "read_columns"]


class TableEncoder(PicklesByPublicName, TransformerMixin, BaseEstimator):
    """Encode mixed tables as numbers, and decode numbers as tables of the same columns and types.

    Each column is encoded by what the training rows hold:

    - numbers are standardized; a gap becomes the mean, and one more column marks it;
    - truth values become 0 and sqrt(2);
    - text, categories and other labels are one-hot encoded, so that two different levels are
      sqrt(2) apart. Gaps count as one more level. Levels beyond `max_levels` share one column,
      which unknown levels of new rows use as well;
    - numbers with fractions that are held as text, perhaps with blanks, are encoded as numbers;
    - dates, times and durations, also ISO dates that are held as text, are standardized numbers;
    - identifiers (text that differs in nearly every row) and columns without any value have no part
      in distances. A `DistillkitWarning` names the identifiers. Constant columns have no part
      either.

    Distillers use this encoder by themselves for mixed tables. As a step before a distiller in a
    pipeline, it hands the encoded rows to all later steps.

    Parameters
    ----------
    max_levels : int, default=64
        Largest number of columns that one category may become, without the mark of gaps. If there
        are more levels, the most frequent ones get a column each.
    standardize : bool, default=True
        Whether numbers and times get mean 0 and standard deviation 1, and truth values a distance
        of sqrt(2). Otherwise numbers keep their units, times are days since the earliest one, and
        truth values are 0 and 1.

    Attributes
    ----------
    columns_ : tuple
        Kind and parameters of each column.
    identifiers_ : tuple
        Names of the columns that hold identifiers.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Names of the columns, if all are text.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [20, 30, None], "city": ["Rome", "Oslo", "Rome"]})
    >>> encoder = TableEncoder().fit(frame)
    >>> encoder.get_feature_names_out().tolist()
    ['age', 'age=missing', 'city=Rome', 'city=Oslo']
    >>> encoder.inverse_transform(encoder.transform(frame)).equals(frame)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "max_levels": [Interval(Integral, 2, None, closed="left")],
        "standardize": ["boolean"],
    }

    def __init__(self, max_levels: int = 64, *, standardize: bool = True) -> None:
        self.max_levels = max_levels
        self.standardize = standardize

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the columns of a table.

        Parameters
        ----------
        X : pandas, polars or pyarrow frame of shape (n, d)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        DataError
            If X is no frame, has no rows or columns, has columns of the same name, holds infinity,
            or holds values that are neither numbers, truth values, times nor labels.
        """
        names = _checked_names(X)
        refuse_empty(X)
        self.schema_ = Schema.of(X)
        self.columns_: tuple[Column, ...] = tuple(
            learn_column(values, name, max_levels=self.max_levels, standardize=self.standardize)
            for name, values in zip(names, read_columns(X, names), strict=True)
        )
        self._set_names(names)
        if self.identifiers_:
            warn_once(
                f"the text in column {', '.join(map(repr, self.identifiers_))} differs in nearly every row, like an "
                "identifier: it has no part in distances, and made rows leave it empty. Drop the column if you do not "
                "need it.",
                stacklevel=3,
            )
        return self

    def _set_names(self, names: list[Any]) -> None:
        self.names_ = tuple(names)
        self.n_features_in_ = len(names)
        self.__dict__.pop("feature_names_in_", None)
        if all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.array(names, dtype=object)
        self.identifiers_ = tuple(
            name
            for name, column in zip(names, self.columns_, strict=True)
            if isinstance(column, OmittedColumn) and column.reason == "identifier"
        )

    @property
    def _n_out(self) -> int:
        """Number of encoded columns, at least one."""
        return max(1, sum(len(column.parts) for column in self.columns_))

    def transform(self, X: Any) -> np.ndarray:
        """Encode rows.

        Parameters
        ----------
        X : pandas, polars or pyarrow frame of shape (n, d)
            Columns are found by name, in any order; further columns are ignored.

        Returns
        -------
        ndarray of shape (n, n_encoded), float64
            Finite numbers. A table without any column that has a part in distances is encoded as
            one column of zeros.

        Raises
        ------
        DataError
            If X is no frame, lacks a column, or holds values of another kind than the training
            rows.
        """
        check_is_fitted(self, "columns_")
        columns = zip(self.names_, self.columns_, read_columns(X, self.names_), strict=True)
        encoded = np.zeros((row_count(X), self._n_out))
        start = 0
        for name, column, values in columns:
            stop = start + len(column.parts)
            if stop > start:
                encoded[:, start:stop] = column.encode(values, name)
            start = stop
        return encoded

    def inverse_transform(self, X: Any, *, rounded: bool = True) -> Any:
        """Decode rows as a frame of the container, columns and types of the training rows.

        Parameters
        ----------
        X : array-like of shape (m, n_encoded)
            Encoded rows; any numbers.
        rounded : bool, default=True
            Whether whole numbers are rounded and clipped to the range of the training rows, in
            their integer type. Otherwise they stay floats. Truth values, dates and labels are
            always nearest values.

        Returns
        -------
        frame of shape (m, d)
            Gaps where the mark of a gap is nearer to 1 than to 0.

        Raises
        ------
        DataError
            If X has another number of columns.
        """
        check_is_fitted(self, "columns_")
        return self.schema_.frame(self.decode(X, rounded=rounded), rounded=rounded)

    def decode(self, X: Any, *, rounded: bool = True) -> list[Values]:
        """Decode rows as values that are independent of the container; see `inverse_transform`."""
        rows = np.asarray(X, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self._n_out:
            raise DataError(f"X has shape {rows.shape}, but encoded rows have {self._n_out} columns.")
        widths = [len(column.parts) for column in self.columns_]
        stops = np.cumsum(widths)
        return [
            column.decode(rows[:, stop - width : stop], rounded=rounded)
            for column, width, stop in zip(self.columns_, widths, stops, strict=True)
        ]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the encoded columns, such as ``age``, ``age=missing``, ``city=Rome``.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "columns_")
        names = [
            f"{name}{part}" for name, column in zip(self.names_, self.columns_, strict=True) for part in column.parts
        ]
        return np.array(names or ["(nothing)"], dtype=object)

    def to_dict(self) -> dict[str, Any]:
        """Return the fitted encoder as plain values for JSON.

        Returns
        -------
        dict
            Levels are text with the name of their type.

        Raises
        ------
        DataError
            If levels or names are of a type that has no text from which it can be read again.
        """
        check_is_fitted(self, "columns_")
        return {
            "version": 1,
            "max_levels": int(self.max_levels),
            "standardize": bool(self.standardize),
            "names": [to_typed(name) for name in self.names_],
            "columns": [column_to_state(column) for column in self.columns_],
            "schema": self.schema_.to_dict(),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the encoder that `to_dict` described.

        Parameters
        ----------
        state : dict

        Returns
        -------
        TableEncoder
            Where the container of the training rows is not installed, frames are pandas.
        """
        encoder = cls(int(state["max_levels"]), standardize=bool(state["standardize"]))
        encoder.columns_ = tuple(column_from_state(column) for column in state["columns"])
        encoder.schema_ = Schema.from_dict(state["schema"])
        names = [from_typed(name) for name in state["names"]]
        if not len(names) == len(encoder.columns_) == len(encoder.schema_.names) == len(set(names)):
            raise DataError(f"its encoder has {len(names)} names for {len(encoder.columns_)} columns.")
        encoder._set_names(names)
        return encoder

    def __sklearn_tags__(self) -> Any:
        """Return the scikit-learn tags: text, categories and gaps are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.categorical = tags.input_tags.allow_nan = True
        return tags


def _checked_names(X: Any) -> list[Any]:
    """Return the column names of a frame."""
    refuse_lazy(X)
    if container_of(X) is None:
        raise DataError(f"X is of type {type(X).__name__}, but a table is a pandas, polars or pyarrow frame: give one.")
    return column_names(X)


def read_columns(X: Any, names: Iterable[Any]) -> Iterator[Values]:
    """Check that a frame has the named columns, and read them one after another.

    Raises
    ------
    DataError
        If X is no frame, lacks a column, or has several columns of one name.
    """
    present = set(_checked_names(X))
    absent = [str(name) for name in names if name not in present]
    if absent:
        raise DataError(f"X lacks the columns {', '.join(absent)}, which the training rows have: give them as well.")
    if container_of(X) == "pandas":
        positions = {name: position for position, name in enumerate(X.columns)}
        return (read_pandas(X.iloc[:, positions[name]]) for name in names)
    table = as_arrow(X)
    return (read_arrow(table.column(name), name) for name in names)
