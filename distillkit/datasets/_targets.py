"""Targets of datasets: the task, the codes of class names, and the rows held out for testing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from distillkit.exceptions import DatasetError, DatasetOptionError
from distillkit.utils._hold_out import hold_out_rows
from distillkit.utils._messages import shown

__all__ = ["TEST_SHARE", "Targets", "holdout", "make_targets"]

TEST_SHARE = 0.25
"""Share of the rows held out; changing it requires a new revision of each dataset."""

_LONGEST_NAME = 1000

_NO_TEST_ROWS = "no test rows can be held out: give more rows, or test rows of their own (test_path)"


@dataclass(frozen=True, eq=False)
class Targets:
    """The targets of the training and test rows, and the positions of these rows.

    Parameters
    ----------
    task : {"classification", "regression"}
    y_train, y_test : ndarray of shape (n,)
        int64 positions in `classes`, or float64.
    classes : tuple of str
        Names of the classes; empty for regression.
    train, test : ndarray of int
        Sorted positions of the rows; those of `test` refer to the test file if there is one.
    note : str
        Description of the choice of test rows, for `Dataset.preparation`.
    task_note : str
        Description of the inferred task; empty if it was given or leaves no doubt.
    """

    task: str
    y_train: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    train: np.ndarray
    test: np.ndarray
    note: str = ""
    task_note: str = ""


def make_targets(
    name: str, y: np.ndarray, y_test: np.ndarray | None = None, task: str = "auto", split: int = 0
) -> Targets:
    """Convert raw labels or numbers to the targets of a `Dataset`.

    Parameters
    ----------
    name : str
        Name of the dataset or file, for messages.
    y : ndarray of shape (n,)
        Text or numbers, without missing values.
    y_test : ndarray of shape (m,) or None
        Targets of the test file; None holds 25 % of the rows out for testing, see `holdout`.
    task : {"auto", "classification", "regression"}
        "auto" takes text as class labels, and decides about numbers by their values (see
        `distillkit.BaseDistiller`).
    split : int
        Number of the split, which chooses the rows that are held out; it has no effect if there is
        a test file.

    Returns
    -------
    Targets

    Raises
    ------
    DatasetError
        If there is only one class, if the training rows lack a class of the test rows, if numbers
        are missing, or if `split` is not a whole number from 0 to 2**32 - 1.
    """
    _check_split(split)
    task_note = "" if task != "auto" or not len(y) else _task_note(name, y)
    task = _resolve_task(name, y, task)
    if task == "classification":
        classes = _sorted_names(set(_class_names(name, y)))
        if len(classes) < 2:
            raise DatasetError(
                f"{name}: all rows have the class {classes[0]!r}, but classification needs at least two classes."
            )
        codes, test_codes = _codes(name, y, classes), None if y_test is None else _codes(name, y_test, classes)
    else:
        classes, codes, test_codes = (), _numbers(name, y), None if y_test is None else _numbers(name, y_test)
    if test_codes is not None:
        rows, test_rows = np.arange(len(codes)), np.arange(len(test_codes))
        return Targets(task, codes, test_codes, classes, rows, test_rows, task_note=task_note)
    train, test = holdout(name, codes, task, split)
    return Targets(
        task,
        codes[train],
        codes[test],
        classes,
        train,
        test,
        _note(codes, classes),
        task_note,
    )


def holdout(name: str, y: np.ndarray, task: str, split: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Hold 25 % of the rows out for testing, stratified by the target.

    For classification, each class gives its share by the method of largest remainders, and keeps at
    least one training row. For regression, the rows in the order of y are cut into as many equal
    runs as there are test rows, and each run gives one row. A split always holds the same rows out:
    its number is the seed of NumPy's legacy generator, whose stream never changes. Every split
    holds out equally many rows of each class.

    Parameters
    ----------
    name : str
        Name of the dataset or file, for messages.
    y : ndarray of shape (n,)
        int64 class codes, or float64.
    task : {"classification", "regression"}
    split : int
        Number of the split.

    Returns
    -------
    train, test : ndarray of int
        Sorted positions of the rows.

    Raises
    ------
    DatasetError
        If no row can be held out.
    """
    rng = np.random.RandomState(split)
    if task == "classification":
        class_sizes = np.bincount(y)
        classes = [np.flatnonzero(y == code) for code in range(len(class_sizes))]
        train, test = hold_out_rows(classes, _test_sizes(class_sizes), len(y), rng)
    else:
        train, test = _hold_out_numbers(y, rng)
    if not len(test):
        raise DatasetError(f"{name}: with {len(y)} rows, {_NO_TEST_ROWS}.")
    return train, np.sort(test)


