"""Distilled sets from tables: the way back from `DistilledSet.to_pandas`."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.tables import DistilledTable, TableEncoder
from distillkit.tables._frames import column_names, is_frame, needs_encoding, refuse_lazy, to_pandas
from distillkit.utils._containers import as_numeric, label_array
from distillkit.utils._targets import infer_task, one_column

__all__ = ["fields_from_frame"]

DEFAULT_WEIGHT = "sample_weight"


def fields_from_frame(frame: Any, target: Any, weight: Any, task: str) -> dict[str, Any]:
    """Return the fields of the `DistilledSet` of a table; see `DistilledSet.from_pandas`."""
    # 1. Divide the columns into features, target, weight and soft labels.
    refuse_lazy(frame)
    if not is_frame(frame):
        raise DataError(f"frame is of type {type(frame).__name__}: give a pandas, polars or pyarrow frame.")
    names = column_names(frame)
    frame = to_pandas(frame)
    _check_column("target", target, names)
    if weight != DEFAULT_WEIGHT:
        _check_column("weight", weight, names)
    y = None if target is None else one_column(np.asarray(label_array(frame[target])))
    is_continuous = y is not None and _resolve(task, y, names) == "regression"
    classes = None if y is None or is_continuous else np.unique(y)
    soft_names, classes = _soft_columns(names, target, y, classes)
    # 2. Encode the features if they are anything but numbers.
    features = frame[[name for name in names if name not in {target, weight, *soft_names}]]
    if not features.shape[1]:
        raise DataError(f"the frame has no columns besides {', '.join(map(str, names))}: there are no features.")
    return {
        **_features(features),
        "y": y,
        "sample_weight": _weights(frame[weight], weight) if weight in names else None,
        "soft_labels": frame[soft_names].to_numpy(dtype=np.float64) if soft_names else None,
        "classes": classes,
        "provenance": {} if y is None else {"task": "regression" if is_continuous else "classification"},
    }


def _check_column(parameter: str, name: Any, names: list[Any]) -> None:
    """Raise an error if a column that the caller names is not there."""
    if name is not None and name not in names:
        shown = ", ".join(map(str, names[:20])) + (", ..." if len(names) > 20 else "")
        raise DataError(
            f"{parameter}={name!r} is no column of the frame, which has {shown or 'none'}: name one of these, "
            f"or give {parameter}=None."
        )


def _resolve(task: str, y: np.ndarray, names: list[Any]) -> str:
    """Return the task. Soft labels of several classes show it as well."""
    if task not in ("auto", "classification", "regression"):
        raise DataError(f"task={task!r} must be 'auto', 'classification' or 'regression'.")
    if task == "regression" and y.dtype.kind not in "iufb":
        raise DataError("task='regression' needs numbers in the target, but it holds text: give task='classification'.")
    if task != "auto":
        return task
    is_labelled = len(y) > 0 and all(f"p_{label}" in names for label in np.unique(y).tolist())
    return "classification" if is_labelled else infer_task(y)


def _soft_columns(
    names: list[Any], target: Any, y: np.ndarray | None, classes: np.ndarray | None
) -> tuple[list[Any], np.ndarray | None]:
    """Return the columns of soft labels, and all classes, those of which there are no rows as well.

    Only columns after the target count, because features come before it.
    """
    if y is None:
        return [], classes
    after = names[names.index(target) + 1 :]
    if classes is None:
        return [name for name in after if name == f"p_{target}"], None
    columns = {str(name).removeprefix("p_"): name for name in after if str(name).startswith("p_")}
    if not set(map(str, classes.tolist())) <= set(columns):
        return [], classes  # they are features
    known = [False, True] if classes.dtype == bool else classes.tolist()
    parse = {str(label): label for label in known}
    try:
        labels = [parse[text] if text in parse else classes.dtype.type(text) for text in columns]
    except (TypeError, ValueError) as exc:
        raise DataError(
            f"the columns {', '.join(map(str, columns.values()))} are named like soft labels, but not all after "
            f"labels of type {classes.dtype}: rename those that are none."
        ) from exc
    every = np.array(labels, dtype=object if classes.dtype == object else None)
    order = np.argsort(every)
    return [list(columns.values())[place] for place in order], every[order]


def _features(features: Any) -> dict[str, Any]:
    """Return X, the names of its columns and the table."""
    if needs_encoding(features):
        encoder = TableEncoder().fit(features)
        return {
            "X": encoder.transform(features),
            "feature_names": tuple(encoder.get_feature_names_out()),
            "table": DistilledTable(encoder, features),
        }
    X = as_numeric(features).to_numpy()
    if X.dtype.kind not in "iufb":  # nullable numbers or objects
        X = X.astype(np.float64)
    fields: dict[str, Any] = {"X": X, "feature_names": tuple(map(str, features.columns))}
    is_plain = all(dtype == np.float64 for dtype in features.dtypes)
    if not is_plain or not all(isinstance(name, str) for name in features.columns):
        fields["table"] = DistilledTable(TableEncoder(standardize=False).fit(features), features)
    return fields


def _weights(column: Any, name: Any) -> np.ndarray:
    """Return the weights, which are positive numbers."""
    try:
        weights: np.ndarray = column.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise DataError(f"weight={name!r} holds values that are not numbers: name another column.") from exc
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise DataError(f"weight={name!r} holds values that are missing, infinite or not positive: drop those rows.")
    return weights
