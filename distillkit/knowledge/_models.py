"""A common interface to scikit-learn estimators and torch modules, as teachers and as students."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted
from torch import nn

from distillkit.exceptions import DataError
from distillkit.knowledge._temperature import TINY, logits_of
from distillkit.nn import NetworkClassifier, evaluating
from distillkit.nn.networks._probabilities import refuse_probabilities
from distillkit.utils._weights import sample_weight_name

__all__ = [
    "check_task",
    "class_logits",
    "fit_model",
    "is_estimator",
    "is_fitted",
    "model_input",
    "module_outputs",
    "predicted_numbers",
]

_BLOCK = 512


def is_estimator(model: Any) -> bool:
    """Return whether an object is a scikit-learn estimator (an instance, not a class)."""
    return hasattr(model, "fit") and hasattr(model, "get_params") and not isinstance(model, type)


def check_task(role: str, model: Any, task: str) -> None:
    """Refuse a regressor for class labels, and a classifier for numbers.

    Parameters
    ----------
    role : str
        Name of the parameter, for the message.
    model : object
        Only scikit-learn estimators declare their task; other objects pass.
    task : {"classification", "regression"}

    Raises
    ------
    DataError
        If the estimator is for the other task.
    """
    if not hasattr(model, "__sklearn_tags__"):
        return
    if task == "regression" and is_classifier(model):
        raise DataError(
            f"{role}={model!r} is a classifier, but y holds numbers: give a regressor, or task='classification'."
        )
    if task == "classification" and is_regressor(model):
        raise DataError(
            f"{role}={model!r} is a regressor, but y holds class labels: give a classifier, or task='regression'."
        )


def is_fitted(model: Any) -> bool:
    """Return whether a model can predict already; torch modules always can."""
    if isinstance(model, nn.Module):
        return True
    if not hasattr(model, "__sklearn_tags__"):
        # By scikit-learn's convention, fitting sets public attributes whose names end in "_".
        return any(name.endswith("_") and not name.startswith("_") for name in dir(model)) or not hasattr(model, "fit")
    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    return True


def model_input(model: Any, X: np.ndarray, names: Any = None) -> Any:
    """Return rows in the form that a model takes.

    Parameters
    ----------
    model : estimator or Module
    X : ndarray of shape (n, ...)
    names : array-like of str or None
        Names of the columns of X.

    Returns
    -------
    ndarray or DataFrame
        The rows as they are for modules and for estimators that take three axes, flattened to
        (n, d) for other estimators, and a data frame for estimators fitted with these names.
    """
    if isinstance(model, nn.Module):
        return X
    rows = X if X.ndim == 2 or _accepts_three_axes(model) else X.reshape(len(X), -1)
    if names is not None and rows.ndim == 2 and list(getattr(model, "feature_names_in_", ())) == list(names):
        return sys.modules["pandas"].DataFrame(rows, columns=names)
    return rows


def _accepts_three_axes(model: Any) -> bool:
    return hasattr(model, "__sklearn_tags__") and bool(get_tags(model).input_tags.three_d_array)


def fit_model(model: Any, X: np.ndarray, y: Any, weight: np.ndarray | None) -> Any:
    """Fit a model in place, with the sample weights if it takes them, and return it."""
    name = None if weight is None else sample_weight_name(model)
    return model.fit(model_input(model, X), y, **({} if name is None else {name: weight}))


def class_logits(model: Any, X: np.ndarray, model_classes: Any, classes: np.ndarray, names: Any = None) -> np.ndarray:
    """Return a model's logits, or an equivalent computed from its probabilities.

    The logits of a module and of a `NetworkClassifier` are used directly. Other models give
    ``log p`` of their `predict_proba`, or else the values of their `decision_function`.

    Parameters
    ----------
    model : fitted classifier or Module
    X : ndarray of shape (n, ...)
    model_classes : array-like of labels
        The model's classes, in the order of its output columns.
    classes : ndarray of shape (n_classes,)
        Sorted labels of the columns to return. A class that the model does not know gets the
        smallest probability.
    names : array-like of str or None
        Names of the columns of X.

    Returns
    -------
    ndarray of shape (n, n_classes), float64
        Normalized: the exponentials sum to one over the classes that the model knows.

    Raises
    ------
    DataError
        If the model has neither probabilities nor decision values, if its columns do not match its
        classes, if it returns NaN or infinity, or if it is a module that returns probabilities.
    """
    outputs = _raw_logits(model, model_input(model, X, names))
    # 1. Bring the outputs of binary classifiers with a single column to one column per class.
    if outputs.ndim == 2 and outputs.shape[1] == 1:
        outputs = outputs[:, 0]
    if outputs.ndim == 1 and len(model_classes) == 2:  # the values are log-odds of the second class
        outputs = np.stack([np.zeros_like(outputs), outputs], axis=1)
    if outputs.shape != (len(X), len(model_classes)):
        raise DataError(
            f"{type(model).__name__} gives values of shape {outputs.shape} for {len(X)} rows of {len(model_classes)} "
            "classes: one column per class is needed."
        )
    if not np.isfinite(outputs).all():
        raise DataError(f"{type(model).__name__} gives NaN or infinity for some rows: train it again, or scale X.")
    # 2. Normalize, and place the columns among all classes.
    logits = np.full((len(X), len(classes)), np.log(TINY))
    columns = np.searchsorted(classes, np.asarray(model_classes))
    logits[:, columns] = outputs - logsumexp(outputs, axis=1, keepdims=True)
    return logits


def _raw_logits(model: Any, rows: Any) -> np.ndarray:
    if isinstance(model, nn.Module):
        outputs = module_outputs(model, rows)
        refuse_probabilities(model, torch.from_numpy(outputs))
        return outputs
    inner = model.estimator if isinstance(model, FrozenEstimator) else model
    if hasattr(model, "predict_proba") and not isinstance(inner, NetworkClassifier):
        return logits_of(model.predict_proba(rows))
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(rows), dtype=np.float64)
    raise DataError(
        f"{type(model).__name__} has neither predict_proba nor decision_function, so it has no soft labels: give a "
        "classifier with one of them (some classifiers have an option for it), or alpha=1."
    )


@torch.no_grad()
def module_outputs(module: nn.Module, X: np.ndarray) -> np.ndarray:
    """Return a module's outputs in evaluation mode, computed on its device and in its precision.

    Raises
    ------
    DataError
        If the module cannot be applied to rows of this shape.
    """
    weight = next((w for w in module.parameters() if w.is_floating_point()), torch.zeros((), dtype=torch.float32))
    parts = []
    with evaluating(module):
        for start in range(0, len(X), _BLOCK):
            batch = torch.as_tensor(X[start : start + _BLOCK], dtype=weight.dtype, device=weight.device)
            try:
                parts.append(module(batch).double().cpu().numpy())
            except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as exc:
                raise DataError(f"{type(module).__name__} does not take rows of shape {X.shape[1:]}: {exc}") from exc
    return np.concatenate(parts)


def predicted_numbers(model: Any, X: np.ndarray, names: Any = None) -> np.ndarray:
    """Return the predictions (n,) of a regressor, or of a module with one output.

    Raises
    ------
    DataError
        If the model does not return one finite number per row.
    """
    rows = model_input(model, X, names)
    outputs = module_outputs(model, rows) if isinstance(model, nn.Module) else np.asarray(model.predict(rows))
    if outputs.shape not in {(len(X),), (len(X), 1)}:
        raise DataError(
            f"{type(model).__name__} gives values of shape {outputs.shape} for {len(X)} rows: "
            "one number per row is needed."
        )
    if not np.isfinite(outputs).all():
        raise DataError(f"{type(model).__name__} gives NaN or infinity for some rows: train it again, or scale X.")
    return outputs.reshape(-1).astype(np.float64)
