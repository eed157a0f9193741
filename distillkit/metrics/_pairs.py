"""Pairs of training rows and distilled rows to compare, by class or jointly with a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distances._samples import as_floats
from distillkit.exceptions import DataError
from distillkit.tables._frames import is_frame
from distillkit.utils._targets import infer_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distillkit.distilled import DistilledSet

__all__ = ["Pair", "class_labels", "flat_rows", "paired", "rows_of"]


@dataclass(frozen=True)
class Pair:
    """The rows of one class, or all rows if the target is continuous or absent.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Positions in the training rows.
    X : ndarray of shape (n, d)
        The training rows at these positions.
    distilled : ndarray of shape (m, d)
        Distilled rows of the same class, or of all classes if `stand_in` is true.
    weight : ndarray of shape (m,)
        Their sample weights, not scaled.
    stand_in : bool
        Whether the distilled set has no row of positive weight in this class.
    """

    rows: np.ndarray
    X: np.ndarray
    distilled: np.ndarray
    weight: np.ndarray
    stand_in: bool = False


def flat_rows(X: Any) -> np.ndarray:
    """Return rows of shape (n, d) in float32 or float64, with the values that they have in X."""
    X = as_floats(X)
    return np.asarray(X.reshape(len(X), -1))


def rows_of(X: Any, distilled: DistilledSet) -> np.ndarray:
    """Return training rows as `flat_rows` does; the columns of a frame are found by their names."""
    return flat_rows(distilled.encode(X) if is_frame(X) else X)


def paired(X: Any, y: Any, distilled: DistilledSet) -> Iterator[Pair]:
    """Yield the training rows in parts, each with the distilled rows to compare it with.

    - With class labels, there is one pair per class of `y`. A class without distilled rows is
      compared with all distilled rows, so that leaving a class out is not rewarded.
    - With a continuous target, there is one pair of all rows, with the target as one more column on
      both sides, standardized by the mean and standard deviation of the training target.
    - Without a target, there is one pair of all rows.

    Distilled rows in the space of the method's own `preprocessing` are transformed back by its
    inverse, so that all methods are compared in the units of the data.

    Parameters
    ----------
    X : array-like of shape (n, ...), or frame of shape (n, d)
        The columns of a frame may be in any order.
    y : array-like of shape (n,) or None
        Class labels or numbers.
    distilled : DistilledSet

    Yields
    ------
    Pair

    Raises
    ------
    DataError
        If training rows and distilled rows have different features, if either has no rows, or if
        rows or continuous targets are not finite.
    """
    flat, y = rows_of(X, distilled), None if y is None else np.asarray(y)
    distilled_X = (
        distilled.X if distilled.preprocessing is None else distilled.preprocessing.inverse_transform(distilled.X)
    )
    distilled_rows, weight = flat_rows(distilled_X), np.asarray(distilled.sample_weight, dtype=np.float64)
    if not len(flat) or not len(distilled_rows) or flat.shape[1] != distilled_rows.shape[1]:
        raise DataError(
            f"training rows of shape {flat.shape} and distilled rows of shape {distilled_rows.shape} "
            "cannot be compared: both need at least one row and the same features."
        )
    if not np.isfinite(distilled_rows).all():
        raise DataError("the distilled rows hold NaN or infinite values: distillation has diverged.")
    if not np.isfinite(flat).all():
        raise DataError("the training rows hold NaN or infinite values: drop or fill these rows.")
    labels = class_labels(y, distilled)
    if y is None or distilled.y is None:
        yield Pair(np.arange(len(flat)), flat, distilled_rows, weight)
    elif labels is not None:
        yield from _per_class(labels, flat, y, distilled_rows, np.asarray(distilled.y), weight)
    else:
        columns = _standardized(y, distilled.y)
        rows = [_with_column(*part) for part in zip((flat, distilled_rows), columns, strict=True)]
        yield Pair(np.arange(len(flat)), rows[0], rows[1], weight)


def class_labels(y: Any, distilled: DistilledSet) -> np.ndarray | None:
    """Return the sorted class labels of the training rows, or None if they have no classes."""
    if y is None or distilled.y is None:
        return None
    y = np.asarray(y)
    task = "classification" if distilled.classes is not None else distilled.provenance.get("task") or infer_task(y)
    return np.unique(y) if task == "classification" else None


def _per_class(
    labels: np.ndarray,
    flat: np.ndarray,
    y: np.ndarray,
    distilled_rows: np.ndarray,
    y_distilled: np.ndarray,
    weight: np.ndarray,
) -> Iterator[Pair]:
    for label in labels:
        rows = np.flatnonzero(y == label)
        of_class = np.flatnonzero((y_distilled == label) & (weight > 0))
        stand_in = len(of_class) == 0
        if stand_in:
            yield Pair(rows, flat[rows], distilled_rows, weight, stand_in)
        else:
            yield Pair(rows, flat[rows], distilled_rows[of_class], weight[of_class], stand_in)


def _standardized(y: Any, y_distilled: Any) -> tuple[np.ndarray, np.ndarray]:
    """Standardize both targets by the mean and standard deviation of the training target."""
    y, y_distilled = (np.asarray(as_floats(values, "y"), dtype=np.float64) for values in (y, y_distilled))
    if not (np.isfinite(y).all() and np.isfinite(y_distilled).all()):
        raise DataError("the targets hold NaN or infinite values: drop or fill these rows.")
    lowest, highest = y.min(), y.max()
    if lowest == highest:  # the standard deviation of equal values may be a rounding error above 0
        return y - lowest, y_distilled - lowest
    # Scale by a power of two, which is exact, so that no square can overflow or underflow.
    exponent = -int(np.frexp(highest / 2 - lowest / 2)[1])
    y, y_distilled = np.ldexp(y, exponent), np.ldexp(y_distilled, exponent)
    mean = y[0] + np.mean(y - y[0])
    deviation = np.std(y - mean)
    return (y - mean) / deviation, (y_distilled - mean) / deviation


def _with_column(X: np.ndarray, column: np.ndarray) -> np.ndarray:
    return np.column_stack([X, column.astype(X.dtype, copy=False)])
