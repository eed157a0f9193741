"""The rows that the privacy panel compares, in the units of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics._pairs import flat_rows
from distillkit.metrics.reference._check_set import check_set
from distillkit.metrics.reference._reference import Reference
from distillkit.tables._frames import is_frame

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["PanelRows", "numbers_of", "panel_rows"]

_MAX_WORK = 10**11  # products of numbers that bound the time of all distances


@dataclass(frozen=True)
class PanelRows:
    """Published rows, training rows and held-out rows as matrices of floats.

    Parameters
    ----------
    published : ndarray of shape (M, d)
    members : ndarray of shape (n, d)
    holdout : ndarray of shape (m, d)
        Without held-out rows, m is 0.
    sampled : ndarray of int
        Positions of the published rows whose distances are computed.
    """

    published: np.ndarray
    members: np.ndarray
    holdout: np.ndarray
    sampled: np.ndarray


def numbers_of(X: Any, distilled: DistilledSet) -> Any:
    """Return the rows of an array, a frame or a `Reference` as numbers in the units of the data."""
    if isinstance(X, Reference):
        return X.X
    return distilled.encode(X) if is_frame(X) else X


def panel_rows(X: Any, distilled: DistilledSet, holdout: Any, random_state: int) -> PanelRows:
    """Bring all rows into the units of the data, and choose the published rows to compare.

    Raises
    ------
    DataError
        If `distilled` is no distilled set, there are no rows, their features differ, or values are
        NaN or infinite.
    """
    check_set(X, distilled)
    if not len(distilled) or not len(X) or (holdout is not None and not len(holdout)):
        raise DataError(
            "the privacy panel needs at least one training row, one distilled row and, if any are given, one "
            "held-out row."
        )
    members = flat_rows(numbers_of(X, distilled))
    published = flat_rows(distilled.in_original_units())
    fresh = members[:0] if holdout is None else flat_rows(numbers_of(holdout, distilled))
    for name, rows in {"training rows": members, "distilled rows": published, "held-out rows": fresh}.items():
        if rows.shape[1] != members.shape[1]:
            raise DataError(
                f"the {name} have the shape {rows.shape}, the training rows {members.shape}: "
                "the privacy panel needs rows with the same features."
            )
        if not np.isfinite(rows).all():
            raise DataError(f"the {name} hold NaN or infinite values: drop or fill these rows.")
    # The time grows with the pairs of rows; a large set is judged by a sample of its rows.
    limit = max(100, _MAX_WORK // ((len(members) + len(fresh)) * members.shape[1]))
    sampled = np.arange(len(published))
    if len(published) > limit:
        sampled = np.sort(np.random.default_rng(random_state).choice(len(published), limit, replace=False))
    return PanelRows(published, members, fresh, sampled)
