"""Pairs of training rows and distilled rows to compare, by class or jointly with a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.distances._samples import as_floats
from distillkit.exceptions import DataError
from distillkit.metrics.reference._parts import Part
from distillkit.metrics.reference._reference import Reference
from distillkit.metrics.reference._targets import standardized_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distillkit.distilled import DistilledSet

__all__ = ["Pair", "distilled_rows", "flat_rows", "paired"]


@dataclass(frozen=True)
class Pair:
    """The rows of one class, or all rows if the target is continuous or absent.

    Parameters
    ----------
    part : Part
        The training rows.
    distilled : ndarray of shape (m, d)
        Distilled rows of the same class, or of all classes if `stand_in` is true.
    weight : ndarray of shape (m,)
        Their sample weights, not scaled.
    indices : ndarray of shape (m,)
        Positions of these rows in the distilled set.
    stand_in : bool
        Whether the distilled set has no row of positive weight in this class.
    """

    part: Part
    distilled: np.ndarray
    weight: np.ndarray
    indices: np.ndarray
    stand_in: bool = False

    @property
    def rows(self) -> np.ndarray:
        """Positions (n,) of the training rows in those of the root reference."""
        return np.asarray(self.part.positions[self.part.kept])

    @property
    def X(self) -> np.ndarray:  # noqa: N802 (the usual name of rows)
        """Features (n, d) of the training rows."""
        return self.part.X


def flat_rows(X: Any) -> np.ndarray:
    """Return rows of shape (n, d) in float32 or float64, with the values that they have in X."""
    X = as_floats(X)
    return np.asarray(X.reshape(len(X), -1))


def distilled_rows(reference: Reference, distilled: DistilledSet) -> np.ndarray:
    """Return distilled rows in the units of the training rows, of shape (m, ...).

    Distilled rows in the space of the method's own `preprocessing` are transformed back by its
    inverse, so that all methods are compared in the units of the data.

    Raises
    ------
    DataError
        If there are no distilled rows, if they have other features than the training rows, or if
        values or weights are NaN or infinite.
    """
    rows = as_floats(distilled.in_original_units())
    shape = (len(reference), *reference.root.X.shape[1:])
    if not len(rows) or rows[0].size != int(np.prod(shape[1:])):
        raise DataError(
            f"training rows of shape {shape} and distilled rows of shape {rows.shape} "
            "cannot be compared: both need at least one row and the same features."
        )
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise DataError("the distilled rows hold NaN or infinite values: distillation has diverged.")
    if not np.isfinite(weight).all() or (weight < 0).any() or not (weight > 0).any():
        raise DataError("the weights of the distilled rows must be finite, not negative, and not all zero.")
    return rows.reshape(len(rows), *shape[1:])


def paired(X: Any, y: Any, distilled: DistilledSet, features: Any = None, random_state: int = 0) -> Iterator[Pair]:
    """Yield the training rows in parts, each with the distilled rows to compare it with.

    - With class labels, there is one pair per class of `y`. A class without distilled rows is
      compared with all distilled rows, so that leaving a class out is not rewarded.
    - With a continuous target, there is one pair of all rows, with the target as one more column on
      both sides, standardized by the mean and standard deviation of the training target.
    - Without a target, there is one pair of all rows.

    Parameters
    ----------
    X : Reference, or array-like or frame of shape (n, ...)
        The columns of a frame may be in any order.
    y : array-like of shape (n,) or None
        Class labels or numbers; ignored if `X` is a reference.
    distilled : DistilledSet
    features, random_state
        The feature extractor, see `Reference.extractor`.

    Yields
    ------
    Pair

    Raises
    ------
    DataError
        If training rows and distilled rows have different features, if either has no rows, or if
        rows, continuous targets or weights are not finite.
    """
    reference = Reference.of(X, y, distilled)
    mapped = reference.extractor(features, random_state).transform(distilled_rows(reference, distilled))
    weight = np.asarray(distilled.sample_weight, dtype=np.float64)
    everything = np.arange(len(mapped))
    if reference.y is not None and reference.classes is None and distilled.y is not None:
        column = standardized_target(reference.root.y, distilled.y)
        mapped = np.column_stack([mapped, column.astype(mapped.dtype, copy=False)])
    for part in reference.parts(features, random_state):
        own = everything if part.label is None else np.flatnonzero((distilled.y == part.label) & (weight > 0))
        stand_in = len(own) == 0
        own = everything if stand_in else own
        yield Pair(part, mapped[own], weight[own], own, stand_in)
