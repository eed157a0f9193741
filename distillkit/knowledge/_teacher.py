"""The teacher: found, trained where it is not, and asked for what it knows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from sklearn.base import clone
from torch import nn

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.knowledge._models import (
    class_logits,
    fit_model,
    is_estimator,
    is_fitted,
    module_outputs,
    numbers_of,
    rows_for,
)
from distillkit.knowledge._targets import Rows
from distillkit.knowledge._temperature import EPS
from distillkit.nn import NetworkClassifier, NetworkRegressor
from distillkit.utils._seeds import seed_model

__all__ = ["Teacher", "find_classes", "fit_or_reuse_teacher", "serves_as_it_is"]

_STEPS, _BATCH, _WIDTH = 600, 128, 32


@dataclass(frozen=True, eq=False)
class Teacher:
    """A fitted model, asked in one way whatever it is.

    Parameters
    ----------
    model : fitted estimator or Module
    classes : ndarray of shape (n_classes,) or None
        Sorted labels, one per column of `outputs`; None for numbers.
    names : array-like of str or None
        Names of the columns of a table.
    """

    model: Any
    classes: np.ndarray | None
    names: Any = None

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """Logits (n, n_classes), or numbers (n,)."""
        if self.classes is None:
            return numbers_of(self.model, X, self.names)
        # the columns of a module have no labels of their own: they stand for the sorted ones
        known = self.classes if isinstance(self.model, nn.Module) else self.model.classes_
        return class_logits(self.model, X, known, self.classes, self.names)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels or numbers (n,), in the model's own words where it has a `predict`."""
        if not isinstance(self.model, nn.Module):
            return np.asarray(self.model.predict(rows_for(self.model, X, self.names))).reshape(len(X))
        outputs = self.outputs(X)
        return outputs if self.classes is None else self.classes[outputs.argmax(axis=1)]

    def warn_if_one_hot(self, logits: np.ndarray) -> None:
        """Warn where almost every row has one class with all the probability: such labels teach no more than y."""
        certain = (np.sort(logits, axis=1)[:, -2] <= np.log(EPS) + 1e-9).mean()
        if certain > 0.9:
            warnings.warn(
                f"the teacher {type(self.model).__name__} gives one class all the probability on {certain:.0%} of the rows, as forests, "
                "trees and neighbours do on rows that they were trained on: such labels teach no more than y. Give the "
                "teacher unfitted and teacher_cv=5, or other rows.",
                DistillkitWarning,
                stacklevel=4,
            )


def serves_as_it_is(teacher: Any, teacher_fit: str) -> bool:
    """Tell whether a teacher is to be used as it is (True) or trained on the rows (False).

    Raises
    ------
    DataError
        If it is none of the things that can teach, or is not fitted and must not be.
    """
    if isinstance(teacher, type) or not (
        teacher is None or isinstance(teacher, (str, nn.Module)) or hasattr(teacher, "predict")
    ):
        raise DataError(
            f"teacher={teacher!r} cannot teach: give a scikit-learn estimator, a torch module, 'linear', 'boosting', the name of a network "
            "or None."
        )
    fitted = teacher is not None and not isinstance(teacher, str) and is_fitted(teacher)
    if teacher_fit == "never" and not fitted:
        raise DataError(
            f"teacher={teacher!r} is not fitted, and teacher_fit='never': fit it first, or give teacher_fit='if_unfitted'. "
            "scikit-learn's clone forgets what an estimator learned; sklearn.frozen.FrozenEstimator(teacher) keeps it."
        )
    return fitted and teacher_fit != "always"


