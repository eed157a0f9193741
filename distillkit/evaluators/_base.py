"""The base classes of evaluators, which must train on very few rows as well as on many."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from distillkit.exceptions import DataError
from distillkit.utils._public_names import PicklesByPublicName

__all__ = ["EvaluatorBase", "WeightedEvaluator", "check_task"]


def check_task(evaluator: str, task: str, *allowed: str) -> None:
    """Refuse a task that an evaluator does not support.

    Parameters
    ----------
    evaluator : str
        Name of the evaluator, for the message.
    task : str
    *allowed : str
        The tasks that it supports.

    Raises
    ------
    DataError
        If `task` is not one of `allowed`.
    """
    if task not in allowed:
        raise DataError(
            f"evaluator {evaluator!r} does {' and '.join(allowed)}, not task={task!r}: choose another evaluator."
        )


def _classifies(evaluator: EvaluatorBase) -> bool:
    return evaluator.task == "classification"


class EvaluatorBase(PicklesByPublicName, BaseEstimator, metaclass=ABCMeta):
    """A scikit-learn model whose settings depend on the number of training rows.

    A subclass implements `_model(n_rows)`. Rows of a single class are allowed: the fitted model
    then predicts that class.

    Attributes
    ----------
    estimator_ : estimator
        The fitted model.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; for classification only.
    n_features_in_ : int
    n_iter_ : int
        Number of iterations, only for evaluators with `max_iter`.
    """

    task: str = "classification"
    _dtypes: tuple[type, ...] = (np.float64, np.float32)  # other dtypes are cast to the first

    @abstractmethod
    def _model(self, n_rows: int) -> Any:
        """Return the unfitted model for a number of training rows."""

    def fit(self, X: Any, y: Any) -> Self:
        """Train on the rows.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
            Labels or numbers.

        Returns
        -------
        self
        """
        return self._fit(X, y, {})

    def _fit(self, X: Any, y: Any, weights: dict[str, np.ndarray]) -> Self:
        X, y = validate_data(self, X, y, dtype=list(self._dtypes), y_numeric=not _classifies(self))
        if _classifies(self):
            check_classification_targets(y)
            self.classes_ = np.unique(y)
        constant = _classifies(self) and len(self.classes_) == 1
        self.estimator_ = DummyClassifier() if constant else self._model(len(X))
        self._train(self.estimator_, X, y, weights)
        if hasattr(self, "max_iter"):  # a constant model has no iterations
            self.n_iter_ = int(np.max(getattr(self.estimator_, "n_iter_", 0)))
        return self

    def _train(self, model: Any, X: np.ndarray, y: np.ndarray, weights: dict[str, np.ndarray]) -> None:
        model.fit(X, y, **weights)

    def _validated(self, X: Any) -> Any:
        check_is_fitted(self, "estimator_")
        return validate_data(self, X, reset=False, dtype=list(self._dtypes))

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels or numbers, shape (n,), for rows of shape (n, d)."""
        X = self._validated(X)
        return np.asarray(self.estimator_.predict(X))

    @available_if(_classifies)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, shape (n, n_classes), with columns as in `classes_`."""
        X = self._validated(X)
        return np.asarray(self.estimator_.predict_proba(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy for labels, or R2 for numbers."""
        metric = accuracy_score if _classifies(self) else r2_score
        return float(metric(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        """Declare a classifier or a regressor, according to the task."""
        from sklearn.utils import ClassifierTags, RegressorTags

        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if _classifies(self):
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        else:
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        return tags


class WeightedEvaluator(EvaluatorBase):
    """The base class of evaluators whose model takes `sample_weight`."""

    # Whether weights are scaled to mean 1, for models where only their ratios should matter.
    _mean_one: bool = False

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on the rows, each of which counts `sample_weight` times.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
            Labels or numbers.
        sample_weight : array-like of shape (n,) or None
            Number of training rows that each row represents; None counts every row once.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If all weights are zero.
        """
        if sample_weight is None:
            return self._fit(X, y, {})
        if not np.any(np.asarray(sample_weight)):
            raise DataError(
                "sample_weight is zero for every row, so nothing can be learned: give at least one positive weight."
            )
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return self._fit(X, y, {"sample_weight": weight / weight.mean() if self._mean_one else weight})
