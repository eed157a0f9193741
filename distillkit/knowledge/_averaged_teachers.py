"""Several teachers as one, which answers with the mean of their probabilities or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.utils import get_tags
from torch import nn

from distillkit.exceptions import DataError
from distillkit.knowledge._models import class_logits, fit_model, is_estimator, is_fitted, predicted_numbers
from distillkit.knowledge._temperature import softmax

__all__ = ["AveragedTeachers"]


class AveragedTeachers(BaseEstimator):
    """The mean of the probabilities, or of the numbers, of several teachers.

    Parameters
    ----------
    teachers : sequence of estimator or Module
        Fitted ones are used as they are; `fit` trains copies of the others.

    Attributes
    ----------
    teachers_ : list of fitted models
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; only for classifiers.
    """

    def __init__(self, teachers: Sequence[Any]) -> None:
        self.teachers = teachers

    @property
    def _members(self) -> list[Any]:
        return list(getattr(self, "teachers_", self.teachers))

    def __sklearn_is_fitted__(self) -> bool:
        """Whether all teachers can predict."""
        return all(not isinstance(member, str) and member is not None and is_fitted(member) for member in self._members)

    def fit(self, X: np.ndarray, y: Any, sample_weight: Any = None) -> Self:
        """Train the teachers that are not fitted."""
        self.teachers_ = [
            teacher if is_fitted(teacher) else fit_model(teacher, X, y, sample_weight) for teacher in self.teachers
        ]
        if not is_regressor(self):
            self._labels = np.unique(y)
        return self

    @property
    def classes_(self) -> np.ndarray:
        """Sorted labels, the same for all teachers.

        Raises
        ------
        DataError
            If the teachers know different classes, or if none of them has labels.
        """
        known = [np.unique(member.classes_) for member in self._members if hasattr(member, "classes_")]
        if not known and not hasattr(self, "_labels"):
            raise DataError("none of the teachers has classes_, so their columns have no labels: give a classifier.")
        first = known[0] if known else self._labels
        for other in known:
            if differing := np.setxor1d(first, other).tolist():
                raise DataError(
                    f"the teachers know different classes: {differing} is known to some of them only. Train all of "
                    "them on the same classes."
                )
        return np.asarray(first)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the mean probabilities (n, n_classes)."""
        classes, rows = self.classes_, np.asarray(X)
        answers = [
            softmax(class_logits(member, rows, getattr(member, "classes_", classes), classes))
            for member in self._members
        ]
        return np.asarray(np.mean(answers, axis=0))

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels, or the mean of the numbers (n,)."""
        if is_regressor(self):
            return np.asarray(np.mean([predicted_numbers(member, np.asarray(X)) for member in self._members], axis=0))
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def __sklearn_tags__(self) -> Any:
        """Declare a classifier or a regressor, as the first estimator among the teachers does."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        for member in self.teachers:
            if not isinstance(member, nn.Module) and is_estimator(member) and _has_task(member):
                declared = get_tags(member)
                tags.estimator_type = declared.estimator_type
                tags.classifier_tags, tags.regressor_tags = declared.classifier_tags, declared.regressor_tags
                break
        return tags


def _has_task(model: Any) -> bool:
    return hasattr(model, "__sklearn_tags__") and (is_classifier(model) or is_regressor(model))
