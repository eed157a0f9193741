"""Validation of rows by scikit-learn, with clear errors for what it leaves to NumPy and pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from distillkit.exceptions import DataError
from distillkit.utils._containers import as_numeric

__all__ = ["validate_rows"]


def validate_rows(estimator: Any, X: Any, **checks: Any) -> Any:
    """Return X, or X and y, as scikit-learn's `validate_data` returns them.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n, ...)
    **checks
        Arguments of `validate_data`.

    Raises
    ------
    DataError
        If X holds text, or sparse columns whose fill value is not 0, or X or y holds integers
        beyond float64.
    ValueError, TypeError
        Of scikit-learn, for all else that it refuses.
    """
    try:
        # scikit-learn adds up all values to find those that are not finite.
        with np.errstate(over="ignore", invalid="ignore"):
            return validate_data(estimator, as_numeric(X), allow_nd=True, **checks)
    except OverflowError as exc:  # a list of integers that float64 cannot hold
        raise DataError(f"X or y holds numbers beyond float64 ({exc}): divide by a power of ten.") from exc
    except ValueError as exc:
        if not str(exc).startswith("fill value must be 0"):  # of pandas
            raise
        raise DataError("X has sparse columns with a fill value other than 0: give X.sparse.to_dense().") from exc
