"""The coreset error: the difference between costs on distilled rows and on training rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from distillkit.distilled._certificate import certify
from distillkit.metrics.reference import Reference
from distillkit.metrics.reference._check_set import check_set

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["coreset_error"]


def coreset_error(X: Any, y: Any, distilled: DistilledSet, random_state: int = 0) -> float | None:
    """Return the largest relative difference of a cost between distilled and training rows.

    The cost on the weighted distilled rows is compared with that on the training rows over a set of
    solutions that do not depend on the distilled rows; see `certify`. An offset that the method
    reports is left out, so that all methods are measured by their rows and weights alone.

    Parameters
    ----------
    X : array-like of shape (n, ...) or Reference
        Training rows as the distiller saw them.
    y : array-like of shape (n,) or None
        Class labels give the k-means and logistic costs, numbers the ridge cost, and None the
        k-means cost. A reference brings its own.
    distilled : DistilledSet
    random_state : int, default=0
        Seeds the solutions.

    Returns
    -------
    float or None
        0 for the training rows themselves; None if a solution has a cost of zero on the training
        rows and not on the distilled ones.
    """
    check_set(X, distilled)
    if isinstance(X, Reference):
        X, y = X.X, X.y
    error = certify(distilled, X, y if distilled.y is not None else None, offset=False, random_state=random_state).error
    return error if math.isfinite(error) else None
