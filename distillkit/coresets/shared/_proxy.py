"""Proxy models whose class probabilities or last-layer gradients are used to select rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from distillkit.coresets.shared._features import standardized_rows, standardized_target
from distillkit.coresets.shared._ranking import class_codes
from distillkit.exceptions import DataError
from distillkit.utils._seeds import seed_model
from distillkit.utils._weights import sample_weight_name

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["LastLayer", "class_probabilities", "last_layer", "one_hot"]

# The inverse penalty C of the default classifier is divided by the sum of the squared row lengths,
# so that it has the same effect for any rows. Gradients need a model that is not fully trained,
# because a model that classifies every row correctly has zero gradients but for outliers.
# Uncertainties need a fully trained model.
_C_FOR_GRADIENTS, _C_FOR_PROBABILITIES = 100.0, 1000.0


@dataclass(frozen=True)
class LastLayer:
    """Gradients of every row's loss in the last, linear layer of a model, stored as two factors.

    The gradient of row i is the matrix ``residual[i] outer [inputs[i], 1]`` of shape (c, d + 1).
    The residual is ``p - onehot`` for cross-entropy with softmax, and ``prediction - y`` for half
    the squared error. Inner products need only the factors, so the n matrices are never computed.

    Parameters
    ----------
    residual : ndarray of shape (n, c)
        Derivative of the loss of each row by the outputs of the layer.
    inputs : ndarray of shape (n, d)
        Inputs of the layer, without the constant 1 of the bias.
    """

    residual: np.ndarray
    inputs: np.ndarray

    def take(self, rows: np.ndarray) -> LastLayer:
        """Return the gradients of the given rows."""
        return LastLayer(self.residual[rows], self.inputs[rows])

    def squared_norms(self) -> np.ndarray:
        """Return the squared lengths of the gradients, shape (n,)."""
        inputs = np.einsum("ij,ij->i", self.inputs, self.inputs) + 1
        return np.asarray(np.einsum("ij,ij->i", self.residual, self.residual) * inputs)

    def inner(self, other: LastLayer) -> np.ndarray:
        """Return the inner products with the gradients of other rows, shape (n, n_other)."""
        return np.asarray((self.residual @ other.residual.T) * (self.inputs @ other.inputs.T + 1))

    def weighted_sum(self, weight: np.ndarray) -> np.ndarray:
        """Return the weighted sum of the gradients, shape (c, d + 1), float64."""
        scaled = self.residual.astype(np.float64) * weight[:, None]
        return np.column_stack([scaled.T @ self.inputs, scaled.sum(axis=0)]).astype(np.float64, copy=False)

    def along(self, direction: np.ndarray) -> np.ndarray:
        """Return the inner products with one matrix of shape (c, d + 1), shape (n,)."""
        direction = direction.astype(self.inputs.dtype, copy=False)
        projected = self.inputs @ direction[:, :-1].T + direction[:, -1]
        return np.asarray(np.einsum("ij,ij->i", projected, self.residual, dtype=np.float64))


def one_hot(rows: TrainingRows, dtype: Any = np.float64) -> np.ndarray:
    """Return the one-hot encoded classes of the rows, shape (n, n_classes)."""
    return np.asarray(np.eye(len(rows.groups), dtype=dtype)[class_codes(rows)])


def class_probabilities(proxy: Any, rows: TrainingRows, run: Run) -> np.ndarray:
    """Fit a classifier on all rows and return its class probabilities for them.

    Parameters
    ----------
    proxy : classifier with `predict_proba`, or None
        None takes a logistic regression on the standardized rows.
    rows : TrainingRows
    run : Run
        Source of the seed of a proxy whose `random_state` is None.

    Returns
    -------
    ndarray of shape (n, n_classes), float64
        Columns in the order of ``rows.groups``.

    Raises
    ------
    DataError
        If the proxy has no `predict_proba`, or the rows have weights and the proxy takes none.
    """
    return _classify(proxy, rows, run, _C_FOR_PROBABILITIES)[0]


def last_layer(proxy: Any, rows: TrainingRows, run: Run) -> LastLayer:
    """Fit the proxy on all rows and return the gradients of its last layer.

    Parameters
    ----------
    proxy : estimator or None
        See `class_probabilities`. For a continuous target it is a regressor with `predict`, or None
        for a ridge regression. The inputs of the last layer are those of the final step of a
        `Pipeline`, the embedding of a network of `distillkit.nn`, or the standardized rows.
    rows : TrainingRows
    run : Run

    Returns
    -------
    LastLayer

    Raises
    ------
    DataError
        If a classifier has no `predict_proba`, if a classifier is given for a continuous target, or
        if the rows have weights and the proxy takes none.
    """
    if rows.task == "regression":
        residual, inputs = _regress(proxy, rows, run)
    else:
        probabilities, inputs = _classify(proxy, rows, run, _C_FOR_GRADIENTS)
        residual = probabilities - one_hot(rows)
    return LastLayer(residual.astype(inputs.dtype, copy=False), inputs)


def _classify(proxy: Any, rows: TrainingRows, run: Run, C: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the class probabilities of the rows and the inputs of the last layer."""
    if proxy is not None and not hasattr(proxy, "predict_proba"):
        raise DataError(
            f"proxy={type(proxy).__name__} has no predict_proba: give a classifier with probabilities, such as "
            "LogisticRegression(), or None for the default."
        )
    inputs = standardized_rows(rows)
    n_classes = len(rows.groups)
    if n_classes == 1:  # classifiers refuse to be fitted on one class
        return np.ones((len(inputs), 1)), inputs
    if proxy is None:
        C = C / (_squared_length(inputs, rows.weight) or 1.0)
        model, X = LogisticRegression(C=C, max_iter=100), inputs
    else:
        model, X = _prepared(proxy, rows, run)
    _fit(model, X, class_codes(rows), rows.weight)
    probabilities = np.zeros((len(inputs), n_classes))
    probabilities[:, np.asarray(model.classes_, dtype=np.intp)] = model.predict_proba(X)
    return probabilities, _layer_inputs(model, X, inputs)


