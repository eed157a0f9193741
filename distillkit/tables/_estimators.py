"""Mixed tables in estimators: learning an encoder in fit, and encoding the rows of later calls."""

from __future__ import annotations

from typing import Any

from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import validate_data

from distillkit.exceptions import DataError
from distillkit.tables._encoder import TableEncoder
from distillkit.tables._estimator_frame import estimator_frame
from distillkit.tables._frames import container_of, is_frame, needs_encoding, refuse_empty, refuse_lazy, to_container

__all__ = ["as_transformed", "check_columns", "check_order", "in_output_container", "learn_encoder"]


def learn_encoder(estimator: Any, X: Any) -> None:
    """Set `encoder_` of an estimator if X is a mixed table, and remove that of an earlier fit.

    The names of the columns of other frames are kept for `check_order` if not all of them are text,
    because scikit-learn then keeps none.

    Parameters
    ----------
    estimator : estimator
        An attribute ``_standardizes = False`` keeps the units of the columns of a mixed table.
    X : array-like of shape (n, ...)

    Raises
    ------
    DataError
        If X is a frame without rows or columns, or holds columns that cannot be encoded.
    """
    refuse_lazy(X)
    for name in ("encoder_", "_column_names"):
        estimator.__dict__.pop(name, None)
    if not is_frame(X):
        return
    refuse_empty(X)
    if needs_encoding(X):
        estimator.encoder_ = TableEncoder(standardize=getattr(estimator, "_standardizes", True)).fit(X)
    elif container_of(X) == "pandas" and not all(isinstance(name, str) for name in X.columns):
        estimator.__dict__["_column_names"] = list(X.columns)


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


def as_transformed(distiller: Any, rows: Any) -> Any:
    """Return rows that `fit_resample` returned in the form in which `transform` returns new rows.

    This is the only place that tells the rows for the user, which are the original ones where rows
    were picked, from the rows for the next step of a pipeline.

    Parameters
    ----------
    distiller : estimator with `fit_resample`
        Fitted. Rows change only if it has an `encoder_`, as it was fitted on a mixed table, and
        returns rows with the columns of the table.
    rows : array-like of shape (m, ...), or frame of shape (m, d)
    """
    encoder = getattr(distiller, "encoder_", None)
    if encoder is None or getattr(distiller, "preprocessing_", None) is not None:
        return rows
    return estimator_frame(encoder, rows, _output_container(distiller))


def in_output_container(distiller: Any, rows: Any) -> Any:
    """Return a frame in the container set by `set_output`, with its types; otherwise as it is.

    scikit-learn would convert a polars or pyarrow frame to a pandas frame of objects.
    """
    wanted = _output_container(distiller)
    return rows if wanted is None or not is_frame(rows) else to_container(rows, wanted)


def _output_container(estimator: Any) -> str | None:
    """Return the container set by `set_output` or by scikit-learn's configuration, if any."""
    container = _get_output_config("transform", estimator)["dense"]
    return None if container == "default" else str(container)


def check_order(estimator: Any, X: Any) -> None:
    """Check the order of the columns of a frame whose names are not all text.

    Raises
    ------
    DataError
        If the columns are those of the training rows in another order.
    """
    expected = getattr(estimator, "_column_names", None)
    if expected is None or container_of(X) != "pandas":
        return
    names = list(X.columns)
    if names != expected and set(names) == set(expected):
        raise DataError(
            f"X has the columns {_listed(names)}, but {type(estimator).__name__} was fitted on {_listed(expected)}: "
            "give the columns in the order used in fit."
        )


def _listed(names: list[Any]) -> str:
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
