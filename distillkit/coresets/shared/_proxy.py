"""The model whose gradients a coreset keeps: by default a linear one, otherwise any that scikit-learn can fit."""

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

if TYPE_CHECKING:
    from distillkit.base import Run, TrainingRows

__all__ = ["LastLayer", "class_probabilities", "last_layer", "one_hot"]

# C of the default classifier times n times the mean squared length of a row, so that it means the same for any rows.
# Gradients of a model that has every row right are zero but for outliers, so the model of gradients stops early;
# uncertainties are those of a model that has learned.
_EARLY, _LEARNED = 100.0, 1000.0


@dataclass(frozen=True)
class LastLayer:
    """Gradients of every row's loss in the last, linear layer of a model, kept as their two factors.

    The gradient of row i is the matrix ``residual[i] outer [inputs[i], 1]`` of shape (c, d + 1): for cross-entropy
    with softmax the residual is ``p - onehot``, for half the squared error ``prediction - y``. Inner products need the
    factors only, so the n matrices are never written out.

    Parameters
    ----------
    residual : ndarray of shape (n, c)
    inputs : ndarray of shape (n, d)
        What the layer sees, without the one of the bias.
    """

    residual: np.ndarray
    inputs: np.ndarray

    def take(self, rows: np.ndarray) -> LastLayer:
        """Return the gradients of some rows."""
        return LastLayer(self.residual[rows], self.inputs[rows])

    def squared_norms(self) -> np.ndarray:
        """Squared lengths of the gradients, shape (n,)."""
        inputs = np.einsum("ij,ij->i", self.inputs, self.inputs) + 1
        return np.asarray(np.einsum("ij,ij->i", self.residual, self.residual) * inputs)

    def inner(self, other: LastLayer) -> np.ndarray:
        """Inner products with the gradients of other rows, shape (n, n_other)."""
        return np.asarray((self.residual @ other.residual.T) * (self.inputs @ other.inputs.T + 1))

    def weighted_sum(self, weight: np.ndarray) -> np.ndarray:
        """Weighted sum of the gradients, shape (c, d + 1), float64."""
        scaled = self.residual.astype(np.float64) * weight[:, None]
        return np.column_stack([scaled.T @ self.inputs, scaled.sum(axis=0)]).astype(np.float64, copy=False)

    def along(self, direction: np.ndarray) -> np.ndarray:
        """Inner products with one matrix of shape (c, d + 1); shape (n,)."""
        direction = direction.astype(self.inputs.dtype, copy=False)
        seen = self.inputs @ direction[:, :-1].T + direction[:, -1]
        return np.asarray(np.einsum("ij,ij->i", seen, self.residual, dtype=np.float64))


def one_hot(rows: TrainingRows, dtype: Any = np.float64) -> np.ndarray:
    """Return ones at the classes of the rows, shape (n, n_classes)."""
    return np.asarray(np.eye(len(rows.groups), dtype=dtype)[class_codes(rows)])


def class_probabilities(proxy: Any, rows: TrainingRows, run: Run) -> np.ndarray:
    """Fit a classifier on all rows and return what it says of them.

    Parameters
    ----------
    proxy : classifier with `predict_proba`, or None for a logistic regression of the standardized rows
    rows : TrainingRows
    run : Run
        Seeds the proxy where it has a `random_state` of None.

    Returns
    -------
    ndarray of shape (n, n_classes), float64
        Columns in the order of ``rows.groups``.

    Raises
    ------
    DataError
        If the proxy gives no probabilities.
    """
    return _classify(proxy, rows, run, _LEARNED)[0]


def last_layer(proxy: Any, rows: TrainingRows, run: Run) -> LastLayer:
    """Fit the proxy on all rows and return the gradients of its last layer.

    Parameters
    ----------
    proxy : estimator or None
        See `class_probabilities`; for a continuous target a regressor with `predict`, or None for a ridge regression.
        The layer's inputs are those of the final step of a `Pipeline`, the embedding of a network of distillkit's,
        or the standardized rows.
    rows : TrainingRows
    run : Run

    Raises
    ------
    DataError
        If the proxy gives no probabilities, or no numbers.
    """
    if rows.task == "regression":
        residual, inputs = _regress(proxy, rows, run)
    else:
        probabilities, inputs = _classify(proxy, rows, run, _EARLY)
        residual = probabilities - one_hot(rows)
    return LastLayer(residual.astype(inputs.dtype, copy=False), inputs)


def _classify(proxy: Any, rows: TrainingRows, run: Run, strength: float) -> tuple[np.ndarray, np.ndarray]:
    if proxy is not None and not hasattr(proxy, "predict_proba"):
        raise DataError(
            f"proxy={type(proxy).__name__} has no predict_proba: give a classifier with probabilities, such as "
            "LogisticRegression(), or None."
        )
    inputs = standardized_rows(rows)
    n_classes = len(rows.groups)
    if n_classes == 1:  # nothing to tell apart, and classifiers refuse to try
        return np.ones((len(inputs), 1)), inputs
    if proxy is None:
        strength = strength / float(np.einsum("ij,ij->", inputs, inputs) or 1.0)
        model, X = LogisticRegression(C=strength, max_iter=100), inputs
    else:
        model, X = _prepared(proxy, rows, run)
    _fit(model, X, class_codes(rows))
    probabilities = np.zeros((len(inputs), n_classes))
    probabilities[:, np.asarray(model.classes_, dtype=np.intp)] = model.predict_proba(X)
    return probabilities, _layer_inputs(model, X, inputs)


def _regress(proxy: Any, rows: TrainingRows, run: Run) -> tuple[np.ndarray, np.ndarray]:
    if proxy is not None and hasattr(proxy, "predict_proba"):
        raise DataError(
            f"proxy={type(proxy).__name__} is a classifier, but y is a continuous target: give a regressor, such as "
            "Ridge(), or None."
        )
    assert rows.y is not None
    inputs, y = standardized_rows(rows), standardized_target(rows.y)
    model, X = (Ridge(alpha=1.0), inputs) if proxy is None else _prepared(proxy, rows, run)
    _fit(model, X, y)
    predicted = np.asarray(model.predict(X), dtype=np.float64)
    return (predicted.reshape(-1) - y)[:, None], _layer_inputs(model, X, inputs)


def _prepared(proxy: Any, rows: TrainingRows, run: Run) -> tuple[Any, np.ndarray]:
    """Return a seeded clone and the rows it takes: the user's model sees the units of X, in its shape if it can."""
    model = seed_model(clone(proxy), run.rng)
    return model, rows.X if get_tags(model).input_tags.three_d_array else rows.flat


def _fit(model: Any, X: np.ndarray, y: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a proxy need not be at its optimum
        model.fit(X, y)


def _layer_inputs(model: Any, X: np.ndarray, default: np.ndarray) -> np.ndarray:
    if isinstance(model, Pipeline) and len(model) > 1:
        inputs = model[:-1].transform(X)
        inputs = inputs.toarray() if hasattr(inputs, "toarray") else np.asarray(inputs)
    elif hasattr(model, "embed") and hasattr(getattr(model, "network_", None), "embed"):
        inputs = model.embed(X)
    else:
        return default
    return np.asarray(inputs, dtype=default.dtype).reshape(len(X), -1)
