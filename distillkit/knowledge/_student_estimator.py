"""The scikit-learn interface of a fitted student: prediction, scores, tags and pickling."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, is_classifier, is_regressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import nn

from distillkit.exceptions import DataError
from distillkit.knowledge._readable import as_sql, as_text, has_sql, has_text
from distillkit.knowledge._student import Student
from distillkit.knowledge._teacher import Teacher
from distillkit.knowledge._temperature import softmax
from distillkit.tables import TableEncoder
from distillkit.tables._estimators import check_columns, check_order
from distillkit.utils._containers import to_numpy
from distillkit.utils._numeric_rows import validate_rows
from distillkit.utils._public_names import PicklesByPublicName

__all__ = ["StudentEstimator"]


def _is_kind(kind: Any, model: Any) -> bool:
    return hasattr(model, "__sklearn_tags__") and bool(kind(model))


def _classifies(self: StudentEstimator) -> bool:
    return self._task_hint() == "classification"


def _has_probabilities(self: StudentEstimator) -> bool:
    return _classifies(self) and (
        getattr(self, "student_way_", "logits") == "logits" or hasattr(self.student_, "predict_proba")
    )


class StudentEstimator(PicklesByPublicName, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base of `TeacherStudentDistiller` with all methods that are used after `fit`."""

    teacher: Any
    student: Any
    task: str
    temperature: Any
    teacher_: Any
    student_: Any
    student_way_: str
    classes_: np.ndarray
    task_: str
    shape_: tuple[int, ...]
    encoder_: TableEncoder

    def _task_hint(self) -> str:
        """Return the task as far as it is known: set, found in `fit`, or inferred from the models.

        Before `fit`, scikit-learn's tags need a task, so a likely one is returned.
        """
        if self.task != "auto":
            return self.task
        likely = "regression" if _is_kind(is_regressor, self.student) else "classification"
        return getattr(self, "task_", None) or self._task_of_models() or likely

    def _task_of_models(self) -> str | None:
        """Return the task of the teacher, or of a student that is a classifier.

        A student that is a regressor decides nothing, because it can also learn the logits of a
        classification task.
        """
        for teacher in self.teacher if isinstance(self.teacher, (list, tuple)) else [self.teacher]:
            if _is_kind(is_classifier, teacher):
                return "classification"
            if _is_kind(is_regressor, teacher):
                return "regression"
        return "classification" if _is_kind(is_classifier, self.student) else None

    def _validated(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "student_")
        if "encoder_" in self.__dict__:
            check_columns(self, X, reset=False)
            encoded: np.ndarray = self.encoder_.transform(X)
            return encoded
        check_order(self, X)
        rows = validate_rows(self, to_numpy(X), reset=False, dtype=[np.float64, np.float32])
        if rows.shape[1:] != self.shape_:
            raise DataError(f"rows have shape {rows.shape[1:]}, but the student was trained on {self.shape_}.")
        return rows  # type: ignore[no-any-return]

    def _student(self) -> Student:
        temperature = getattr(self, "_learned_temperature", 1.0)
        return Student(self.student_, self.student_way_, getattr(self, "classes_", None), temperature)

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels or numbers (n,) with the student."""
        rows = self._validated(X)
        return self._student().predict(rows)

    def predict_teacher(self, X: Any) -> np.ndarray:
        """Predict labels or numbers (n,) with the teacher, for comparison with the student."""
        rows = self._validated(X)
        if self.teacher_ is None:
            raise DataError("teacher=None, as only its answers were given in fit: give the teacher to predict with it.")
        names = getattr(self, "feature_names_in_", None)
        return Teacher(self.teacher_, getattr(self, "classes_", None), names).predict(rows)

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the student's class probabilities (n, n_classes); only for classification.

        A student that was taught by weights has learned probabilities at the temperature of the
        soft labels; they are brought back to temperature 1 by the power T, where `student_` itself
        predicts them as it learned them.
        """
        rows = self._validated(X)
        return self._student().probabilities(rows)

    def transform(self, X: Any) -> np.ndarray:
        """Return the student's class probabilities at the temperature.

        They are proportional to ``predict_proba(X) ** (1 / temperature)``.

        Returns
        -------
        ndarray of shape (n, n_classes) or (n, 1)
            For regression, the predictions as a single column.

        Raises
        ------
        DataError
            If the student has neither probabilities nor decision values.
        """
        rows = self._validated(X)
        if self.task_ == "regression":
            return self._student().predict(rows)[:, None]
        return softmax(self._student().logits(rows), getattr(self, "temperature_", self.temperature))

    @available_if(lambda self: has_text(self.student_))
    def export_text(self) -> str:
        """Return the rules of a student that is a tree, or the coefficients of a linear one.

        Returns
        -------
        str
            One line for each rule or coefficient, with the names of the columns of X, or for a
            mixed table with those of the encoded columns.
        """
        check_is_fitted(self, "student_")
        return as_text(self.student_, self._column_labels())

    @available_if(lambda self: has_sql(self.student_))
    def export_sql(self) -> str:
        """Return a student that is a tree as an expression of standard SQL.

        Returns
        -------
        str
            Nested CASE expressions over the columns of X, named ``x0``, ``x1``, ... if they have no
            names, with the label or number as value. The tree compares columns in float32.

        Raises
        ------
        DataError
            If X was a mixed table, whose columns the tree does not see as they are.
        """
        check_is_fitted(self, "student_")
        if "encoder_" in self.__dict__:
            raise DataError(
                "export_sql names the columns of X, but the student was trained on the encoded columns of a mixed "
                "table: encode the table first, and fit on numbers."
            )
        classes = getattr(self, "classes_", None)
        return as_sql(self.student_, self._column_labels(), None if classes is None else self.student_.classes_)

    def _column_labels(self) -> list[str]:
        if "encoder_" in self.__dict__:
            return [str(name) for name in self.encoder_.get_feature_names_out()]
        n_columns = int(np.prod(self.shape_))
        return [str(name) for name in getattr(self, "feature_names_in_", [f"x{place}" for place in range(n_columns)])]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy for labels, or R2 for numbers."""
        return float(self._metric()(to_numpy(y), self.predict(X), sample_weight=sample_weight))

    def _metric(self) -> Any:
        return accuracy_score if _classifies(self) else r2_score

    @property
    def _n_features_out(self) -> int:
        return len(self.classes_) if self.task_ == "classification" else 1

    def __getstate__(self) -> dict[str, Any]:
        """Pickle torch modules on the CPU, so that machines without a GPU can load them."""
        state = dict(super().__getstate__())
        for name, value in state.items():
            if isinstance(value, nn.Module):
                state[name] = copy.deepcopy(value).cpu()
        return state

    def __sklearn_tags__(self) -> Any:
        """Declare a classifier or regressor whose rows may have more than two axes."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.three_d_array = True
        if _classifies(self):
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        else:
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        return tags
