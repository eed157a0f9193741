"""Training rows and distilled rows side by side, in the shape that one row has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distances._samples import NotFiniteError, as_floats, row_keys
from distillkit.exceptions import DataError
from distillkit.metrics.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distillkit.distilled import DistilledSet

__all__ = ["RowGroup", "Sides", "class_codes", "drawn", "require_axes", "sides_of"]

_KINDS = {1: "a table", 2: "series", 3: "images"}
_SHAPES = {
    1: "a table of shape (n, columns)",
    2: "series of shape (n, channels, time)",
    3: "images of shape (n, channels, height, width)",
}


@dataclass(frozen=True)
class RowGroup:
    """The rows of one class, or all rows if there are no classes.

    Parameters
    ----------
    code : int
        Position of the class; 0 without classes.
    rows : ndarray of shape (n_class,)
        Positions in the training rows.
    small : ndarray of shape (m_class,)
        Positions in the distilled rows, or all of them if `stand_in` is true.
    stand_in : bool
        Whether the distilled set has no row of this class.
    """

    code: int
    rows: np.ndarray
    small: np.ndarray
    stand_in: bool = False


@dataclass(frozen=True)
class Sides:
    """Finite training rows and distilled rows of positive weight, in the units of the data.

    Parameters
    ----------
    reference : Reference
        The training rows.
    small : ndarray of shape (m, ...)
        Distilled rows, each of the shape of a training row.
    y_small : ndarray of shape (m,) or None
        Positions of their labels in the sorted classes (int), or numbers (float64).
    weight : ndarray of shape (m,)
        Their weights, all positive, not scaled.
    soft_labels : ndarray of shape (m, n_classes) or None
        Probabilities or numbers to learn in place of `y_small`.
    """

    reference: Reference
    small: np.ndarray
    y_small: np.ndarray | None
    weight: np.ndarray
    soft_labels: np.ndarray | None = None

    @property
    def X(self) -> np.ndarray:  # noqa: N802 (the name of the field)
        """Training rows of shape (n, ...), in float32 or float64."""
        return self.reference.X

    @property
    def classes(self) -> np.ndarray | None:
        """Sorted labels of the training rows; None for numbers and without targets."""
        return None if self.y_small is None else self.reference.classes

    @property
    def y(self) -> np.ndarray | None:
        """Targets of the training rows, as `y_small`."""
        if self.y_small is None or self.reference.y is None:
            return None
        return self.reference.codes if self.classes is not None else np.asarray(self.reference.y, dtype=np.float64)

    def groups(self) -> Iterator[RowGroup]:
        """Yield the rows of each class that has training rows, or all rows at once."""
        if self.classes is None or self.y is None or self.y_small is None:
            yield RowGroup(0, np.arange(len(self.X)), np.arange(len(self.small)))
            return
        for code in range(len(self.classes)):
            rows, small = np.flatnonzero(self.y == code), np.flatnonzero(self.y_small == code)
            if len(rows):
                stand_in = len(small) == 0
                yield RowGroup(code, rows, np.arange(len(self.small)) if stand_in else small, stand_in)

    def label(self, code: int) -> Any:
        """Return the label of a class as a plain value, or "all" without classes."""
        return "all" if self.classes is None else self.classes[code : code + 1].tolist()[0]

    def draw(self, rows: np.ndarray, size: int, random_state: int) -> np.ndarray:
        """Return at most `size` of these training rows, drawn regardless of their order."""
        return drawn(self.reference.keys, rows, size, random_state)

    def draw_small(self, rows: np.ndarray, size: int, random_state: int) -> np.ndarray:
        """Return at most `size` of these distilled rows, drawn regardless of their order."""
        flat = self.small.reshape(len(self.small), -1)
        return drawn(row_keys(flat, self.weight, "distilled"), rows, size, random_state)


def drawn(keys: np.ndarray, rows: np.ndarray, size: int, random_state: int) -> np.ndarray:
    """Return at most `size` of the rows: those whose keys are smallest after mixing in a seed."""
    salt = np.random.default_rng(random_state).integers(2**64, size=2, dtype=np.uint64)
    mixed = (keys[rows] ^ salt[0]) * (salt[1] | np.uint64(1))
    mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(rows[np.argsort(mixed ^ (mixed >> np.uint64(29)), kind="stable")[:size]])


def sides_of(X: Any, y: Any, distilled: DistilledSet) -> Sides:
    """Bring training rows and distilled rows into one shape and one set of units.

    Parameters
    ----------
    X : Reference, or array-like or frame of shape (n, ...)
    y : array-like of shape (n,) or None
        Ignored if `X` is a reference.
    distilled : DistilledSet

    Returns
    -------
    Sides

    Raises
    ------
    DataError
        If the rows have different features, if either side has no rows, if rows or numeric targets
        are not finite, or if a label of the distilled rows is unknown to the training rows.
    """
    reference = Reference.of(X, y, distilled)
    small = as_floats(distilled.in_original_units())
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    kept = np.flatnonzero(weight > 0)
    shape = reference.X.shape[1:]
    if not len(kept) or small[0].size != reference.X[0].size:
        raise DataError(
            f"training rows of shape {reference.X.shape} and {len(kept)} distilled rows of shape {small.shape[1:]} "
            "with a positive weight cannot be compared: both need at least one row and the same features."
        )
    small = small[kept].reshape(len(kept), *shape)
    if not np.isfinite(small).all():
        raise NotFiniteError("the distilled rows hold NaN or infinite values: distillation has diverged.")
    y_small = None
    if distilled.y is not None and reference.y is not None:
        y_small = np.asarray(distilled.y)[kept]
        if reference.classes is not None:
            y_small = class_codes(y_small, reference.classes, "distilled")
        else:
            y_small = np.asarray(as_floats(y_small, "y"), dtype=np.float64)
            if not (np.isfinite(y_small).all() and np.isfinite(as_floats(reference.y, "y")).all()):
                raise NotFiniteError("the targets hold NaN or infinite values: drop or fill these rows.")
    soft = None if distilled.soft_labels is None else np.asarray(distilled.soft_labels, dtype=np.float64)[kept]
    return Sides(reference, small, y_small, weight[kept], soft)


def class_codes(labels: np.ndarray, classes: np.ndarray, kind: str) -> np.ndarray:
    """Return the position of each label in the sorted classes of the training rows.

    Raises
    ------
    DataError
        If a label is not among the classes; `kind` names the rows in the message.
    """
    codes = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    unknown = labels[classes[codes] != labels]
    if len(unknown):
        raise DataError(
            f"the {kind} rows have the label {unknown[:1].tolist()[0]!r}, which no training row has: give training "
            "rows of all classes."
        )
    return np.asarray(codes)


def require_axes(sides: Sides, axes: int, metric: str) -> None:
    """Raise an error unless one row has this number of axes.

    Parameters
    ----------
    sides : Sides
    axes : {1, 2, 3}
        Axes of a row of a table, of a series or of an image.
    metric : str
        Name of the metric, for the message.

    Raises
    ------
    DataError
        If one row has another number of axes.
    """
    shape = sides.X.shape
    if len(shape) - 1 != axes:
        kind = _KINDS.get(len(shape) - 1, "rows")
        raise DataError(
            f"{metric} needs {_SHAPES[axes]}, but the training rows are {kind} of shape {shape}: reshape them, or "
            "choose another metric."
        )
