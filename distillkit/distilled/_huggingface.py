"""Tables and arrays as datasets of Hugging Face, whose package is optional."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.exceptions import DataError, MissingPackageError

__all__ = ["ROWS", "array_dataset", "table_dataset"]

ROWS = "x"
"""Name of the column with images or series."""


def table_dataset(table: Any, target: str, class_names: list[str] | None) -> Any:
    """Return a pyarrow table as a `datasets.Dataset`; the names of classes make labels numbers."""
    return _with_classes(_datasets().Dataset(table), target, class_names)


def array_dataset(X: np.ndarray, columns: dict[str, np.ndarray], target: str, class_names: list[str] | None) -> Any:
    """Return rows (m, ...) as one column of arrays, beside columns of labels and weights."""
    datasets = _datasets()
    array_type = getattr(datasets, f"Array{X.ndim - 1}D", None)
    if array_type is None:
        raise DataError(f"X has {X.ndim} axes, and datasets has no type for such rows: flatten them first.")
    features = {ROWS: array_type(shape=X.shape[1:], dtype=str(X.dtype))}
    content: dict[str, Any] = {ROWS: X}
    for name, values in columns.items():
        content[name] = values.tolist() if values.dtype == object else values
        features[name] = datasets.Value("string" if values.dtype.kind in "OU" else str(values.dtype))
    dataset = datasets.Dataset.from_dict(content, features=datasets.Features(features))
    return _with_classes(dataset, target, class_names)


def _datasets() -> Any:
    """Import the package of Hugging Face."""
    try:
        import datasets
    except ImportError as exc:
        raise MissingPackageError("DistilledSet.to_huggingface", ["datasets"]) from exc
    return datasets


def _with_classes(dataset: Any, target: str, class_names: list[str] | None) -> Any:
    if class_names is None:
        return dataset
    return dataset.cast_column(target, _datasets().ClassLabel(names=class_names))
