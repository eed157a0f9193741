"""Training rows and distilled rows side by side: class by class, or jointly with a continuous target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.utils._targets import infer_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distillkit.distilled import DistilledSet

__all__ = ["Pair", "class_labels", "flat_rows", "paired"]


@dataclass(frozen=True)
class Pair:
    """Rows of one class, or all rows where the target is continuous or absent.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Positions in the training rows.
    X : ndarray of shape (n, d)
        The training rows at these positions.
    distilled : ndarray of shape (m, d)
        Distilled rows of the same class; of all classes where `stand_in` is true.
    weight : ndarray of shape (m,)
        Their sample weights, not scaled.
    stand_in : bool
        Whether the distilled set has no row of this class that has any weight.
    """

    rows: np.ndarray
    X: np.ndarray
    distilled: np.ndarray
    weight: np.ndarray
    stand_in: bool = False


def flat_rows(X: Any) -> np.ndarray:
    """Return rows as floats of shape (n, d); uint8 is read as pixels, 0 to 255 as 0 to 1."""
    X = np.asarray(X)
    flat = X.reshape(len(X), -1)
    if flat.dtype == np.uint8:
        return np.asarray(flat / np.float32(255), dtype=np.float32)
    return np.asarray(flat if flat.dtype in (np.float32, np.float64) else flat.astype(np.float64))


def paired(X: Any, y: Any, distilled: DistilledSet) -> Iterator[Pair]:
    """Put each part of the training rows beside the distilled rows it is compared with.

    - Class labels: one pair per class of `y`. Where the distilled set has no row of the class, all of its rows stand
      in: to leave a class out must not look good.
    - A continuous target: one pair of all rows; the target is appended to both sides as one more column, with the mean
      and the standard deviation of the training target taken out.
    - No target: one pair of all rows.

    Distilled rows that live in the space of the method's own `preprocessing` are carried back by its inverse, so that
    all methods are measured in the units of the data.

    Parameters
    ----------
    X : array-like of shape (n, ...)
    y : array-like of shape (n,) or None
    distilled : DistilledSet

    Yields
    ------
    Pair

    Raises
    ------
    DataError
        If the rows of the two do not have the same number of features, there are none, or distilled ones are not finite.
    """
    flat, y = flat_rows(X), None if y is None else np.asarray(y)
    made = distilled.X if distilled.preprocessing is None else distilled.preprocessing.inverse_transform(distilled.X)
    small, weight = flat_rows(made), np.asarray(distilled.sample_weight, dtype=np.float64)
    if not len(flat) or not len(small) or flat.shape[1] != small.shape[1]:
        raise DataError(
            f"training rows of shape {flat.shape} and distilled rows of shape {small.shape} cannot be compared: "
            "both need at least one row and the same features."
        )
    if not np.isfinite(small).all():
        raise DataError("the distilled rows hold NaN or infinite values: distillation has diverged.")
    labels = class_labels(y, distilled)
    if y is None or distilled.y is None:
        yield Pair(np.arange(len(flat)), flat, small, weight)
    elif labels is not None:
        yield from _per_class(labels, flat, y, small, np.asarray(distilled.y), weight)
    else:
        mean, scale = float(np.mean(y)), float(np.std(y)) or 1.0
        yield Pair(
            np.arange(len(flat)),
            _with_column(flat, (y - mean) / scale),
            _with_column(small, (np.asarray(distilled.y) - mean) / scale),
            weight,
        )


def class_labels(y: Any, distilled: DistilledSet) -> np.ndarray | None:
    """Return the sorted class labels of the training rows, or None where the target is continuous or absent."""
    if y is None or distilled.y is None:
        return None
    y = np.asarray(y)
    task = "classification" if distilled.classes is not None else distilled.provenance.get("task") or infer_task(y)
    return np.unique(y) if task == "classification" else None


def _per_class(
    labels: np.ndarray, flat: np.ndarray, y: np.ndarray, small: np.ndarray, y_small: np.ndarray, weight: np.ndarray
) -> Iterator[Pair]:
    for label in labels:
        rows, own = np.flatnonzero(y == label), np.flatnonzero((y_small == label) & (weight > 0))
        stand_in = len(own) == 0
        yield Pair(rows, flat[rows], small if stand_in else small[own], weight if stand_in else weight[own], stand_in)


def _with_column(X: np.ndarray, column: np.ndarray) -> np.ndarray:
    return np.column_stack([X, column.astype(X.dtype, copy=False)])
