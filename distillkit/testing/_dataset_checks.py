"""Checks of datasets: shapes, units, labels, splits, leakage of test rows, and repeatability."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.specs import DatasetSpec
from distillkit.testing._problem import expect, expect_equal
from distillkit.testing._runner import BoundCheck, bound

__all__ = ["LoadedDataset", "dataset_checks"]

_DIMENSIONS = {"table": 2, "series": 3, "image": 4}
_ARRAYS = ("X_train", "y_train", "X_test", "y_test")


@dataclass
class LoadedDataset:
    """A dataset under check, which is loaded as often as the checks need it.

    Parameters
    ----------
    spec : DatasetSpec
    root : Path or None
        The data folder.
    options : mapping of str to Any
        Options of the loader.
    """

    spec: DatasetSpec
    root: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    _first: Any = field(default=None, repr=False)

    def load(self, **options: Any) -> Any:
        """Load the dataset anew."""
        return self.spec.load()(self.root, **{**self.options, **options})

    @property
    def data(self) -> Any:
        """The dataset, loaded once for all checks."""
        if self._first is None:
            self._first = self.load()
        return self._first

    @property
    def has_splits(self) -> bool:
        """Whether the loader takes the number of a split."""
        loader = self.spec.load()
        return "split" in inspect.signature(getattr(loader, "function", loader)).parameters


def check_is_dataset(subject: LoadedDataset) -> None:
    """The loader returns a Dataset of the task and modality that are registered."""
    data, spec = subject.data, subject.spec
    absent = [name for name in (*_ARRAYS, "task", "modality", "classes") if not hasattr(data, name)]
    expect(not absent, f"the loader returns {type(data).__name__}: return a distillkit.datasets.Dataset")
    for name in ("task", "modality"):
        registered, found = getattr(spec, name), getattr(data, name)
        expect(
            registered in (found, "auto"),
            f"{name} is {found!r}, but {registered!r} is registered: make the two agree",
        )


def check_shapes(subject: LoadedDataset) -> None:
    """Rows are arrays with the number of axes of their modality."""
    data = subject.data
    wanted = _DIMENSIONS[data.modality]
    for name in ("X_train", "X_test"):
        rows = getattr(data, name)
        expect(isinstance(rows, np.ndarray), f"{name} must be a NumPy array, not {type(rows).__name__}")
        expect(rows.ndim == wanted, f"{name} has {rows.ndim} axes, but a {data.modality} has {wanted}")
    names = data.feature_names
    expect(
        not names or len(names) == data.X_train.shape[1],
        f"there are {len(names)} feature_names for {data.X_train.shape[1]} columns",
    )


def check_units(subject: LoadedDataset) -> None:
    """Rows are finite float32 numbers (images may be uint8) of the size that evaluators expect."""
    data = subject.data
    for name in ("X_train", "X_test"):
        rows = getattr(data, name)
        dtypes = ("float32", "uint8") if data.modality == "image" else ("float32",)
        expect(str(rows.dtype) in dtypes, f"{name} is {rows.dtype}: convert it to {' or '.join(dtypes)}")
        expect(np.isfinite(rows).all(), f"{name} holds NaN or infinity: fill gaps, or leave these rows out")
    if data.modality != "image":
        scale = float(np.abs(data.X_train).max())
        expect(
            scale < 1e4,
            f"X_train has values up to {scale:.3g}: standardize the rows by the mean and the standard deviation of "
            "the training rows, and keep the rows in their own units in rows_train",
        )


def check_labels(subject: LoadedDataset) -> None:
    """Labels are positions in `classes`, or finite floats for regression."""
    data = subject.data
    for name in ("y_train", "y_test"):
        y = getattr(data, name)
        if data.task == "regression":
            expect(y.dtype == np.float64, f"{name} is {y.dtype}: targets must be float64")
            expect(np.isfinite(y).all(), f"{name} holds NaN or infinity: leave these rows out")
            continue
        expect(y.dtype == np.int64, f"{name} is {y.dtype}: labels must be int64 positions in classes")
        expect(
            y.min() >= 0 and y.max() < len(data.classes),
            f"{name} has labels from {y.min()} to {y.max()}, but there are {len(data.classes)} names in classes",
        )
    if data.task == "classification":
        unseen = sorted(set(np.unique(data.y_test)) - set(np.unique(data.y_train)))
        expect(not unseen, f"the classes at {unseen} have test rows but no training rows: hold rows out by class")


def check_repeatable(subject: LoadedDataset) -> None:
    """Loading it again gives the same rows, whatever the global random generator holds."""
    np.random.rand(7)  # noqa: NPY002 (detects loaders that use the global generator)
    again = subject.load()
    for name in _ARRAYS:
        expect_equal(getattr(again, name), getattr(subject.data, name), f"{name} of a second call")


def check_splits(subject: LoadedDataset) -> None:
    """Each number of a split holds out other rows, always the same ones."""
    if not subject.has_splits:
        return
    first, other = subject.load(split=0), subject.load(split=1)
    expect_equal(subject.load(split=1).X_test, other.X_test, "X_test of split 1, loaded twice")
    expect(
        first.X_test.shape != other.X_test.shape or not np.array_equal(first.X_test, other.X_test),
        "splits 0 and 1 hold out the same rows: choose the rows by the number of the split",
    )


def check_leakage(subject: LoadedDataset) -> None:
    """Test rows are no training rows.

    A few equal rows occur in real data; a test set that is mostly copied from the training rows
    measures memory.
    """
    train, test = (_rows(getattr(subject.data, name)) for name in ("X_train", "X_test"))
    known = {row.tobytes() for row in train}
    share = float(np.mean([row.tobytes() in known for row in test]))
    expect(
        share < 0.5,
        f"{share:.0%} of the test rows are training rows as well: hold rows out first, and remove copies",
    )


def check_pickle(subject: LoadedDataset) -> None:
    """The dataset can be sent to another process."""
    copy = pickle.loads(pickle.dumps(subject.data))  # noqa: S301 (created on this line)
    expect_equal(copy.X_train, subject.data.X_train, "X_train after pickling")


def check_options(subject: LoadedDataset) -> None:
    """An option that the loader does not have is refused with its name."""
    try:
        subject.load(no_such_option=1)
    except Exception as exc:
        expect(
            "no_such_option" in str(exc),
            f"an unknown option raises {type(exc).__name__}: {exc}: name the option in the message",
        )
        return
    raise AssertionError("an unknown option is accepted: decorate the function with @distillkit.datasets.loader()")


def _rows(X: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(X.reshape(len(X), -1))


CHECKS: tuple[Callable[[LoadedDataset], None], ...] = (
    check_is_dataset,
    check_shapes,
    check_units,
    check_labels,
    check_repeatable,
    check_splits,
    check_leakage,
    check_pickle,
    check_options,
)


def dataset_checks(spec: DatasetSpec, root: Path | None, options: Mapping[str, Any]) -> list[BoundCheck]:
    """Return the checks of a dataset."""
    subject = LoadedDataset(spec, root, options)
    try:
        _ = subject.data
    except Exception:  # The first check tells the cause; the others would only repeat it.
        return [("check_is_dataset", bound(check_is_dataset, subject))]
    return [(check.__name__, bound(check, subject)) for check in CHECKS]
