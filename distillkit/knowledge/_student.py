"""The student: chosen, taught by what it can take, and asked."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch
from sklearn.base import clone, is_regressor
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags
from torch import nn

from distillkit.exceptions import DataError
from distillkit.knowledge._loss import TaughtLoss
from distillkit.knowledge._models import check_task, class_logits, fit_model, is_estimator, rows_for, weight_name
from distillkit.knowledge._targets import DistillationTargets
from distillkit.knowledge._temperature import logits_of, mix, softmax
from distillkit.nn import NetworkClassifier, NetworkRegressor
from distillkit.utils._soft_labels import expand_soft_labels

__all__ = ["Student", "epochs_for", "new_student", "teach"]

_TINY = 1e-12
_SMALL: dict[str, Any] = {"width": 16, "hidden": (32,)}
"""Half the channels of the teacher that is made by default, so a quarter of its parameters; eight no longer learn digits."""
_STEPS = 600


def epochs_for(n_rows: int, batch_size: int) -> int:
    """Return the epochs that make 600 steps or more: as many as the teacher made by default takes, however many the rows."""
    return ceil(_STEPS / ceil(n_rows / batch_size))


def new_student(student: Any, task: str, **training: Any) -> Any:
    """Return an unfitted student.

    Parameters
    ----------
    student : estimator, Module, callable, str or None
        None and "auto" are a small network (16 channels, or one hidden layer of 32); an estimator is cloned.
    task : {"classification", "regression"}
    **training
        Parameters of `NetworkClassifier`, for students that are not estimators yet.

    Raises
    ------
    DataError
        If it is none of these, or a classifier for numbers.
    """
    if is_estimator(student):
        if task == "regression":
            check_task("student", student, task)
        return clone(student)
    if not (student is None or isinstance(student, (str, nn.Module)) or callable(student)):
        raise DataError(
            f"student={student!r} cannot be taught: give the name of a network, a torch module, a function of "
            "(shape, n_outputs) that returns one, a scikit-learn estimator or None."
        )
    small = _SMALL if student is None or student == "auto" else {}
    cls = NetworkClassifier if task == "classification" else NetworkRegressor
    return cls(network="auto" if student is None else student, **small, **training)


def teach(student: Any, targets: DistillationTargets) -> Student:
    """Fit a student by the best way it can be taught.

    Returns
    -------
    Student
        Its `way` says how it was taught: "loss" (a network, with the distillation loss), "weights" (each row once per
        class, weighted by the mixed labels: exact soft cross-entropy for learners of log loss), "logits" (a regressor on mixed
        logits), "numbers" (a regressor on mixed numbers: exact for squared error), "hard" (labels alone).
    """
    model, way = _fit(student, targets)
    return Student(model, way, targets.classes)


def _fit(student: Any, targets: DistillationTargets) -> tuple[Any, str]:
    rows = targets.rows
    if isinstance(student, (NetworkClassifier, NetworkRegressor)) and is_regressor(student) == (
        targets.classes is None
    ):
        return _teach_network(student, targets), "loss"
    if targets.classes is None:
        return fit_model(student, rows.X, _mixed_numbers(targets), rows.weight), "numbers"
    if is_regressor(student):
        return _teach_logits(student, targets), "logits"
    if targets.alpha == 1:
        return fit_model(student, rows.X, rows.y, rows.weight), "hard"
    if weight_name(student) is not None:
        return _teach_weights(student, targets), "weights"
    labels = targets.classes[_mixed(targets).argmax(axis=1)]
    return fit_model(student, rows.X, labels, rows.weight), "hard"


def _teach_network(student: Any, targets: DistillationTargets) -> Any:
    if targets.alpha < 1 and student.augment is not None:
        raise DataError(
            f"student has augment={student.augment!r}, but the teacher has seen the rows as they are, not changed: "
            "leave augment out, or set alpha=1."
        )
    rows, taught = targets.rows, targets.taught
    if targets.classes is not None:

        def of_classes(device: torch.device) -> TaughtLoss:
            logits = None if taught is None else torch.as_tensor(taught, dtype=torch.float32, device=device)
            codes = None if targets.codes is None else torch.as_tensor(targets.codes, device=device)
            return TaughtLoss.of_classes(codes, logits, targets.temperature, targets.alpha)

        return student.fit_loss(rows.X, targets.classes, of_classes, sample_weight=rows.weight)

    def of_numbers(device: torch.device) -> TaughtLoss:
        y, t = (None if v is None else torch.as_tensor(student.scaled(v), device=device) for v in (rows.y, taught))
        return TaughtLoss.of_numbers(y, t, targets.alpha)

    return student.fit_loss(rows.X, taught if rows.y is None else rows.y, of_numbers, sample_weight=rows.weight)


def _mixed_numbers(targets: DistillationTargets) -> np.ndarray:
    """``alpha y + (1 - alpha) t``: squared errors from y and t differ from the error from it by a constant alone."""
    if targets.taught is None or targets.alpha == 1:
        assert targets.rows.y is not None
        return targets.rows.y
    y = 0.0 if targets.rows.y is None else np.asarray(targets.rows.y, dtype=np.float64)
    return np.asarray(targets.alpha * y + (1 - targets.alpha) * targets.taught)


def _mixed(targets: DistillationTargets) -> np.ndarray:
    assert targets.classes is not None
    codes = targets.codes if targets.alpha > 0 else None
    return mix(codes, targets.taught, len(targets.classes), targets.temperature, targets.alpha)


def _teach_weights(student: Any, targets: DistillationTargets) -> Any:
    """Fit on each row once per class, with the class as label and its share of the row's weight."""
    assert targets.classes is not None
    X, y, weight = expand_soft_labels(targets.rows.X, _mixed(targets), targets.classes, targets.rows.weight, tiny=_TINY)
    return fit_model(student, X, y, weight)


