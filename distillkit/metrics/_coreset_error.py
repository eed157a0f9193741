"""How far costs on the distilled rows are from those on the training rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from distillkit.distilled._certificate import certify

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["coreset_error"]


def coreset_error(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float | None:
    """Largest relative difference of a cost on the weighted distilled rows from that on the training rows; see `certify`.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        Training rows as the distiller saw them.
    y : array-like of shape (n,) or None
        Classes: k-means and logistic cost. Numbers: ridge cost. None: k-means cost.
    distilled : DistilledSet
    random_state : int, default=0

    Returns
    -------
    float or None
        0 for the training rows themselves. Over solutions made without the distilled rows; None where one of them costs
        nothing on the training rows and something on the distilled ones.
    """
    error = certify(distilled, X, y if distilled.y is not None else None, random_state=random_state).error
    return error if math.isfinite(error) else None
