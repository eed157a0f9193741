"""The teacher: used as fitted or trained on the rows, and queried for its outputs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from torch import nn

from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.knowledge._averaged_teachers import AveragedTeachers
from distillkit.knowledge._models import (
    class_logits,
    fit_model,
    is_estimator,
    is_fitted,
    model_input,
    module_outputs,
    predicted_numbers,
)
from distillkit.knowledge._targets import Rows
from distillkit.knowledge._temperature import EPS
from distillkit.nn import NetworkClassifier, NetworkRegressor
from distillkit.utils._seeds import seed_model

__all__ = ["Teacher", "find_classes", "fit_or_reuse_teacher", "is_prefitted"]

_STEPS, _BATCH, _WIDTH = 600, 128, 32


@dataclass(frozen=True, eq=False)
class Teacher:
    """A fitted teacher with one interface for all kinds of models.

    Parameters
    ----------
    model : fitted estimator or Module
    classes : ndarray of shape (n_classes,) or None
        Sorted labels, one per column of `outputs`; None for regression.
    names : array-like of str or None
        Names of the columns of a table.
    """

    model: Any
    classes: np.ndarray | None
    names: Any = None

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """Return logits (n, n_classes), or numbers (n,) for regression."""
        if self.classes is None:
            return predicted_numbers(self.model, X, self.names)
        # The output columns of a module carry no labels: they belong to the sorted labels.
        model_classes = self.classes if isinstance(self.model, nn.Module) else self.model.classes_
        return class_logits(self.model, X, model_classes, self.classes, self.names)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict labels or numbers (n,), with the model's own `predict` where it has one."""
        if not isinstance(self.model, nn.Module):
            return np.asarray(self.model.predict(model_input(self.model, X, self.names))).reshape(len(X))
        outputs = self.outputs(X)
        return outputs if self.classes is None else self.classes[outputs.argmax(axis=1)]

    def warn_if_one_hot(self, logits: np.ndarray) -> None:
        """Warn if almost every row has one class with all the probability.

        Such soft labels carry no more information than the labels y.

        Parameters
        ----------
        logits : ndarray of shape (n, n_classes)
            Outputs of this teacher.

        Warns
        -----
        DistillkitWarning
        """
        certain = (np.sort(logits, axis=1)[:, -2] <= np.log(EPS) + 1e-9).mean()
        if certain > 0.9:
            warnings.warn(
                f"the teacher {type(self.model).__name__} gives one class all the probability on {certain:.0%} of the "
                "rows, as forests, trees and neighbors do on their own training rows: such soft labels carry no more "
                "information than y. Give the teacher unfitted and teacher_cv=5, or other rows.",
                DistillkitWarning,
                stacklevel=4,
            )


def is_prefitted(teacher: Any, teacher_fit: str) -> bool:
    """Return whether a teacher is used as fitted (True) or trained on the rows (False).

    Parameters
    ----------
    teacher : estimator, Module, str or None
    teacher_fit : {"if_unfitted", "never", "always"}

    Raises
    ------
    DataError
        If the object cannot be a teacher, or if it is not fitted with ``teacher_fit="never"``.
    """
    if isinstance(teacher, type) or not (
        teacher is None or isinstance(teacher, (str, nn.Module)) or hasattr(teacher, "predict")
    ):
        raise DataError(
            f"teacher={teacher!r} cannot teach: give a scikit-learn estimator, a torch module, 'linear', 'boosting', "
            "the name of a network or None."
        )
    fitted = teacher is not None and not isinstance(teacher, str) and is_fitted(teacher)
    if teacher_fit == "never" and not fitted:
        raise DataError(
            f"teacher={teacher!r} is not fitted, and teacher_fit='never': fit it first, or give "
            "teacher_fit='if_unfitted'. scikit-learn's clone discards what an estimator has learned; "
            "sklearn.frozen.FrozenEstimator(teacher) keeps it."
        )
    return fitted and teacher_fit != "always"


