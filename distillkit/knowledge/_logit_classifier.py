"""A classifier whose regressor has learned one logit per class."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags

from distillkit.knowledge._models import fit_model, model_input
from distillkit.knowledge._temperature import softmax

__all__ = ["LogitClassifier"]


class LogitClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that predicts the class with the largest output of a regressor.

    Parameters
    ----------
    regressor : estimator
        A regressor. It is fitted once for each class if it has a single output.

    Attributes
    ----------
    regressor_ : fitted estimator
        Predicts the logits.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels, one per output of the regressor.
    """

    def __init__(self, regressor: Any) -> None:
        self.regressor = regressor

    def fit_logits(self, X: np.ndarray, logits: np.ndarray, classes: np.ndarray, weight: np.ndarray | None) -> Self:
        """Fit the regressor to logits.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
        logits : ndarray of shape (n, n_classes)
        classes : ndarray of shape (n_classes,)
        weight : ndarray of shape (n,) or None
        """
        tagged = hasattr(self.regressor, "__sklearn_tags__")
        multi_output = not tagged or get_tags(self.regressor).target_tags.multi_output
        model = clone(self.regressor) if multi_output else MultiOutputRegressor(clone(self.regressor))
        self.regressor_, self.classes_ = fit_model(model, X, logits, weight), classes
        return self

    def logits(self, X: Any) -> np.ndarray:
        """Return the predicted logits (n, n_classes)."""
        return np.asarray(self.regressor_.predict(model_input(self.regressor_, np.asarray(X))), dtype=np.float64)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the logits (n, n_classes), or for two classes their differences (n,)."""
        logits = self.logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the class probabilities (n, n_classes)."""
        return softmax(self.logits(X))

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels (n,)."""
        return self.classes_[self.logits(X).argmax(axis=1)]  # type: ignore[no-any-return]
