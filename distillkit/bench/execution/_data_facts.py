"""Facts of a prepared dataset, which rows and reports need when the data itself is gone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.bench.results._outcomes import encode

if TYPE_CHECKING:
    from distillkit.datasets import Dataset

__all__ = ["data_facts", "shared_rows"]


def data_facts(dataset: Dataset) -> dict[str, Any]:
    """Return the facts of a dataset that its file of targets holds.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    dict
        The task, the names of the classes, the numbers of training and test rows, the number of
        training rows of each class (None for regression), the number of `shared_rows`, and the
        targets of the test rows, see `distillkit.bench.results._outcomes.encode`.
    """
    n_classes = len(dataset.classes) if dataset.task == "classification" else None
    counts = None if n_classes is None else np.bincount(dataset.y_train, minlength=n_classes).tolist()
    return {
        "dataset": dataset.name,
        "task": dataset.task,
        "classes": list(dataset.classes),
        "n_train": len(dataset.X_train),
        "n_test": len(dataset.X_test),
        "class_counts": counts,
        "shared_rows": shared_rows(dataset.X_train, dataset.X_test),
        **encode(dataset.y_test, n_classes),
    }


def shared_rows(X_train: np.ndarray, X_test: np.ndarray) -> int:
    """Count the test rows whose prepared values are exactly those of a training row.

    Parameters
    ----------
    X_train, X_test : ndarray of shape (n, ...)
        Prepared rows, which are what models see; the targets of equal rows may differ.

    Returns
    -------
    int
    """
    dtype = np.result_type(X_train, X_test)
    known = set(_row_hashes(X_train, dtype))
    return sum(row in known for row in _row_hashes(X_test, dtype))


def _row_hashes(X: np.ndarray, dtype: np.dtype[Any]) -> list[bytes]:
    """Return a hash of each row, which is the same for 0.0 and -0.0."""
    return [hashlib.blake2b((row.astype(dtype) + dtype.type(0)).tobytes(), digest_size=16).digest() for row in X]
