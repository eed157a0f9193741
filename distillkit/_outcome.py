"""What a method hands back to the base, and how it becomes distilled rows, labels and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError

if TYPE_CHECKING:
    from distillkit._preprocessing import Preprocessing
    from distillkit._training import TrainingRows

__all__ = ["Outcome", "distilled_pair", "scaled_weight"]


@dataclass
class Outcome:
    """What a method returns: picked rows (`indices`) or made rows (`X` and, with a target, `y`).

    Parameters
    ----------
    X : ndarray of shape (m, ...) or None
        Made rows in the units of the training rows; None where rows were picked.
    y : ndarray of shape (m,) or None
    indices : ndarray of shape (m,) or None
        Picked rows, in ranking order where the method ranks.
    weight : ndarray of shape (m,) or None
        Rows each stands for; scaled by the base to sum to the rows seen. None: equal weights.
    soft_labels : ndarray of shape (m, n_classes) or None
    preprocessing : Preprocessing or None
        The space models should be trained in, if not that of the data: the base carries the distilled rows there,
        and `transform` carries new ones.

    Raises
    ------
    DataError
        If rows were neither picked nor made, or both.
    """

    X: np.ndarray | None = None
    y: np.ndarray | None = None
    indices: np.ndarray | None = None
    weight: np.ndarray | None = None
    soft_labels: np.ndarray | None = None
    preprocessing: Preprocessing | None = None

    def __post_init__(self) -> None:
        if (self.X is None) == (self.indices is None):
            raise DataError("a method returns either picked rows (indices) or made rows (X): give exactly one of them.")


def distilled_pair(outcome: Outcome, source: np.ndarray, rows: TrainingRows) -> tuple[np.ndarray, np.ndarray | None]:
    """Return distilled rows in the dtype of `source` (or the space of a preprocessing) and labels in that of y.

    Raises
    ------
    DataError
        If the method diverged to NaN or infinity, or made rows without labels.
    """
    picked = outcome.indices
    if outcome.preprocessing is not None:
        before = np.asarray(outcome.X) if picked is None else rows.X[picked]
        X = outcome.preprocessing.transform(before).astype(rows.X.dtype, copy=False)
    else:
        X = _to_dtype(np.asarray(outcome.X), source.dtype) if picked is None else source[picked]
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        raise DataError(
            "the distilled rows hold NaN or infinity: the method diverged; lower its learning rate or scale X."
        )
    return X, None if rows.y is None else _labels(outcome, rows.y, rows.task)


def _labels(outcome: Outcome, y: np.ndarray, task: str | None) -> np.ndarray:
    if outcome.indices is not None:
        picked: np.ndarray = y[outcome.indices]
        return picked
    if outcome.y is None:
        raise DataError("the method made rows without labels, but y was given: return Outcome(X=..., y=...).")
    made = np.asarray(outcome.y)
    # the mean of whole numbers need not be whole, so made numbers stay floats where y holds integers
    return made if task == "regression" and y.dtype.kind != "f" else made.astype(y.dtype, copy=False)


def scaled_weight(weight: np.ndarray | None, size: int, n_rows: int) -> np.ndarray:
    """Return positive weights that sum to the rows seen; None means equal weights.

    Raises
    ------
    DataError
        If the method returned weights that are not one positive number per row.
    """
    given = np.ones(size) if weight is None else np.asarray(weight, dtype=np.float64)
    if given.shape != (size,) or not (np.isfinite(given) & (given > 0)).all():
        raise DataError(f"the method returned weights that are not {size} positive numbers, one per distilled row.")
    scaled: np.ndarray = given * (n_rows / given.sum())
    return scaled


def _to_dtype(rows: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Cast made rows to the dtype that came in; integers are rounded and kept in range."""
    if dtype.kind == "b":
        return np.asarray(rows >= 0.5)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        rows = np.clip(np.rint(rows), limits.min, limits.max)
    cast: np.ndarray = rows.astype(dtype, copy=False)
    return cast
