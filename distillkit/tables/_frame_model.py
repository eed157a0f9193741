"""A model that takes frames, behind encoded rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

__all__ = ["FrameModel", "for_table"]


def for_table(model: Any, encoder: Any) -> Any:
    """Return a model that takes encoded rows, whether or not `model` needs the frame itself.

    Models that were fitted on a frame with the columns of the table need the frame, as do
    pipelines with a `ColumnTransformer`. All others take encoded rows.

    Parameters
    ----------
    model : estimator, Module, str or None
    encoder : TableEncoder or None
        None if the rows are not encoded.
    """
    if encoder is None or not hasattr(model, "fit") or not hasattr(model, "get_params"):
        return model
    names = getattr(encoder, "feature_names_in_", None)
    fitted_names = getattr(model, "feature_names_in_", None)
    is_fitted_on_frame = names is not None and fitted_names is not None and list(fitted_names) == list(names)
    return FrameModel(model, FrozenEstimator(encoder)) if is_fitted_on_frame or _selects_columns(model) else model


def _selects_columns(model: Any) -> bool:
    """Whether a pipeline selects columns by name or type."""
    return isinstance(model, Pipeline) and any(isinstance(step, ColumnTransformer) for _, step in model.steps)


def _model_has(name: str) -> Any:
    """Return a decorator that makes a method available only if the model has it."""
    return available_if(lambda self: hasattr(self.fitted, name))


class FrameModel(BaseEstimator):
    """Estimator that decodes rows before they reach a model that takes frames.

    Parameters
    ----------
    model : estimator
        Used as it is if it is fitted; `fit` trains a clone.
    encoder : frozen TableEncoder
    """

    def __init__(self, model: Any, encoder: Any) -> None:
        self.model = model
        self.encoder = encoder

    @property
    def fitted(self) -> Any:
        """The model that predicts."""
        return getattr(self, "model_", self.model)

    @property
    def classes_(self) -> Any:
        """Labels of the model."""
        return self.fitted.classes_

    def __sklearn_is_fitted__(self) -> bool:
        """Whether the model can predict."""
        try:
            check_is_fitted(self.fitted)
        except NotFittedError:
            return False
        return True

    def _frame(self, X: np.ndarray) -> Any:
        return self.encoder.inverse_transform(X)

    def fit(self, X: np.ndarray, y: Any, **params: Any) -> Self:
        """Train a clone of the model on the decoded rows."""
        self.model_ = clone(self.model).fit(self._frame(X), y, **params)
        return self

    @_model_has("predict")
    def predict(self, X: np.ndarray) -> Any:
        """Predict encoded rows."""
        return self.fitted.predict(self._frame(X))

    @_model_has("predict_proba")
    def predict_proba(self, X: np.ndarray) -> Any:
        """Return the class probabilities of encoded rows."""
        return self.fitted.predict_proba(self._frame(X))

    @_model_has("decision_function")
    def decision_function(self, X: np.ndarray) -> Any:
        """Return the decision values of encoded rows."""
        return self.fitted.decision_function(self._frame(X))

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the model."""
        return get_tags(self.fitted)
