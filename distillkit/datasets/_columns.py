"""Encoding of the columns of a mixed table as one dense float32 array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from distillkit.exceptions import DatasetError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DatasetEncoder", "plain_columns", "plain_numbers"]

MISSING, OTHER = "(missing)", "(other)"


def plain_columns(source: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Convert every column to float64 (NaN for missing values) or text (None for missing ones).

    Booleans become 0 and 1, dates become days since 1970, and durations become seconds.

    Parameters
    ----------
    source : str
        The file, for messages.
    frame : DataFrame
        Converted columns, see `distillkit.datasets._typed_rows.convert`.

    Returns
    -------
    DataFrame

    Raises
    ------
    DatasetError
        If a column holds infinite values.
    """
    import pandas as pd

    columns = {}
    for name in frame.columns:
        column, numbers = frame[name], plain_numbers(frame[name])
        if numbers is None:
            texts = [None if lost else str(value) for value, lost in zip(column, column.isna(), strict=True)]
            columns[name] = pd.Series(texts, index=frame.index, dtype=object)
            continue
        if n_infinite := np.count_nonzero(np.isinf(numbers)):
            raise DatasetError(
                f"{source}: the column {name!r} holds {n_infinite} infinite values: replace them or remove these rows."
            )
        columns[name] = pd.Series(numbers, index=frame.index)
    return pd.DataFrame(columns, index=frame.index)


def plain_numbers(column: pd.Series[Any]) -> np.ndarray | None:
    """Return a column of numbers, booleans, dates or durations as float64; None for any other."""
    from pandas.api import types

    if types.is_datetime64_any_dtype(column.dtype):
        # Microseconds reach from the year -290000 to 290000, whereas nanoseconds begin in 1677.
        local = column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
        microseconds = local.to_numpy().astype("datetime64[us]").astype(np.int64)
        return np.where(column.isna(), np.nan, microseconds / 1e6 / 86400)
    if types.is_timedelta64_dtype(column.dtype):
        return np.asarray(column.dt.total_seconds(), dtype=np.float64)
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return None


class DatasetEncoder:
    """An encoder of tables that standardizes numbers and one-hot encodes text.

    Missing numbers are filled with the median. Text becomes one column per frequent category. All
    statistics are those of the training rows.

    Parameters
    ----------
    source : str
        The file, for messages.
    max_categories : int
        Largest number of columns per text column. Categories of a single training row, and the
        rarest ones beyond this number, share one column "(other)". A column in which no category
        has two rows (a name, an identifier) is left out.

    Attributes
    ----------
    feature_names_ : tuple of str
        Names of the encoded columns, such as ``"age"`` or ``"color=red"``.
    notes_ : list of str
        Descriptions of the steps, for `Dataset.preparation`.
    """

    def __init__(self, source: str, max_categories: int) -> None:
        if isinstance(max_categories, bool) or not isinstance(max_categories, int) or max_categories < 2:
            raise DatasetError(f"max_categories={max_categories!r} must be a whole number, at least 2.")
        self.source, self.max_categories = source, max_categories

    def fit(self, frame: pd.DataFrame) -> Self:
        """Learn the statistics from training rows, as returned by `plain_columns`."""
        self.numbers_ = [name for name in frame.columns if frame[name].dtype != object and frame[name].notna().any()]
        texts = [name for name in frame.columns if frame[name].dtype == object]
        self.texts_ = [name for name in texts if frame[name].fillna(MISSING).value_counts().iloc[0] > 1]
        left_out = [name for name in frame.columns if name not in {*self.numbers_, *self.texts_}]
        if not self.numbers_ and not self.texts_:
            raise DatasetError(
                f"{self.source}: no column can be used: all are empty or different in every row "
                f"({', '.join(frame.columns) or 'none'})."
            )
        self._fit_numbers(frame)
        self._fit_texts(frame)
        self.notes_ = ["numbers standardized with statistics of the training rows"] if self.numbers_ else []
        if self.texts_:
            self.notes_.append(
                "text one-hot encoded, missing text as a category of its own, "
                f"at most {self.max_categories} columns each"
            )
        if left_out:
            shown = ", ".join(left_out[:5]) + (", ..." if len(left_out) > 5 else "")
            self.notes_.append(f"left out, being empty or different in every row: {shown}")
        return self

    def _fit_numbers(self, frame: pd.DataFrame) -> None:
        from sklearn.preprocessing import StandardScaler

        values = frame[self.numbers_].to_numpy(dtype=np.float64)
        self.medians_ = np.nanmedian(values, axis=0) if self.numbers_ else np.empty(0)
        self.scaler_ = (
            StandardScaler().fit(np.where(np.isnan(values), self.medians_, values)) if self.numbers_ else None
        )

    def _fit_texts(self, frame: pd.DataFrame) -> None:
        from sklearn.preprocessing import OneHotEncoder

        def name_of(column: Any, category: Any) -> str:
            return f"{column}={OTHER if category == 'infrequent_sklearn' else category}"

        self.encoder_ = OneHotEncoder(
            min_frequency=2,
            max_categories=self.max_categories,
            handle_unknown="infrequent_if_exist",
            sparse_output=False,
            dtype=np.float32,
            feature_name_combiner=name_of,
        )
        names: list[str] = []
        if self.texts_:
            names = self.encoder_.fit(frame[self.texts_].fillna(MISSING)).get_feature_names_out().tolist()
        self.feature_names_ = (*self.numbers_, *names)

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Encode rows as float32, of shape (n, len(feature_names_)).

        A category that the training rows do not have counts as "(other)", or as none if the column
        has no "(other)".
        """
        parts = []
        if self.scaler_ is not None:
            values = frame[self.numbers_].to_numpy(dtype=np.float64)
            parts.append(self.scaler_.transform(np.where(np.isnan(values), self.medians_, values)).astype(np.float32))
        if self.texts_:
            parts.append(self.encoder_.transform(frame[self.texts_].fillna(MISSING)))
        return np.concatenate(parts, axis=1)
