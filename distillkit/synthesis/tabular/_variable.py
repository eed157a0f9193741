"""A column of a table as a generator sees it: a number or a category, with gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distillkit.synthesis.tabular._resolution import to_multiples

__all__ = ["Variable"]


@dataclass(frozen=True, eq=False)
class Variable:
    """A number or a category, which takes one or several of the encoded columns.

    Values are floats: a number in the units of the table, NaN where it is missing, or the position
    of the level of a category, where a gap is a level of its own.

    Parameters
    ----------
    kind : {"number", "one-hot", "boolean", "mark"}
        "one-hot" is a category with one encoded column for each level. "boolean" has the levels
        false, true and, if there are gaps, missing. "mark" is a constant with gaps, whose levels
        are present and missing.
    start, width : int
        First encoded column, and number of encoded columns.
    mean, scale : float
        A number is encoded as ``(x - mean) / scale``, and the truth of a boolean as 0 and `scale`.
    filling : float
        Encoded value of a gap.
    low, high : float
        Range of the training rows.
    resolution : float
        Numbers are whole multiples of it; 0 if there is none.
    has_gaps : bool
    discrete : bool
        Whether new numbers must equal one of the training rows, because there are few of them.
    """

    kind: str
    start: int
    width: int
    mean: float = 0.0
    scale: float = 1.0
    filling: float = 0.0
    low: float = 0.0
    high: float = 0.0
    resolution: float = 0.0
    has_gaps: bool = False
    discrete: bool = False

    @property
    def is_number(self) -> bool:
        """Whether values are numbers and not the positions of levels."""
        return self.kind == "number"

    @property
    def n_levels(self) -> int:
        """Number of levels of a category, with that of gaps; 0 for numbers."""
        if self.kind == "one-hot":
            return self.width
        return {"number": 0, "boolean": 2 + self.has_gaps, "mark": 2}[self.kind]

    def values(self, X: np.ndarray) -> np.ndarray:
        """Return the values of encoded rows (n, d), or the nearest that a column can hold."""
        block = X[:, self.start : self.start + self.width]
        if self.kind == "one-hot":
            levels: np.ndarray = block.argmax(axis=1).astype(np.float64)
            return levels
        if self.kind == "mark":
            return (block[:, 0] >= 0.5).astype(np.float64)
        gaps = block[:, -1] >= 0.5 if self.has_gaps else np.zeros(len(X), dtype=bool)
        if self.kind == "boolean":
            return np.where(gaps, 2.0, block[:, 0] >= 0.5 * self.scale)
        return np.where(gaps, np.nan, self.rounded(block[:, 0].astype(np.float64) * self.scale + self.mean))

    def rounded(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers within the range of the training rows, as multiples of the resolution."""
        if self.resolution:
            numbers = to_multiples(numbers, self.resolution)
        clipped: np.ndarray = np.clip(numbers, self.low, self.high)
        return clipped

    def encode(self, values: np.ndarray, X: np.ndarray) -> None:
        """Write values (n,) into their columns of encoded rows X (n, d)."""
        block = X[:, self.start : self.start + self.width]
        if self.kind == "one-hot":
            block[np.arange(len(values)), values.astype(np.int64)] = 1.0
        elif self.kind == "mark":
            block[:, 0] = values
        else:
            gaps = np.isnan(values) if self.is_number else values == 2
            encoded = (values - self.mean) / self.scale if self.is_number else values * self.scale
            block[:, 0] = np.where(gaps, self.filling, encoded)
            if self.has_gaps:
                block[:, 1] = gaps
