"""The student: its construction, its training on distillation targets and its predictions."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch
from sklearn.base import clone, is_regressor
from torch import nn

from distillkit.exceptions import DataError
from distillkit.knowledge._logit_classifier import LogitClassifier
from distillkit.knowledge._loss import DistillationLoss
from distillkit.knowledge._models import (
    check_task,
    class_logits,
    fit_model,
    is_estimator,
    model_input,
)
from distillkit.knowledge._named_students import NAMED_STUDENTS, named_student
from distillkit.knowledge._targets import DistillationTargets
from distillkit.knowledge._temperature import logits_of, mixed_labels, softmax, with_floor
from distillkit.nn import NetworkClassifier, NetworkRegressor
from distillkit.utils._soft_labels import expand_soft_labels
from distillkit.utils._weights import sample_weight_name

__all__ = ["Student", "epochs_for", "fit_student", "new_student", "way_of_teaching"]

_SMALLEST_WEIGHT = 1e-12
_SMALL_NETWORK: dict[str, Any] = {"width": 16, "hidden": (32,)}
"""Settings of the default student: half the channels of the default teacher, so about a quarter of
its parameters. Much narrower networks no longer learn small image sets well."""
_STEPS = 600


def epochs_for(n_rows: int, batch_size: int) -> int:
    """Return the epochs that make at least 600 steps, as many as the default teacher takes."""
    return ceil(_STEPS / ceil(n_rows / batch_size))


def new_student(student: Any, task: str, **training: Any) -> Any:
    """Return an unfitted student.

    Parameters
    ----------
    student : estimator, Module, callable, str or None
        None and "auto" are a small network (16 channels, or one hidden layer of 32 units); an
        estimator is cloned. Names are those of `named_student` and of networks.
    task : {"classification", "regression"}
    **training
        Parameters of `NetworkClassifier`, for students that are not estimators yet.

    Raises
    ------
    DataError
        If the student is none of these, or a classifier for numbers.
    """
    if isinstance(student, str) and student in NAMED_STUDENTS:
        return named_student(student, task)
    if is_estimator(student):
        if task == "regression":
            check_task("student", student, task)
        return clone(student)
    if not (student is None or isinstance(student, (str, nn.Module)) or callable(student)):
        raise DataError(
            f"student={student!r} cannot be taught: give the name of a network, a torch module, a function of "
            "(shape, n_outputs) that returns one, a scikit-learn estimator or None."
        )
    size = _SMALL_NETWORK if student is None or student == "auto" else {}
    cls = NetworkClassifier if task == "classification" else NetworkRegressor
    return cls(network="auto" if student is None else student, **size, **training)


def fit_student(student: Any, targets: DistillationTargets) -> Student:
    """Fit a student with the best method that it supports.

    Returns
    -------
    Student
        Its `method` says how it was trained:

        - "loss": a network, with the distillation loss.
        - "weights": a classifier that takes sample weights, on each row once per class, weighted by
          the mixed labels. For learners of the log loss this is exact soft cross-entropy.
        - "logits": a regressor, on the logits of the mixed labels.
        - "numbers": a regressor, on mixed numbers. For the squared error this is exact.
        - "hard": any other classifier, on the most probable class of the mixed labels, or on the
          labels themselves with ``alpha=1``.
    """
    model, method = _fit(student, targets)
    temperature = targets.temperature if method == "weights" else 1.0
    return Student(model, method, targets.classes, temperature)


def way_of_teaching(student: Any, task: str) -> str:
    """Return how an unfitted student is taught by soft labels: the `method` of `fit_student`."""
    is_network = isinstance(student, (NetworkClassifier, NetworkRegressor))
    if is_network and is_regressor(student) == (task == "regression"):
        return "loss"
    if task == "regression":
        return "numbers"
    if is_regressor(student):
        return "logits"
    return "hard" if sample_weight_name(student) is None else "weights"


def _fit(student: Any, targets: DistillationTargets) -> tuple[Any, str]:
    rows = targets.rows
    way = way_of_teaching(student, "regression" if targets.classes is None else "classification")
    if way == "loss":
        return _fit_network(student, targets), way
    if way == "numbers":
        return fit_model(student, rows.X, _mixed_numbers(targets), rows.weight), way
    if way == "logits":
        return _fit_to_logits(student, targets), way
    if not targets.uses_teacher:
        return fit_model(student, rows.X, rows.y, rows.weight), "hard"
    if way == "weights":
        return _fit_with_weights(student, targets), way
    assert targets.classes is not None
    labels = targets.classes[_mixed_labels(targets).argmax(axis=1)]
    return fit_model(student, rows.X, labels, rows.weight), way


def _fit_network(student: Any, targets: DistillationTargets) -> Any:
    if targets.uses_teacher and student.augment is not None:
        raise DataError(
            f"student has augment={student.augment!r}, but the teacher has seen the rows as they are, not changed: "
            "leave augment out, or set alpha=1."
        )
    rows, teacher_outputs = targets.rows, targets.teacher_outputs
    if targets.classes is not None:

        def of_classes(device: torch.device) -> DistillationLoss:
            logits = (
                None
                if teacher_outputs is None
                else torch.as_tensor(teacher_outputs, dtype=torch.float32, device=device)
            )
            codes = None if targets.codes is None else torch.as_tensor(targets.codes, device=device)
            alpha = _on_device(targets.alpha, device)
            return DistillationLoss.of_classes(
                codes, logits, targets.temperature, alpha, targets.plan, int(student.epochs)
            )

        return student.fit_loss(rows.X, targets.classes, of_classes, sample_weight=rows.weight)

    def of_numbers(device: torch.device) -> DistillationLoss:
        # The network predicts the standardized target, so both targets are scaled alike.
        values, teacher_values = (
            None if numbers is None else torch.as_tensor(student.scaled(numbers), device=device)
            for numbers in (rows.y, teacher_outputs)
        )
        return DistillationLoss.of_numbers(values, teacher_values, _on_device(targets.alpha, device))

    y = teacher_outputs if rows.y is None else rows.y
    return student.fit_loss(rows.X, y, of_numbers, sample_weight=rows.weight)


def _on_device(alpha: float | np.ndarray, device: torch.device) -> Any:
    return float(alpha) if np.ndim(alpha) == 0 else torch.as_tensor(alpha, dtype=torch.float32, device=device)


def _mixed_numbers(targets: DistillationTargets) -> np.ndarray:
    """Return ``alpha y + (1 - alpha) t``.

    The squared error from this target differs from the mixture of the squared errors from y and t
    by a constant alone, so both have the same minimum.
    """
    if targets.teacher_outputs is None or not targets.uses_teacher:
        assert targets.rows.y is not None
        return targets.rows.y
    y = 0.0 if targets.rows.y is None else np.asarray(targets.rows.y, dtype=np.float64)
    return np.asarray(targets.alpha * y + (1 - targets.alpha) * targets.teacher_outputs)


def _mixed_labels(targets: DistillationTargets) -> np.ndarray:
    assert targets.classes is not None
    codes = targets.codes if targets.uses_labels else None
    return mixed_labels(codes, targets.teacher_outputs, len(targets.classes), targets.temperature, targets.alpha)


def _fit_with_weights(student: Any, targets: DistillationTargets) -> Any:
    """Fit on each row once per class, weighted by the probability of the class."""
    assert targets.classes is not None
    X, y, weight = expand_soft_labels(
        targets.rows.X, _mixed_labels(targets), targets.classes, targets.rows.weight, tiny=_SMALLEST_WEIGHT
    )
    return fit_model(student, X, y, weight)


def _fit_to_logits(student: Any, targets: DistillationTargets) -> LogitClassifier:
    """Fit a regressor to the logits of the mixed labels.

    The logits are brought back from the temperature of the labels to the teacher's own, limited
    from below, and centered so that their mean over the classes is 0.
    """
    assert targets.classes is not None
    logits = with_floor(logits_of(_mixed_labels(targets)) * (targets.temperature if targets.uses_teacher else 1.0))
    centered = logits - logits.mean(axis=1, keepdims=True)
    return LogitClassifier(student).fit_logits(targets.rows.X, centered, targets.classes, targets.rows.weight)


@dataclass(frozen=True, eq=False)
class Student:
    """A fitted student with one interface for all kinds of models.

    Parameters
    ----------
    model : fitted estimator
    method : str
        How the student was trained; see `fit_student`.
    classes : ndarray of shape (n_classes,) or None
        Sorted labels; None for regression.
    temperature : float, default=1.0
        Temperature of the probabilities that the model itself predicts. It is that of the soft
        labels for students that were taught by weights, and 1 for all others.
    """

    model: Any
    method: str
    classes: np.ndarray | None
    temperature: float = 1.0

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict labels or numbers (n,)."""
        return np.asarray(self.model.predict(model_input(self.model, X))).reshape(len(X))

    def logits(self, X: np.ndarray) -> np.ndarray:
        """Return the logits (n, n_classes) at temperature 1.

        Raises
        ------
        DataError
            If the model has neither probabilities nor decision values.
        """
        if isinstance(self.model, LogitClassifier):
            return self.model.logits(X)
        assert self.classes is not None
        return self.temperature * class_logits(self.model, X, self.model.classes_, self.classes)

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """Return class probabilities (n, n_classes) at temperature 1.

        They are the model's own if it knows every class and was taught at temperature 1.
        """
        assert self.classes is not None
        if self.temperature == 1 and len(self.model.classes_) == len(self.classes):
            return np.asarray(self.model.predict_proba(model_input(self.model, X)))
        return softmax(self.logits(X))