def _hold_out_numbers(y: np.ndarray, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Hold out one row of each run of rows with similar numbers."""
    if len(y) < 2:
        return np.arange(len(y)), np.empty(0, dtype=np.int64)
    runs = np.array_split(np.argsort(y, kind="stable"), max(1, _rounded(TEST_SHARE * len(y))))
    test = np.array([run[rng.randint(len(run))] for run in runs], dtype=np.int64)
    return np.setdiff1d(np.arange(len(y)), test), test


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)


def _test_sizes(counts: np.ndarray) -> np.ndarray:
    """Return the test rows of each class by largest remainders, sparing each class's last row."""
    quotas = TEST_SHARE * counts
    sizes = np.floor(quotas).astype(np.int64)
    n_left = _rounded(TEST_SHARE * counts.sum()) - sizes.sum()
    sizes[np.argsort(sizes - quotas, kind="stable")[:n_left]] += 1
    return np.clip(sizes, 0, np.maximum(counts - 1, 0))


def _check_split(split: int) -> None:
    if isinstance(split, bool) or not isinstance(split, int) or not 0 <= split < 2**32:
        raise DatasetOptionError(f"split={split!r} must be the number of a split, a whole number from 0 to 2**32 - 1.")


def _note(y: np.ndarray, classes: tuple[str, ...]) -> str:
    if not classes:
        return "25 % of the rows held out for testing, spread evenly over the order of the target"
    single = [classes[code] for code in np.flatnonzero(np.bincount(y) == 1)]
    shown = ", ".join(single[:5]) + (", ..." if len(single) > 5 else "")
    extra = (
        f" (the only row of {'class' if len(single) == 1 else 'each of the classes'} {shown} stays in training)"
        if single
        else ""
    )
    return f"25 % of the rows held out for testing, stratified by class{extra}"


def _resolve_task(name: str, y: np.ndarray, task: str) -> str:
    from distillkit.utils._targets import infer_task

    if task not in ("auto", "classification", "regression"):
        raise DatasetOptionError(f"task={task!r} is not known: give 'classification', 'regression' or 'auto'.")
    if not len(y):
        raise DatasetError(f"{name} has no rows.")
    if task != "auto":
        return task
    if y.dtype.kind not in "iuf":
        return "classification"
    _numbers(name, y)
    return infer_task(y)


def _task_note(name: str, y: np.ndarray) -> str:
    """Describe the inferred task where the values leave a doubt."""
    from distillkit.utils._targets import describe_task

    if y.dtype.kind in "iuf":
        _numbers(name, y)
    return describe_task(y)


def _numbers(name: str, y: np.ndarray) -> np.ndarray:
    try:
        numbers = y.astype(np.float64)
    except (TypeError, ValueError):
        raise DatasetError(f"{name}: task='regression' needs numbers as target, but found text ({y[0]!r}).") from None
    if bad := np.count_nonzero(~np.isfinite(numbers)):
        raise DatasetError(f"{name}: {bad} targets are not finite numbers (NaN or infinity): remove these rows.")
    return numbers


def _class_names(name: str, y: np.ndarray) -> list[str]:
    """Return labels as text.

    Whole numbers are written without ".0", since pandas reads a column of integers with missing
    values as floats.
    """
    if y.dtype.kind == "f":
        return [str(int(value)) if value.is_integer() else repr(value) for value in _numbers(name, y).tolist()]
    labels = [str(value) for value in y.tolist()]
    if too_long := max((label for label in labels if len(label) > _LONGEST_NAME), key=len, default=""):
        raise DatasetError(
            f"{name}: the class {shown(too_long, 50)} has {len(too_long):,} characters, and {_LONGEST_NAME:,} are the "
            "most: choose another target, or shorten its labels."
        )
    return labels


def _sorted_names(names: set[str]) -> tuple[str, ...]:
    try:
        numbers = {name: float(name) for name in names}
    except ValueError:
        return tuple(sorted(names))
    if not all(map(math.isfinite, numbers.values())):
        return tuple(sorted(names))
    return tuple(sorted(names, key=lambda name: (numbers[name], name)))


def _codes(name: str, y: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    code_of = {label: code for code, label in enumerate(classes)}
    names = _class_names(name, y)
    if unseen := _sorted_names(set(names) - set(code_of)):
        shown = ", ".join(map(repr, unseen[:5])) + (", ..." if len(unseen) > 5 else "")
        raise DatasetError(
            f"{name}: test rows have classes that no training row has ({shown}): check that both belong together."
        )
    return np.array([code_of[label] for label in names], dtype=np.int64)
