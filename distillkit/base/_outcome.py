"""The outcome of a method, and its conversion into distilled rows, labels and weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from distillkit.exceptions import DataError
from distillkit.utils._interpolation import expand
from distillkit.utils._sparse import is_sparse, size_in_bytes

if TYPE_CHECKING:
    from distillkit.base._training_rows import TrainingRows
    from distillkit.utils._preprocessing import Preprocessing

__all__ = ["Outcome", "SourceSummary", "distilled_pair", "ranking_of", "scaled_weight"]


@dataclass
class Outcome:
    """Result of a method: selected rows (`indices`) or synthetic rows (`X` and perhaps `y`).

    Parameters
    ----------
    X : ndarray of shape (m, ...) or None
        Synthetic rows in the units of the training rows; None if rows were selected.
    y : ndarray of shape (m,) or None
        Targets of synthetic rows.
    indices : ndarray of shape (m,) or None
        Positions of selected rows.
    weight : ndarray of shape (m,) or None
        Number of training rows that each row represents; the base scales the weights to sum to the
        number of training rows, or to the sum of their weights. None means equal weights.
    soft_labels : ndarray of shape (m, n_classes) or None
        Class probabilities of the rows.
    stored : ndarray of shape (m, channels, ...) or None
        Smaller images or series from which the rows are computed by linear interpolation, in the
        units of the training rows. A distilled set saves these instead of the rows.
    preprocessing : Preprocessing or None
        Map into the space in which models should be trained, if it is not that of the data. The
        base maps the distilled rows into this space, and `transform` maps new rows.
    ranked : bool
        Whether the rows of each class are in ranking order, so that the first j of them are the
        result for a budget of j. `DistilledSet.prefix` then serves every smaller budget.
    weighting : {"nearest", None}
        "nearest": the weight of a row is the number of training rows of its class that have it as
        their nearest row, so that the weights of a prefix can be counted as well. None: the weights
        of a prefix are scaled.
    offset : float or None
        If each row is the mean of the rows that it represents: the sum of the squared distances of
        these rows to it, in the units of X. The k-means cost of all rows is then that of the
        distilled rows plus this constant, except for rows whose nearest center differs from that of
        their mean (Feldman, Schmidt and Sohler, SODA 2013). 0 for unbiased samples; None for other
        methods.
    notes : dict of str to plain values
        Further entries of the provenance.
    error : Exception or None
        Error that ended the fit early. The fitted attributes are set first, then it is raised.

    Raises
    ------
    DataError
        If neither or both of `indices` and `X` are given.
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
            raise DataError(
                "a method returns either selected rows (indices) or synthetic rows (X): give exactly one of them."
            )


@dataclass(frozen=True, eq=False)
class SourceSummary:
    """Summary of the training rows, which a distilled set keeps.

    Parameters
    ----------
    n_rows, nbytes : int
        Number of rows, and bytes of rows, labels and weights.
    task : {"classification", "regression", None}
    classes : ndarray of shape (n_classes,) or None
        Class labels, sorted.
    class_rows : ndarray of shape (n_classes,) or None
        Number of rows of each class.
    weight : float or None
        Sum of the weights given to `fit`; None if there were none. Rows of weight zero count
        neither here nor as rows.
    """

    n_rows: int
    nbytes: int
    task: str | None
    classes: np.ndarray | None = None
    class_rows: np.ndarray | None = None
    weight: float | None = None

    @property
    def total(self) -> float:
        """What the weights of the distilled rows sum to."""
        return float(self.n_rows) if self.weight is None else self.weight

    @classmethod
    def of(cls, source: np.ndarray, rows: TrainingRows) -> Self:
        """Summarize rows that are in memory."""
        nbytes = size_in_bytes(source) + sum(int(part.nbytes) for part in (rows.y, rows.weight) if part is not None)
        weight = None if rows.weight is None else float(rows.weight.sum())
        if rows.y is None or rows.task != "classification":
            return cls(source.shape[0], nbytes, rows.task, weight=weight)
        return cls(source.shape[0], nbytes, rows.task, *np.unique(rows.y, return_counts=True), weight=weight)


def ranking_of(outcome: Outcome, y: np.ndarray | None, task: str | None, size: int) -> np.ndarray | None:
    """Return the rank of each row within its class, from 0; None if the method does not rank."""
    if not outcome.ranked:
        return None
    ranking = np.arange(size)
    if y is not None and task == "classification":
        for label in np.unique(y):
            members = np.flatnonzero(y == label)
            ranking[members] = np.arange(len(members))
    return ranking


def distilled_pair(outcome: Outcome, source: np.ndarray, rows: TrainingRows) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the distilled rows in the dtype of `source`, and the labels in the dtype of y.

    Synthetic rows of integers and booleans stay floats, because a mean of integers may be
    fractional. With a preprocessing, the rows are in its space and have the dtype of the validated
    rows.

    Raises
    ------
    DataError
        If rows are NaN or infinite because the method diverged, or if synthetic rows have no
        labels.
    """
    indices = outcome.indices
    if outcome.preprocessing is not None:
        original = np.asarray(outcome.X) if indices is None else rows.X[indices]
        X = outcome.preprocessing.transform(original).astype(rows.X.dtype, copy=False)
    else:
        dtype = source.dtype if source.dtype.kind == "f" else rows.X.dtype
        X = _synthetic_rows(outcome, dtype, source.shape[2:]) if indices is None else source[indices]
    if X.dtype.kind == "f" and not is_sparse(X) and not np.isfinite(X).all():
        raise DataError(
            "the distilled rows hold NaN or infinity: the method diverged. Lower its learning rate or scale X."
        )
    return X, None if rows.y is None else _labels(outcome, rows.y, rows.task)


def _synthetic_rows(outcome: Outcome, dtype: np.dtype[Any], sides: tuple[int, ...]) -> np.ndarray:
    """Return synthetic rows in a floating dtype, interpolated if they are stored smaller."""
    if outcome.stored is None:
        return np.asarray(outcome.X).astype(dtype, copy=False)
    return expand(np.asarray(outcome.stored).astype(dtype, copy=False), sides)


def _labels(outcome: Outcome, y: np.ndarray, task: str | None) -> np.ndarray:
    """Return the labels of selected or synthetic rows in the dtype of y where it can hold them."""
    if outcome.indices is not None:
        selected: np.ndarray = y[outcome.indices]
        return selected
    if outcome.y is None:
        raise DataError(
            "the method returned synthetic rows without labels, but y was given: return Outcome(X=..., y=...)."
        )
    labels = np.asarray(outcome.y)
    # Synthetic numbers stay floats if y holds integers: a mean of integers may be fractional.
    return labels if task == "regression" and y.dtype.kind != "f" else labels.astype(y.dtype, copy=False)


def scaled_weight(weight: np.ndarray | None, size: int, total: float) -> np.ndarray:
    """Return positive weights that sum to a total; None means equal weights.

    Raises
    ------
    DataError
        If the method returned weights that are not one positive number per row.
    """
    weights = np.ones(size) if weight is None else np.asarray(weight, dtype=np.float64)
    if weights.shape != (size,) or not (np.isfinite(weights) & (weights > 0)).all():
        raise DataError(f"the method returned weights that are not {size} positive numbers, one per distilled row.")
    scaled: np.ndarray = weights * (total / weights.sum())
    return scaled
