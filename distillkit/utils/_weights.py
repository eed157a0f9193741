"""Validation of the weights of rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _check_sample_weight, has_fit_parameter

from distillkit.exceptions import DataError
from distillkit.utils._containers import to_numpy

__all__ = ["checked_weight", "require_weight_support", "sample_weight_name", "weight_argument"]

_LARGEST_SUM = 1e100  # of weights, and its inverse the smallest sum


def checked_weight(sample_weight: Any, X: Any, *, all_zero: bool = False) -> np.ndarray | None:
    """Return row weights in float64, or None if none were given.

    Parameters
    ----------
    sample_weight : array-like of shape (n,), number or None
    X : array-like of shape (n, ...)
        The rows, for their number.
    all_zero : bool, default=False
        Whether all weights may be zero, as in a chunk of a stream.

    Raises
    ------
    DataError
        If there is not one finite number for each row, none negative and at least one positive,
        or if they sum to less than 1e-100 or more than 1e100.
    """
    if sample_weight is None:
        return None
    remedy = "give one finite number for each row of X, none negative and not all zero"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            weight = _check_sample_weight(
                to_numpy(sample_weight),
                X,
                dtype=np.float64,
                ensure_non_negative=True,
                allow_all_zero_weights=all_zero,
            )
    except (ValueError, TypeError, np.exceptions.ComplexWarning) as exc:
        reason = " ".join(str(exc).splitlines()[0].split()).rstrip(".!")
        raise DataError(f"sample_weight cannot be used ({reason}): {remedy}.") from exc
    with np.errstate(over="ignore"):
        total = weight.sum()
    size = f"{total:.6g}" if np.isfinite(total) else "infinity"
    if total and not 1 / _LARGEST_SUM < total < _LARGEST_SUM:
        raise DataError(
            f"sample_weight cannot be used (the weights sum to {size}, and products with them may leave the range "
            "of float64): divide them by the largest one."
        )
    return np.asarray(weight)


def weight_argument(sample_weight: Any) -> dict[str, Any]:
    """Return the argument `sample_weight` of a call; without weights there is none."""
    return {} if sample_weight is None else {"sample_weight": sample_weight}


def sample_weight_name(model: Any) -> str | None:
    """Return the name by which `fit` takes weights, None if it takes none.

    A scikit-learn pipeline takes them for its last step, as ``"STEP__sample_weight"``.
    """
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        return f"{name}__sample_weight" if has_fit_parameter(last, "sample_weight") else None
    return "sample_weight" if has_fit_parameter(model, "sample_weight") else None


def require_weight_support(name: str, estimator: Any, sample_weight: Any) -> None:
    """Refuse weights for an estimator whose `fit` takes none, instead of ignoring them.

    Parameters
    ----------
    name : str
        Parameter or step that holds the estimator, for the message.
    estimator : estimator
    sample_weight : array-like or None

    Raises
    ------
    DataError
        If there are weights and `fit` has no parameter `sample_weight`.
    """
    if sample_weight is not None and not has_fit_parameter(estimator, "sample_weight"):
        raise DataError(
            f"sample_weight was given, but {name}={type(estimator).__name__} cannot use the weights of rows: "
            "leave sample_weight out, or take one whose fit has this parameter."
        )
