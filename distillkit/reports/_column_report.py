"""What a report says of one column."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["ColumnReport"]

_DRIFTED = 3.0
_HIDDEN = ("bins", "levels", "lost", "new")


@dataclass(frozen=True, kw_only=True)
class ColumnReport:
    """One column of the real rows beside that of the small set, whose rows count by their weights.

    Figures that a kind of column does not have are None.

    Parameters
    ----------
    name : str
    kind : {"number", "date", "duration", "category", "boolean", "identifier", "empty"}
        An identifier is text that differs in nearly every real row; an empty column has no value.
    is_target : bool
        Whether it is the target.
    measure : {"KS", "TV", ""}
        Measure of the drift: the Kolmogorov-Smirnov distance of numbers and dates, or the total
        variation distance of the shares of levels, among which gaps count as one more level.
    drift : float or None
        In [0, 1]; 0 for equal distributions.
    floor, floor_sd : float or None
        Mean and standard deviation of the same measure for random real rows that have the number,
        the class counts and the weights of the small set, against the other real rows.
    z : float or None
        Difference of the drift from its floor, in standard deviations.
    gaps_real, gaps_small : float
        Shares of missing values, in [0, 1].
    levels_real, levels_small : int or None
        Numbers of different values of labels.
    levels_lost : int or None
        Number of levels of the real rows that the small set does not have.
    levels_lost_expected : float or None
        The same number for as many random rows, on average: the sum of ``(1 - p) ** m`` over the
        levels of share p, for m rows of the small set.
    share_lost : float or None
        Share of the real rows that have a lost level.
    levels_new : int or None
        Number of levels that only the small set has.
    mean_real, mean_small, sd_real, sd_small : float or None
        Of the values that are not missing. Dates have their mean in seconds since 1970.
    quantiles_real, quantiles_small : tuple of 5 float, or None
        Smallest value, lower quartile, median, upper quartile and largest value: the least values
        at or below which these shares of the rows lie.
    bins : tuple of (tuple of float, tuple of float, tuple of float)
        Edges of the histogram that both sides share, with the shares of the real rows and of the
        small set in each bin.
    levels : tuple of (object, float, float)
        The most frequent levels, with their shares among all rows on both sides.
    lost, new : tuple
        Lost levels, the most frequent first, and those that only the small set has.
    """

    name: str
    kind: str
    is_target: bool = False
    measure: str = ""
    drift: float | None = None
    floor: float | None = None
    floor_sd: float | None = None
    z: float | None = None
    gaps_real: float = 0.0
    gaps_small: float = 0.0
    levels_real: int | None = None
    levels_small: int | None = None
    levels_lost: int | None = None
    levels_lost_expected: float | None = None
    share_lost: float | None = None
    levels_new: int | None = None
    mean_real: float | None = None
    mean_small: float | None = None
    sd_real: float | None = None
    sd_small: float | None = None
    quantiles_real: tuple[float, ...] | None = None
    quantiles_small: tuple[float, ...] | None = None
    bins: tuple[Any, ...] = field(default=(), repr=False)
    levels: tuple[tuple[Any, float, float], ...] = field(default=(), repr=False)
    lost: tuple[Any, ...] = field(default=(), repr=False)
    new: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def drifts(self) -> bool:
        """Whether the drift lies more than three standard deviations above its floor."""
        return self.z is not None and self.z > _DRIFTED

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as one row of a table, with the quantiles as columns of their own."""
        row = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _HIDDEN}
        for side in ("real", "small"):
            quantiles = row.pop(f"quantiles_{side}") or (None,) * 5
            row |= dict(
                zip([f"{name}_{side}" for name in ("min", "q25", "median", "q75", "max")], quantiles, strict=True)
            )
        return row
