"""Weights of the training rows, of which those of weight zero are left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.utils._weights import checked_weight

if TYPE_CHECKING:
    from distillkit.base._outcome import Outcome
    from distillkit.base._training_rows import TrainingRows

__all__ = ["in_input", "positive_weight", "restore_left_out_rows"]


def positive_weight(
    sample_weight: Any, X: np.ndarray, *, all_zero: bool = False
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the positive weights, and the positions of their rows if there are other rows.

    Parameters
    ----------
    sample_weight : array-like of shape (n,) or None
    X : ndarray of shape (n, ...)
    all_zero : bool, default=False
        Whether all weights may be zero.

    Returns
    -------
    weight : ndarray of shape (n_positive,) or None
        None if no weights were given.
    positions : ndarray of shape (n_positive,) or None
        None if all rows count.

    Raises
    ------
    DataError
        If the weights are invalid.
    """
    weight = checked_weight(sample_weight, X, all_zero=all_zero)
    if weight is None or weight.all():
        return weight, None
    positions = np.flatnonzero(weight)
    return weight[positions], positions


def in_input(outcome: Outcome, rows: TrainingRows) -> Outcome:
    """Return an outcome whose indices are positions in the X given to `fit`."""
    if rows.positions is None or outcome.indices is None:
        return outcome
    return replace(outcome, indices=rows.positions[outcome.indices])


def restore_left_out_rows(distiller: Any, rows: TrainingRows, n_rows: int) -> None:
    """Give the attributes with one value per training row a value for each row of weight zero.

    Parameters
    ----------
    distiller : distiller
    rows : TrainingRows
    n_rows : int
        Number of rows in the X given to `fit`.
    """
    if rows.positions is None:
        return
    for name, value in distiller._row_attributes.items():  # noqa: SLF001 (declared by the base class)
        if name in distiller.__dict__:
            values = np.full(n_rows, value)
            values[rows.positions] = getattr(distiller, name)
            setattr(distiller, name, values)