def _teach_logits(student: Any, targets: DistillationTargets) -> Any:
    """Fit a regressor on the logits of the mixed labels, at the teacher's own temperature, their mean over classes 0."""
    logits = logits_of(_mixed(targets)) * (targets.temperature if targets.alpha < 1 else 1.0)
    many = not hasattr(student, "__sklearn_tags__") or get_tags(student).target_tags.multi_output
    model = student if many else MultiOutputRegressor(student)
    return fit_model(model, targets.rows.X, logits - logits.mean(axis=1, keepdims=True), targets.rows.weight)


@dataclass(frozen=True, eq=False)
class Student:
    """A fitted student, asked in one way whatever it is.

    Parameters
    ----------
    model : fitted estimator
    way : str
        How it was taught; see `teach`.
    classes : ndarray of shape (n_classes,) or None
        Sorted labels; None for numbers.
    """

    model: Any
    way: str
    classes: np.ndarray | None

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels or numbers (n,)."""
        if self.way != "logits":
            return np.asarray(self.model.predict(rows_for(self.model, X))).reshape(len(X))
        assert self.classes is not None
        return self.classes[self.logits(X).argmax(axis=1)]  # type: ignore[no-any-return]

    def logits(self, X: np.ndarray) -> np.ndarray:
        """Logits (n, n_classes).

        Raises
        ------
        DataError
            If the model has neither probabilities nor decision values.
        """
        if self.way == "logits":
            return np.asarray(self.model.predict(rows_for(self.model, X)), dtype=np.float64)
        assert self.classes is not None
        return class_logits(self.model, X, self.model.classes_, self.classes)

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """Class probabilities (n, n_classes), the model's own where it has a column for every class."""
        assert self.classes is not None
        if self.way != "logits" and len(self.model.classes_) == len(self.classes):
            return np.asarray(self.model.predict_proba(rows_for(self.model, X)))
        return softmax(self.logits(X))
