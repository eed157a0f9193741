"""What scikit-learn estimators and torch modules have in common when they teach or are taught."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter
from torch import nn

from distillkit.exceptions import DataError
from distillkit.knowledge._temperature import EPS, logits_of
from distillkit.nn import NetworkClassifier, evaluating

__all__ = [
    "check_task",
    "class_logits",
    "fit_model",
    "is_estimator",
    "is_fitted",
    "module_outputs",
    "numbers_of",
    "rows_for",
    "weight_name",
]

_BLOCK = 512


def is_estimator(model: Any) -> bool:
    """Whether something is a scikit-learn estimator, not a class of them."""
    return hasattr(model, "fit") and hasattr(model, "get_params") and not isinstance(model, type)


def check_task(role: str, model: Any, task: str) -> None:
    """Refuse a regressor that should teach classes, and a classifier for numbers.

    Parameters
    ----------
    role : str
        The parameter to name in the message.
    model : anything
        Only scikit-learn estimators say which they are; others pass.
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
    """Whether a model can predict as it is; torch modules always can."""
    if isinstance(model, nn.Module):
        return True
    if not hasattr(model, "__sklearn_tags__"):  # of another make: by the convention that learning leaves names in "_"
        return any(name.endswith("_") and not name.startswith("_") for name in dir(model)) or not hasattr(model, "fit")
    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    return True


def rows_for(model: Any, X: np.ndarray, names: Any = None) -> Any:
    """Return rows as a model takes them: flattened for those of two axes, with names where it was fitted with names."""
    if isinstance(model, nn.Module):
        return X
    rows = X if X.ndim == 2 or _takes_axes(model) else X.reshape(len(X), -1)
    if names is not None and rows.ndim == 2 and list(getattr(model, "feature_names_in_", ())) == list(names):
        return sys.modules["pandas"].DataFrame(rows, columns=names)
    return rows


def _takes_axes(model: Any) -> bool:
    return hasattr(model, "__sklearn_tags__") and bool(get_tags(model).input_tags.three_d_array)


def weight_name(model: Any) -> str | None:
    """Return the name under which `fit` takes weights of rows, that of a pipeline's last step included."""
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        return f"{name}__sample_weight" if has_fit_parameter(last, "sample_weight") else None
    return "sample_weight" if has_fit_parameter(model, "sample_weight") else None


def fit_model(model: Any, X: np.ndarray, y: Any, weight: np.ndarray | None) -> Any:
    """Fit in place, with the weights if it takes them; return the model."""
    name = None if weight is None else weight_name(model)
    return model.fit(rows_for(model, X), y, **({} if name is None else {name: weight}))


def class_logits(model: Any, X: np.ndarray, known: Any, classes: np.ndarray, names: Any = None) -> np.ndarray:
    """Ask a model for logits, however it can give them.

    A module and a `NetworkClassifier` give their own; ``log p`` of `predict_proba` and then `decision_function` follow.

    Parameters
    ----------
    model : fitted classifier or Module
    X : ndarray of shape (n, ...)
    known : array-like of labels
        The model's classes, in the order of its columns.
    classes : ndarray of shape (n_classes,)
        Sorted labels wanted; a class that the model does not know gets the smallest probability.
    names : array-like of str or None
        Names of the columns of X.

    Returns
    -------
    ndarray of shape (n, n_classes), float64
        Normalised: their exponentials sum to one over the classes that the model knows.

    Raises
    ------
    DataError
        If the model gives neither probabilities nor decision values, other columns than classes, or NaN.
    """
    given = _raw_logits(model, rows_for(model, X, names))
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim == 1 and len(known) == 2:  # log-odds of the second class
        given = np.stack([np.zeros_like(given), given], axis=1)
    if given.shape != (len(X), len(known)):
        raise DataError(
            f"{type(model).__name__} gives values of shape {given.shape} for {len(X)} rows of {len(known)} classes: "
            "one column per class is needed."
        )
    if not np.isfinite(given).all():
        raise DataError(f"{type(model).__name__} gives NaN or infinity for some rows: train it again, or scale X.")
    logits = np.full((len(X), len(classes)), np.log(EPS))
    logits[:, np.searchsorted(classes, np.asarray(known))] = given - logsumexp(given, axis=1, keepdims=True)
    return logits


def _raw_logits(model: Any, rows: Any) -> np.ndarray:
    if isinstance(model, nn.Module):
        return module_outputs(model, rows)
    inner = model.estimator if isinstance(model, FrozenEstimator) else model
    if hasattr(model, "predict_proba") and not isinstance(inner, NetworkClassifier):
        return logits_of(model.predict_proba(rows))
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(rows), dtype=np.float64)
    raise DataError(
        f"{type(model).__name__} has neither predict_proba nor decision_function, so it has no soft labels: give a classifier "
        "with one of them (some have an option for it), or alpha=1."
    )


@torch.no_grad()
def module_outputs(module: nn.Module, X: np.ndarray) -> np.ndarray:
    """Outputs in evaluation mode, on the device and in the precision of the module."""
    weight = next((w for w in module.parameters() if w.is_floating_point()), torch.zeros(()))
    parts = []
    with evaluating(module):
        for start in range(0, len(X), _BLOCK):
            batch = torch.as_tensor(X[start : start + _BLOCK], dtype=weight.dtype, device=weight.device)
            try:
                parts.append(module(batch).double().cpu().numpy())
            except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as exc:
                raise DataError(f"{type(module).__name__} does not take rows of shape {X.shape[1:]}: {exc}") from exc
    return np.concatenate(parts)


def numbers_of(model: Any, X: np.ndarray, names: Any = None) -> np.ndarray:
    """Ask a regressor, or a module with one output, for numbers of shape (n,).

    Raises
    ------
    DataError
        If it gives anything but one finite number per row.
    """
    rows = rows_for(model, X, names)
    given = module_outputs(model, rows) if isinstance(model, nn.Module) else np.asarray(model.predict(rows))
    if given.shape not in {(len(X),), (len(X), 1)}:
        raise DataError(
            f"{type(model).__name__} gives values of shape {given.shape} for {len(X)} rows: one number per row is needed."
        )
    if not np.isfinite(given).all():
        raise DataError(f"{type(model).__name__} gives NaN or infinity for some rows: train it again, or scale X.")
    return given.reshape(-1).astype(np.float64)