def _regress(proxy: Any, rows: TrainingRows, run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Return the residuals of the standardized target and the inputs of the last layer."""
    if proxy is not None and hasattr(proxy, "predict_proba"):
        raise DataError(
            f"proxy={type(proxy).__name__} is a classifier, but y is a continuous target: give a regressor, such as "
            "Ridge(), or None for the default."
        )
    assert rows.y is not None
    inputs, y = standardized_rows(rows), standardized_target(rows.y, rows.weight)
    model, X = (Ridge(alpha=1.0), inputs) if proxy is None else _prepared(proxy, rows, run)
    _fit(model, X, y, rows.weight)
    predicted = np.asarray(model.predict(X), dtype=np.float64)
    return (predicted.reshape(-1) - y)[:, None], _layer_inputs(model, X, inputs)


def _prepared(proxy: Any, rows: TrainingRows, run: Run) -> tuple[Any, np.ndarray]:
    """Return a seeded clone of the proxy, and the rows as it takes them: in the units of X."""
    model = seed_model(clone(proxy), run.rng)
    return model, rows.X if get_tags(model).input_tags.three_d_array else rows.flat


def _fit(model: Any, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> None:
    name = sample_weight_name(model)
    if weight is not None and name is None:
        raise DataError(
            f"sample_weight was given, but proxy={type(model).__name__} takes no weights: give a model whose fit has "
            "sample_weight, such as LogisticRegression() or Ridge(), or None for the default."
        )
    weights = {} if weight is None or name is None else {name: weight}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a proxy need not converge
        model.fit(X, y, **weights)


def _squared_length(inputs: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the (weighted) sum of the squared row lengths."""
    if weight is None:
        return float(np.einsum("ij,ij->", inputs, inputs))
    return float(np.einsum("ij,ij->i", inputs, inputs, dtype=np.float64) @ weight)


def _layer_inputs(model: Any, X: np.ndarray, default: np.ndarray) -> np.ndarray:
    """Return the inputs of the last layer of a fitted model, or the default if it is linear."""
    if isinstance(model, Pipeline) and len(model) > 1:
        inputs = model[:-1].transform(X)
        inputs = inputs.toarray() if hasattr(inputs, "toarray") else np.asarray(inputs)
    elif hasattr(model, "embed") and hasattr(getattr(model, "network_", None), "embed"):
        inputs = model.embed(X)
    else:
        return default
    return np.asarray(inputs, dtype=default.dtype).reshape(len(X), -1)
