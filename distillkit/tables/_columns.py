"""The kinds of columns of a mixed table, each of which maps its values to numbers and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables._conversion import as_labels, as_numbers, as_times, check_finite
from distillkit.tables._reading import Labels, Numbers, Times, Values

__all__ = [
    "BooleanColumn",
    "CategoryColumn",
    "Column",
    "NumberColumn",
    "OmittedColumn",
    "TextNumberColumn",
    "TimeColumn",
]

_LARGEST = float(2**62)


def _with_gaps(numbers: np.ndarray, missing: np.ndarray, has_gaps: bool, filling: float) -> np.ndarray:
    """Return a block of numbers, filled where missing, and perhaps a second column of gaps."""
    block = np.where(missing, filling, numbers)[:, None]
    return np.hstack([block, missing[:, None].astype(np.float64)]) if has_gaps else block


@dataclass(frozen=True)
class NumberColumn:
    """Numbers, as ``(x - mean) / scale``, with a mark of 1 in a second column where missing.

    Parameters
    ----------
    mean, scale : float
    low, high : int or float
        Smallest and largest value of the training rows.
    is_whole : bool
        Whether all values are whole numbers, so that made values are rounded and clipped.
    is_constant : bool
        Whether the column has no part in distances, because it holds one value only.
    has_gaps : bool
        Whether values were missing.
    filling : float, default=0.0
        Encoded value of missing numbers: 0, the mean, if the numbers are standardized.
    """

    kind: ClassVar[str] = "number"
    mean: float
    scale: float
    low: float
    high: float
    is_whole: bool
    is_constant: bool
    has_gaps: bool
    filling: float = 0.0

    @property
    def parts(self) -> list[str]:
        """Names of the encoded columns, added to the name of the column."""
        return ([] if self.is_constant else [""]) + (["=missing"] if self.has_gaps else [])

    def encode(self, values: Values, name: Any) -> np.ndarray:
        """Return the block (n, width) of a column."""
        return self.block(self.checked(as_numbers(values, name), name))

    def checked(self, numbers: np.ndarray, name: Any) -> np.ndarray:
        """Return numbers that hold no infinity."""
        check_finite(numbers, name)
        return numbers

    def block(self, numbers: np.ndarray) -> np.ndarray:
        """Return the block (n, width) of numbers that are NaN where missing."""
        # Large values are scaled before they are centered, so that no difference overflows.
        scaled = (
            numbers / self.scale - self.mean / self.scale
            if abs(self.mean) > 1e150
            else (numbers - self.mean) / self.scale
        )
        block = _with_gaps(scaled, np.isnan(numbers), self.has_gaps, self.filling)
        return block[:, 1:] if self.is_constant else block

    def decode(self, block: np.ndarray, *, rounded: bool) -> Numbers:
        """Return the numbers of a block."""
        values = np.full(len(block), self.mean) if self.is_constant else block[:, 0] * self.scale + self.mean
        if rounded and self.is_whole:
            values = np.clip(np.rint(values), float(self.low), float(self.high))
        return Numbers(np.where(gaps_of(self, block), np.nan, values), is_integer=self.is_whole)


@dataclass(frozen=True)
class BooleanColumn:
    """Truth values, as 0 and `step`; missing ones as the mean, with a mark in a second column.

    Parameters
    ----------
    mean : float
        Share of true values in the training rows.
    step : float
        Distance of true and false, sqrt(2) as between two levels of a category.
    has_gaps : bool
        Whether values were missing.
    """

    kind: ClassVar[str] = "boolean"
    mean: float
    step: float
    has_gaps: bool

    @property
    def parts(self) -> list[str]:
        """Names of the encoded columns, added to the name of the column."""
        return ["", "=missing"] if self.has_gaps else [""]

    def encode(self, values: Values, name: Any) -> np.ndarray:
        """Return the block (n, width) of a column."""
        return self.block(as_numbers(values, name))

    def checked(self, numbers: np.ndarray, name: Any) -> np.ndarray:
        """Return truth values as they are."""
        return numbers

    def block(self, numbers: np.ndarray) -> np.ndarray:
        """Return the block (n, width) of truth values that are NaN where missing."""
        missing = np.isnan(numbers)
        return _with_gaps(numbers * self.step, missing, self.has_gaps, self.mean * self.step)

    def decode(self, block: np.ndarray, *, rounded: bool) -> Numbers:
        """Return the truth values of a block, always 0 or 1."""
        truth = (block[:, 0] >= 0.5 * self.step).astype(np.float64)
        return Numbers(np.where(gaps_of(self, block), np.nan, truth), is_boolean=True)


@dataclass(frozen=True)
class TimeColumn:
    """Dates, times or durations, as numbers of a unit since the earliest one.

    Parameters
    ----------
    numbers : NumberColumn
        How the numbers are encoded.
    unit : str
        Unit of NumPy, such as "D" or "ns".
    offset : int
        Earliest value in this unit.
    step : int
        Coarsest resolution of the training rows in this unit (a day, an hour, ...), to which made
        values are rounded.
    is_duration, is_date : bool
    text : str or None
        Separator of date and time if the column holds ISO dates as text, "" for dates alone.
    """

    kind: ClassVar[str] = "time"
    numbers: NumberColumn
    unit: str
    offset: int
    step: int
    is_duration: bool
    is_date: bool
    text: str | None = None

    @property
    def has_gaps(self) -> bool:
        """Whether values were missing."""
        return self.numbers.has_gaps

    @property
    def parts(self) -> list[str]:
        """Names of the encoded columns, added to the name of the column."""
        return self.numbers.parts

    @property
    def dtype(self) -> str:
        """NumPy dtype of the values."""
        return f"{'timedelta64' if self.is_duration else 'datetime64'}[{self.unit}]"

    def encode(self, values: Values, name: Any) -> np.ndarray:
        """Return the block (n, width) of a column."""
        return self.numbers.encode(Numbers(self.since(as_times(values, self.dtype, name))), name)

    def since(self, times: np.ndarray) -> np.ndarray:
        """Return times as numbers since the offset, NaN where missing."""
        steps = times.astype(self.dtype).astype(np.int64)
        return np.where(np.isnat(times), np.nan, (steps - self.offset).astype(np.float64))

    def decode(self, block: np.ndarray, *, rounded: bool) -> Times | Labels:
        """Return the times of a block within the seen range; text where the column held text."""
        numbers = self.numbers.decode(block, rounded=False).data
        missing = np.isnan(numbers)
        within = np.clip(np.where(missing, 0.0, numbers), float(self.numbers.low), float(self.numbers.high))
        steps = np.rint(np.clip(within / self.step, -_LARGEST, _LARGEST)).astype(np.int64) * self.step + self.offset
        times = steps.astype(self.dtype)
        if self.text is not None:
            words = [word.replace("T", self.text) for word in np.datetime_as_string(times).tolist()]
            return Labels(np.where(missing, -1, np.arange(len(words))), words)
        times[missing] = "NaT"
        return Times(times, is_date=self.is_date)


@dataclass(frozen=True)
class TextNumberColumn:
    """Numbers with fractions that are held as text, perhaps with blanks for missing values.

    Parameters
    ----------
    numbers : NumberColumn
        How the numbers are encoded.
    decimals : int
        Largest number of decimals of the training rows, to which made values are rounded.
    blank : str or None
        Text of a missing value; None if missing values are no text.
    """

    kind: ClassVar[str] = "text number"
    numbers: NumberColumn
    decimals: int
    blank: str | None

    @property
    def parts(self) -> list[str]:
        """Names of the encoded columns, added to the name of the column."""
        return self.numbers.parts

    def encode(self, values: Values, name: Any) -> np.ndarray:
        """Return the block (n, width) of a column."""
        return self.numbers.encode(Numbers(as_numbers(values, name, blank_is_missing=True)), name)

    def decode(self, block: np.ndarray, *, rounded: bool) -> Labels:
        """Return the numbers of a block as text."""
        numbers = self.numbers.decode(block, rounded=False).data
        missing = np.isnan(numbers)
        words = [f"{number:.{self.decimals}f}".rstrip("0").rstrip(".") for number in numbers.tolist()]
        if self.blank is not None:
            words = [self.blank if gap else word for word, gap in zip(words, missing, strict=True)]
            missing = np.zeros(len(words), dtype=bool)
        return Labels(np.where(missing, -1, np.arange(len(words))), words)


@dataclass(frozen=True)
class CategoryColumn:
    """Labels, one-hot encoded, so that two different levels are sqrt(2) apart.

    Parameters
    ----------
    levels : tuple
        Levels of the training rows, the most frequent one first.
    counts : tuple of int
        Their numbers of rows.
    n_own : int
        Number of levels with a column of their own; all rarer ones share one.
    has_gaps : bool
        Whether values were missing, which then count as one more level.
    """

    kind: ClassVar[str] = "category"
    levels: tuple[Any, ...]
    counts: tuple[int, ...]
    n_own: int
    has_gaps: bool

    @property
    def has_other(self) -> bool:
        """Whether rare levels share a column."""
        return self.n_own < len(self.levels)

    @property
    def parts(self) -> list[str]:
        """Names of the encoded columns, added to the name of the column."""
        parts = [f"={level}" for level in self.levels[: self.n_own]]
        parts += ["=(other)"] * self.has_other + ["=missing"] * self.has_gaps
        return [] if len(parts) == 1 else parts

    def labels(self, values: Values, name: Any) -> Labels:
        """Return the values of a column as labels.

        Raises
        ------
        DataError
            If they are numbers, but the training rows hold text, of which no level could be found.
        """
        holds_text = bool(self.levels) and all(isinstance(level, str) for level in self.levels)
        if holds_text and isinstance(values, Numbers) and not values.missing.all():
            raise DataError(f"column {name!r} holds numbers, but text in the training rows: give text.")
        return as_labels(values)

    def encode(self, values: Values, name: Any) -> np.ndarray:
        """Return the block (n, width) of a column; unknown levels count as rare ones."""
        return self.one_hot(self.places(values, name)) if self.parts else np.zeros((len(values.missing), 0))

    def places(self, values: Values, name: Any) -> np.ndarray:
        """Return which encoded column is 1 in each row, -1 for none, as the smallest integers."""
        labels, width = self.labels(values, name), len(self.parts)
        unknown = self.n_own if self.has_other else -1
        own = {level: position for position, level in enumerate(self.levels[: self.n_own])}
        gap = width - 1 if self.has_gaps else -1
        of_levels = np.array(
            [*(own.get(level, unknown) for level in labels.levels), gap], dtype=np.min_scalar_type(-width - 1)
        )
        places: np.ndarray = of_levels[labels.codes]  # the code -1 of missing values takes the last entry
        return places

    def one_hot(self, places: np.ndarray) -> np.ndarray:
        """Return the block (n, width) of rows whose `places` are given."""
        block = np.zeros((len(places), len(self.parts)))
        rows = np.flatnonzero(places >= 0)
        block[rows, places[rows]] = 1.0
        return block

    def decode(self, block: np.ndarray, *, rounded: bool) -> Labels:
        """Return the nearest level of each row of a block; of the rare ones, the most frequent."""
        if not block.shape[1]:
            return Labels(
                np.zeros(len(block), dtype=np.int64) if self.levels else np.full(len(block), -1), list(self.levels)
            )
        nearest = block.argmax(axis=1)
        missing = nearest == block.shape[1] - 1 if self.has_gaps else np.zeros(len(block), dtype=bool)
        return Labels(np.where(missing, -1, nearest), list(self.levels))


@dataclass(frozen=True)
class OmittedColumn:
    """A column without part in distances, which made rows leave empty.

    Parameters
    ----------
    reason : {"identifier", "empty"}
        Whether nearly every value is different, or all are missing.
    """

    kind: ClassVar[str] = "omitted"
    reason: str

    @property
    def parts(self) -> list[str]:
        """Names of the encoded columns: none."""
        return []

    def encode(self, values: Values, name: Any) -> np.ndarray:
        """Return a block of no columns."""
        return np.zeros((len(values.missing), 0))

    def decode(self, block: np.ndarray, *, rounded: bool) -> Labels:
        """Return missing values."""
        return Labels(np.full(len(block), -1), [])


Column = NumberColumn | BooleanColumn | TimeColumn | TextNumberColumn | CategoryColumn | OmittedColumn


def gaps_of(column: NumberColumn | BooleanColumn, block: np.ndarray) -> np.ndarray:
    """Return where the mark in the last column of a block says that a value is missing."""
    gaps: np.ndarray = block[:, -1] >= 0.5 if column.has_gaps else np.zeros(len(block), dtype=bool)
    return gaps
