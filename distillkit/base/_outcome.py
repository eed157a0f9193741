"""What a method hands back to the base, and how it becomes distilled rows, labels and weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from distillkit.exceptions import DataError
from distillkit.utils._interpolation import expand, to_dtype

if TYPE_CHECKING:
    from distillkit.base._training_rows import TrainingRows
    from distillkit.utils._preprocessing import Preprocessing

__all__ = ["Outcome", "Seen", "distilled_pair", "ranking_of", "scaled_weight"]


@dataclass
class Outcome:
    """What a method returns: picked rows (`indices`) or made rows (`X` and, with a target, `y`).

    Parameters
    ----------
    X : ndarray of shape (m, ...) or None
        Made rows in the units of the training rows; None where rows were picked.
    y : ndarray of shape (m,) or None
    indices : ndarray of shape (m,) or None
        Picked rows.
    weight : ndarray of shape (m,) or None
        Rows each stands for; scaled by the base to sum to the rows seen. None: equal weights.
    soft_labels : ndarray of shape (m, n_classes) or None
    stored : ndarray of shape (m, channels, ...) or None
        Smaller images or series from which the rows are made by linear interpolation, in the units of the training rows: they are
        what a distilled set keeps.
    preprocessing : Preprocessing or None
        The space models should be trained in, if not that of the data: the base carries the distilled rows there,
        and `transform` carries new ones.
    ranked : bool
        Whether the rows of each class are in ranking order, so that the first j of them are what the method gives for
        j rows: `DistilledSet.prefix` then serves every smaller budget.
    weighting : {"nearest", None}
        "nearest": a weight counts the training rows of the class that have this row as their nearest, so that the
        weights of a prefix can be counted, too. None: those of a prefix are scaled.
    offset : float or None
        Where each row is the mean of the rows it stands for: the sum of their squared distances to it, in the units of
        X. The k-means cost of all rows is then that of the distilled ones plus this constant, up to rows that have
        other nearest centres than their mean (Feldman, Schmidt and Sohler, SODA 2013). 0 for unbiased samples. None
        where neither is so.
    notes : dict of str to plain values
        More to know of how the rows came about, for the provenance.
    error : Exception or None
        What ended the fit before its time: the rows are kept as the fitted attributes, then it is raised.

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
    stored: np.ndarray | None = None
    preprocessing: Preprocessing | None = None
    ranked: bool = False
    weighting: str | None = None
    offset: float | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None

    def __post_init__(self) -> None:
        if (self.X is None) == (self.indices is None):
            raise DataError("a method returns either picked rows (indices) or made rows (X): give exactly one of them.")


@dataclass(frozen=True, eq=False)
class Seen:
    """What a distilled set keeps to know of the rows it was made from.

    Parameters
    ----------
    rows, nbytes : int
    task : {"classification", "regression", None}
    classes : ndarray of shape (n_classes,) or None
        Sorted.
    class_rows : ndarray of shape (n_classes,) or None
        Rows of each class.
    """

    rows: int
    nbytes: int
    task: str | None
    classes: np.ndarray | None = None
    class_rows: np.ndarray | None = None

    @classmethod
    def of(cls, source: np.ndarray, rows: TrainingRows) -> Self:
        """Describe rows that are in memory."""
        nbytes = int(source.nbytes + (0 if rows.y is None else rows.y.nbytes))
        if rows.y is None or rows.task != "classification":
            return cls(len(source), nbytes, rows.task)
        return cls(len(source), nbytes, rows.task, *np.unique(rows.y, return_counts=True))


def ranking_of(outcome: Outcome, y: np.ndarray | None, task: str | None, size: int) -> np.ndarray | None:
    """Return the place of each row in the ranking of its class, from 0; None where the method does not rank."""
    if not outcome.ranked:
        return None
    ranking = np.arange(size)
    if y is not None and task == "classification":
        for label in np.unique(y):
            own = np.flatnonzero(y == label)
            ranking[own] = np.arange(len(own))
    return ranking


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
        X = _made(outcome, source) if picked is None else source[picked]
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        raise DataError(
            "the distilled rows hold NaN or infinity: the method diverged; lower its learning rate or scale X."
        )
    return X, None if rows.y is None else _labels(outcome, rows.y, rows.task)


def _made(outcome: Outcome, source: np.ndarray) -> np.ndarray:
    if outcome.stored is None:
        return to_dtype(np.asarray(outcome.X), source.dtype)
    return expand(to_dtype(outcome.stored, source.dtype), source.shape[2:])


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