def known_classes(teacher: Any, y: np.ndarray | None, X: np.ndarray) -> np.ndarray:
    """Return the sorted labels that a fitted teacher knows; columns of a module stand for the sorted labels of y.

    Raises
    ------
    DataError
        If y holds labels that the teacher does not know.
    """
    labels = None if y is None else np.unique(y)
    if isinstance(teacher, nn.Module):
        if labels is not None:
            return labels
        return np.arange(max(2, module_outputs(teacher, X[:1]).reshape(-1).size))
    if not hasattr(teacher, "classes_"):
        raise DataError(
            f"the teacher {type(teacher).__name__} has no classes_, so its columns have no labels: give a classifier."
        )
    known = np.unique(teacher.classes_)
    strange = [] if labels is None else np.setdiff1d(labels, known).tolist()
    if strange:
        raise DataError(
            f"y holds the classes {strange}, which the teacher does not know (it knows {known.tolist()}): train it on rows of all "
            "classes, or give it unfitted."
        )
    return known


def new_teacher(
    teacher: Any, shape: tuple[int, ...], n_rows: int, task: str, device: str, rng: np.random.RandomState
) -> Any:
    """Return an unfitted teacher with every seed set.

    None and "auto" are gradient boosting for tables, and for images and series a network trained for 600 steps
    or more (two epochs of MNIST, 98 %).
    Of boosting, forest and neighbours, boosting taught best on digits, Adult, diabetes and Friedman's first problem.

    Parameters
    ----------
    teacher : estimator, Module, str or None
        "linear", "boosting" or the name of a network; an estimator is cloned; a module is trained from the weights it has, on a copy.
    shape : tuple of int
        Shape of a row.
    n_rows : int
    task : {"classification", "regression"}
    device : str
    rng : RandomState
    """
    if is_estimator(teacher):
        return seed_model(clone(teacher), rng)
    if teacher == "linear":
        return linear_teacher(task)
    if teacher == "boosting" or ((teacher is None or teacher == "auto") and len(shape) == 1):
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        boosting = HistGradientBoostingClassifier if task == "classification" else HistGradientBoostingRegressor
        leaf = min(20, max(1, n_rows // 5))  # with scikit-learn's 20, fewer than 40 rows are never divided
        return seed_model(boosting(min_samples_leaf=leaf), rng)
    cls = NetworkClassifier if task == "classification" else NetworkRegressor
    epochs = ceil(_STEPS / ceil(n_rows / _BATCH))
    network, width = ("auto", _WIDTH) if teacher is None else (teacher, None)
    return seed_model(cls(network=network, width=width, epochs=epochs, batch_size=_BATCH, lr=3e-3, device=device), rng)


def linear_teacher(task: str) -> Any:
    """Return logistic or ridge regression on standardized columns."""
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = LogisticRegression(max_iter=500) if task == "classification" else RidgeCV()
    return make_pipeline(StandardScaler(), model)


def fit_or_reuse_teacher(
    teacher: Any,
    rows: Rows,
    classes: np.ndarray | None,
    *,
    ready: bool,
    device: str,
    rng: np.random.RandomState,
    names: Any = None,
) -> tuple[Teacher, Any]:
    """Take a fitted teacher as it is, or train one on the rows.

    Returns
    -------
    teacher : Teacher
    template : estimator or None
        The unfitted estimator, where it was trained here.
    """
    if ready:
        return Teacher(teacher, classes, names), None
    task = "regression" if classes is None else "classification"
    template = new_teacher(teacher, rows.X.shape[1:], len(rows), task, device, rng)
    return Teacher(fit_model(clone(template), rows.X, rows.y, rows.weight), classes), template


def find_classes(teacher: Any, rows: Rows, *, ready: bool) -> np.ndarray:
    """Return the sorted labels to tell apart: those that a fitted teacher knows, else those of y.

    Raises
    ------
    DataError
        If there is one only, or y holds labels that the teacher does not know.
    """
    classes: np.ndarray = known_classes(teacher, rows.y, rows.X) if ready else np.unique(np.asarray(rows.y))
    if len(classes) < 2:
        raise DataError(f"y holds one class only, {classes.tolist()[0]!r}: give rows of two classes or more.")
    return classes
