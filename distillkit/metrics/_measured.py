"""A measured value: a float that keeps its own error, its interval and a note."""

from __future__ import annotations

from typing import Any, Self

__all__ = ["Measured"]


class Measured(float):
    """Value of a metric, which is a float with what is known about its certainty.

    Parameters
    ----------
    value : float
    error : float or None
        Standard error of the value that the metric itself causes, for example by subsampling; None
        if the metric computes the value exactly.
    interval : tuple of (float, float) or None
        Interval at 95 %, if the metric has one of its own.
    note : str
        One sentence on how the value was computed, if that is not obvious, for example because of a
        limit on the number of rows.
    features : str
        Name and fingerprint of the feature extractor, such as ``"classifier:ab12cd34"``; empty if
        the metric compares the rows themselves. Values of different extractors cannot be compared.

    Examples
    --------
    >>> value = Measured(0.25, error=0.01, note="2,000 of 9,000 rows were compared.")
    >>> value + 0.5, value.error
    (0.75, 0.01)
    """

    error: float | None
    interval: tuple[float, float] | None
    note: str
    features: str

    def __new__(
        cls,
        value: float,
        error: float | None = None,
        interval: tuple[float, float] | None = None,
        note: str = "",
        features: str = "",
    ) -> Self:
        self = super().__new__(cls, value)
        self.error, self.interval, self.note, self.features = error, interval, note, features
        return self

    def __getnewargs__(self) -> Any:
        """Return the arguments of `__new__`, for copies and pickles."""
        return float(self), self.error, self.interval, self.note, self.features
