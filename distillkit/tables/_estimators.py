"""Mixed tables in estimators: learning an encoder in fit, and encoding the rows of later calls."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import validate_data

from distillkit.exceptions import DataError
from distillkit.tables._encoder import TableEncoder
from distillkit.tables._frames import is_frame, needs_encoding, refuse_lazy

__all__ = ["check_columns", "learn_encoder"]


def learn_encoder(estimator: Any, X: Any) -> None:
    """Set `encoder_` of an estimator if X is a mixed table, and remove that of an earlier fit.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n, ...)
    """
    refuse_lazy(X)
    estimator.__dict__.pop("encoder_", None)
    if is_frame(X) and 0 not in X.shape and needs_encoding(X):
        estimator.encoder_ = TableEncoder().fit(X)


def check_columns(estimator: Any, X: Any, y: Any = "no_validation", *, reset: bool) -> None:
    """Check that X is a frame, and set or check its column names and their order.

    Raises
    ------
    DataError
        If X is no frame.
    ValueError
        If the column names differ from those of the training rows.
    """
    if not is_frame(X):
        raise DataError(
            f"X is of type {type(X).__name__}, but {type(estimator).__name__} was fitted on a table with named "
            "columns: give a pandas, polars or pyarrow frame with the columns used in fit."
        )
    validate_data(estimator, X, y, reset=reset, skip_check_array=True)
