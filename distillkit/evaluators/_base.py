"""The base of the recipes: models that must train on ten rows as well as on sixty thousand."""

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


def check_task(recipe: str, task: str, *allowed: str) -> None:
    """Refuse a task that a recipe cannot do.

    Raises
    ------
    DataError
        If `task` is not one of `allowed`.
    """
    if task not in allowed:
        raise DataError(
            f"evaluator {recipe!r} does {' and '.join(allowed)}, not task={task!r}: choose another evaluator."
        )


def _classifies(recipe: EvaluatorBase) -> bool:
    return recipe.task == "classification"


class EvaluatorBase(PicklesByPublicName, BaseEstimator, metaclass=ABCMeta):
    """A scikit-learn model whose settings follow from the rows it is given.

    A subclass writes `_model(n_rows)`. Rows of one class alone are no error: the fitted model is then constant.

    Attributes
    ----------
    estimator_ : estimator
        The fitted model.
    classes_ : ndarray of shape (n_classes,)
        Labels seen, sorted; for classification only.
    n_features_in_ : int
    n_iter_ : int
        Steps taken, only for recipes with `max_iter`.
    """

    task: str = "classification"
    _dtypes: tuple[type, ...] = (np.float64, np.float32)  # the first is what other dtypes are cast to

    @abstractmethod
    def _model(self, n_rows: int) -> Any:
        """Return the unfitted model for so many rows."""

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
        if hasattr(self, "max_iter"):  # a constant model took no step
            self.n_iter_ = int(np.max(getattr(self.estimator_, "n_iter_", 0)))
        return self

    def _train(self, model: Any, X: np.ndarray, y: np.ndarray, weights: dict[str, np.ndarray]) -> None:
        model.fit(X, y, **weights)

    def _checked(self, X: Any) -> Any:
        check_is_fitted(self, "estimator_")
        return validate_data(self, X, reset=False, dtype=list(self._dtypes))

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels or numbers, shape (n,), for rows of shape (n, d)."""
        X = self._checked(X)
        return np.asarray(self.estimator_.predict(X))

    @available_if(_classifies)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities, shape (n, n_classes), columns as in `classes_`."""
        X = self._checked(X)
        return np.asarray(self.estimator_.predict_proba(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy for labels, the coefficient of determination for numbers."""
        metric = accuracy_score if _classifies(self) else r2_score
        return float(metric(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        """Say whether this is a classifier or a regressor."""
        from sklearn.utils import ClassifierTags, RegressorTags

        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if _classifies(self):
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        else:
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        return tags


class WeightedEvaluator(EvaluatorBase):
    """A recipe whose model takes `sample_weight`."""

    _mean_one: bool = False  # whether weights are scaled to mean 1, for models where only their ratios should count

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on the rows, each counted `sample_weight` times.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
            Labels or numbers.
        sample_weight : array-like of shape (n,) or None
            Training rows each stands for; None counts every row once.

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
            raise DataError("sample_weight is zero for every row: nothing can be learned.")
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return self._fit(X, y, {"sample_weight": weight / weight.mean() if self._mean_one else weight})
