"""Reads the real rows and the held-out ones of a file or of a dataset."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.reports._report_rows import ReportRows, read_real

__all__ = ["load_both"]

_TABLE_AXES = 2


def load_both(
    source: str, target: str | None, test: str | None, root: Path | None, options: dict[str, Any]
) -> tuple[ReportRows, ReportRows | None]:
    """Return the real rows, and those that the method has not seen if they are known.

    Parameters
    ----------
    source : str
        A file, or the name of a dataset, of which the training rows are taken.
    target : str or None
        Column of a table that holds the target.
    test : str or None
        Another file, of the same kind; None takes the test rows of a dataset of images or series
        whose rows are in the units of the data.
    root : Path or None
        The data folder.
    options : dict
        Options of `distillkit.datasets.load_rows`.

    Raises
    ------
    DatasetError
        If the rows cannot be read.
    """
    real = _load(source, target, root, options, "the real rows")
    if test is None:
        return real, _own_test_rows(source, root, real)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said of the columns has been said of the real rows
        return real, _load(test, target, root, options, "the test rows")


def _load(source: str, target: str | None, root: Path | None, options: dict[str, Any], role: str) -> ReportRows:
    from distillkit.datasets import load_rows

    X, y, weight = load_rows(source, target=target, root=root, return_weight=True, **options)
    rows = read_real(X, y, None, role)
    rows.target, rows.weight = target, weight
    return rows


def _own_test_rows(source: str, root: Path | None, real: ReportRows) -> ReportRows | None:
    from distillkit.datasets import load_dataset

    if np.ndim(real.X) <= _TABLE_AXES or Path(source).suffix == ".npz":
        return None
    dataset = load_dataset(source, root)
    if dataset.own_rows is not dataset.X_train:  # the test rows are prepared, and the real ones are not
        return None
    y = np.array(dataset.classes)[dataset.y_test] if dataset.classes else dataset.y_test
    return read_real(dataset.X_test, y, None, "the test rows")
