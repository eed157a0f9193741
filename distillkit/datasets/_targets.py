"""Labels and targets: what the task is, class names to codes, and the rows held out for testing."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from distillkit.exceptions import DatasetError

__all__ = ["SEED", "TEST_SHARE", "Targets", "holdout", "make_targets"]

TEST_SHARE, SEED = 0.25, 0
"""The fixed holdout of data without test rows of its own; a change of either is a new revision of all of it."""

_NO_TEST_ROWS = "no test rows can be held out: give more rows, or test rows of their own (test_path)"


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of the training and test rows, and where those rows are.

    Parameters
    ----------
    task : {"classification", "regression"}
    y_train, y_test : ndarray of shape (n,)
        int64 positions in `classes`, or float64.
    classes : tuple of str
    train, test : ndarray of int
        Positions of the rows in the training file and, where there is one, the test file; sorted.
    note : str
        How the test rows were chosen, for `Dataset.preparation`.
    """

    task: str
    y_train: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    train: np.ndarray
    test: np.ndarray
    note: str = ""


def make_targets(name: str, y: np.ndarray, y_test: np.ndarray | None = None, task: str = "auto") -> Targets:
    """Turn raw labels or numbers into the targets of a `Dataset`.

    Parameters
    ----------
    name : str
        Of the dataset or file, for messages.
    y : ndarray of shape (n,)
        Text or numbers, without missing ones.
    y_test : ndarray of shape (m,) or None
        None holds 25 % of the rows out for testing; see `holdout`.
    task : {"auto", "classification", "regression"}
        "auto": text and integers are class labels, floats by their values (see `distillkit.BaseDistiller`).

    Raises
    ------
    DatasetError
        If there is one class only, a class of the test rows is not in the training rows, or numbers are missing.
    """
    task = _task_of(name, y, task)
    if task == "classification":
        classes = _sorted_names(set(_names_of(name, y)))
        if len(classes) < 2:
            raise DatasetError(
                f"{name}: all rows have the class {classes[0]!r}, but classification needs at least two classes."
            )
        codes, test_codes = _codes(name, y, classes), None if y_test is None else _codes(name, y_test, classes)
    else:
        classes, codes, test_codes = (), _numbers(name, y), None if y_test is None else _numbers(name, y_test)
    if test_codes is not None:
        return Targets(task, codes, test_codes, classes, np.arange(len(codes)), np.arange(len(test_codes)))
    train, test = holdout(name, codes, task)
    return Targets(task, codes[train], codes[test], classes, train, test, _note(codes, classes))


def holdout(name: str, y: np.ndarray, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Choose 25 % of the rows for testing, the same for ever: stratified, seed 0.

    Classification: within each class, shares by largest remainders; every class keeps at least one training row.
    Regression: the rows in order of y, in as many equal runs as test rows are wanted, one row from each. NumPy's
    legacy generator is used, whose stream is frozen.

    Parameters
    ----------
    name : str
        For messages.
    y : ndarray of shape (n,)
        int64 class codes, or float64.
    task : {"classification", "regression"}

    Returns
    -------
    train, test : ndarray of int
        Positions of the rows, sorted.

    Raises
    ------
    DatasetError
        If no row can be spared.
    """
    random = np.random.RandomState(SEED)
    if task == "classification":
        taken = [
            random.permutation(np.flatnonzero(y == code))[:size] for code, size in enumerate(_sizes(np.bincount(y)))
        ]
    elif len(y) < 2:
        taken = []
    else:
        runs = np.array_split(np.argsort(y, kind="stable"), max(1, _rounded(TEST_SHARE * len(y))))
        taken = [run[random.randint(len(run)), None] for run in runs]
    test = np.sort(np.concatenate([np.empty(0, dtype=np.int64), *taken]))
    if not len(test):
        raise DatasetError(f"{name}: with {len(y)} rows, {_NO_TEST_ROWS}.")
    return np.setdiff1d(np.arange(len(y)), test), test


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)


def _sizes(counts: np.ndarray) -> np.ndarray:
    """Test rows per class: largest remainders, less where that would take a class's last row."""
    quotas = TEST_SHARE * counts
    sizes = np.floor(quotas).astype(np.int64)
    left = _rounded(TEST_SHARE * counts.sum()) - sizes.sum()
    sizes[np.argsort(sizes - quotas, kind="stable")[:left]] += 1
    return np.clip(sizes, 0, np.maximum(counts - 1, 0))


def _note(y: np.ndarray, classes: tuple[str, ...]) -> str:
    if not classes:
        return "25 % of the rows held out for testing, spread evenly over the order of the target, seed 0"
    lone = [classes[code] for code in np.flatnonzero(np.bincount(y) == 1)]
    shown = ", ".join(lone[:5]) + (", ..." if len(lone) > 5 else "")
    extra = (
        f" (the only row of {'class' if len(lone) == 1 else 'each of the classes'} {shown} stays in training)"
        if lone
        else ""
    )
    return f"25 % of the rows held out for testing, stratified by class, seed 0{extra}"


def _task_of(name: str, y: np.ndarray, task: str) -> str:
    from distillkit.utils._targets import infer_task

    if task not in ("auto", "classification", "regression"):
        raise DatasetError(f"task={task!r} is not known: give 'classification', 'regression' or 'auto'.")
    if not len(y):
        raise DatasetError(f"{name} has no rows.")
    if task != "auto":
        return task
    if y.dtype.kind not in "iuf":
        return "classification"
    _numbers(name, y)
    with warnings.catch_warnings():
        # scikit-learn wonders about many classes; such a target becomes a regression here, and the report says so
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        return infer_task(y)


def _numbers(name: str, y: np.ndarray) -> np.ndarray:
    try:
        numbers = y.astype(np.float64)
    except (TypeError, ValueError):
        raise DatasetError(f"{name}: task='regression' needs numbers as target, but found text ({y[0]!r}).") from None
    if bad := np.count_nonzero(~np.isfinite(numbers)):
        raise DatasetError(f"{name}: {bad} targets are not finite numbers (NaN or infinity): remove these rows.")
    return numbers


def _names_of(name: str, y: np.ndarray) -> list[str]:
    """Return labels as text; whole numbers without the ".0" that a missing neighbour gives them in a table."""
    if y.dtype.kind == "f":
        return [str(int(value)) if value.is_integer() else repr(value) for value in _numbers(name, y).tolist()]
    return [str(value).strip() for value in y.tolist()]


def _sorted_names(names: set[str]) -> tuple[str, ...]:
    try:
        numbers = {name: float(name) for name in names}
    except ValueError:
        return tuple(sorted(names))
    if not all(map(math.isfinite, numbers.values())):
        return tuple(sorted(names))
    return tuple(sorted(names, key=lambda name: (numbers[name], name)))


def _codes(name: str, y: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    place = {label: code for code, label in enumerate(classes)}
    names = _names_of(name, y)
    if unseen := _sorted_names(set(names) - set(place)):
        shown = ", ".join(map(repr, unseen[:5])) + (", ..." if len(unseen) > 5 else "")
        raise DatasetError(
            f"{name}: test rows have classes that no training row has ({shown}): check that both belong together."
        )
    return np.array([place[label] for label in names], dtype=np.int64)