def known_classes(teacher: Any, y: np.ndarray | None, X: np.ndarray) -> np.ndarray:
    """Return the sorted labels that a fitted teacher knows.

    The output columns of a module belong to the sorted labels of y, or are numbered without y.

    Raises
    ------
    DataError
        If y holds labels that the teacher does not know, or the teacher has no labels.
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
    unknown = [] if labels is None else np.setdiff1d(labels, known).tolist()
    if unknown:
        raise DataError(
            f"y holds the classes {unknown}, which the teacher does not know (it knows {known.tolist()}): train it on "
            "rows of all classes, or give it unfitted."
        )
    return known


def new_teacher(
    teacher: Any, shape: tuple[int, ...], n_rows: int, task: str, device: str, rng: np.random.RandomState
) -> Any:
    """Return an unfitted teacher with every seed set.

    None and "auto" are gradient boosting for tables, which makes good soft labels without tuning,
    and for images and series a network trained for at least 600 steps.

    Parameters
    ----------
    teacher : estimator, Module, str or None
        "linear", "boosting" or the name of a network. An estimator is cloned. A module is copied
        and trained from the weights that it has.
    shape : tuple of int
        Shape of a row.
    n_rows : int
        Number of training rows.
    task : {"classification", "regression"}
    device : str
    rng : RandomState
    """
    if isinstance(teacher, AveragedTeachers):
        members = [
            (FrozenEstimator(member) if is_estimator(member) else member)
            if not isinstance(member, str) and member is not None and is_fitted(member)
            else new_teacher(member, shape, n_rows, task, device, rng)
            for member in teacher.teachers
        ]
        return AveragedTeachers(members)
    if is_estimator(teacher):
        return seed_model(clone(teacher), rng)
    if teacher == "linear":
        return linear_teacher(task)
    if teacher == "boosting" or ((teacher is None or teacher == "auto") and len(shape) == 1):
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        boosting = HistGradientBoostingClassifier if task == "classification" else HistGradientBoostingRegressor
        # With scikit-learn's minimum of 20 rows per leaf, fewer than 40 rows are never split.
        min_samples_leaf = min(20, max(1, n_rows // 5))
        return seed_model(boosting(min_samples_leaf=min_samples_leaf), rng)
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
    prefitted: bool,
    device: str,
    rng: np.random.RandomState,
    names: Any = None,
) -> tuple[Teacher, Any]:
    """Use a fitted teacher as it is, or train one on the rows.

    Parameters
    ----------
    teacher : estimator, Module, str or None
    rows : Rows
    classes : ndarray of shape (n_classes,) or None
        Sorted labels; None for regression.
    prefitted : bool
        Whether the teacher is used as it is; see `is_prefitted`.
    device : str
    rng : RandomState
    names : array-like of str or None
        Names of the columns of a table, for a teacher that is used as it is.

    Returns
    -------
    teacher : Teacher
    template : estimator or None
        The unfitted estimator if the teacher was trained here, otherwise None.
    """
    if prefitted:
        return Teacher(teacher, classes, names), None
    task = "regression" if classes is None else "classification"
    template = new_teacher(teacher, rows.X.shape[1:], len(rows), task, device, rng)
    return Teacher(fit_model(clone(template), rows.X, rows.y, rows.weight), classes), template


def find_classes(teacher: Any, rows: Rows, *, prefitted: bool) -> np.ndarray:
    """Return the sorted labels of the task: those that a fitted teacher knows, or those of y.

    Raises
    ------
    DataError
        If there is only one class, or if y holds labels that the teacher does not know.
    """
    classes: np.ndarray = known_classes(teacher, rows.y, rows.X) if prefitted else np.unique(np.asarray(rows.y))
    if len(classes) < 2:
        raise DataError(f"y holds one class only, {classes.tolist()[0]!r}: give rows of two classes or more.")
    return classes
