"""How large a fitted model is, and how long it takes to answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from torch import nn

__all__ = ["count_numbers", "seconds_per_call"]

_ARRAYS = (
    *("coef_", "intercept_", "coefs_", "intercepts_"),  # linear models and perceptrons
    *("support_vectors_", "dual_coef_", "X_train_", "alpha_", "_fit_X"),  # kernels and neighbours keep rows
    *("theta_", "var_", "means_", "covariance_", "feature_log_prob_", "centroids_"),  # class densities
    *("mean_", "scale_", "min_", "components_", "cluster_centers_"),  # steps of a pipeline
)
_PARTS = (
    "estimators_",
    "estimator_",
    "best_estimator_",
    "final_estimator_",
    "regressor_",
    "calibrated_classifiers_",
    "student_",
)
_CALLS = 10


def count_numbers(model: Any) -> int | None:
    """Count what a fitted model has learned.

    Parameters
    ----------
    model : Module or fitted estimator

    Returns
    -------
    int or None
        For networks their parameters, for trees their nodes, for other estimators the numbers in the arrays that they
        predict from (coefficients, support vectors, kept rows, means and variances), summed over ensembles and the
        steps of pipelines. None where none of these is found.
    """
    if isinstance(model, nn.Module):
        return sum(weight.numel() for weight in model.parameters())
    if hasattr(model, "network_"):
        return count_numbers(model.network_)
    if hasattr(model, "tree_"):
        return int(model.tree_.node_count)
    if hasattr(model, "_predictors"):  # histogram boosting
        return sum(len(tree.nodes) for stage in model._predictors for tree in stage)  # noqa: SLF001
    found = [count_numbers(part) for part in _parts(model)]
    if not found:
        spare = "var_" if hasattr(model, "scale_") else ""  # a scaler keeps the square of its scale
        found = [_size(getattr(model, name, None)) for name in _ARRAYS if name != spare]
    counted = [number for number in found if number is not None]
    return sum(counted) if counted else None


def _parts(model: Any) -> Iterable[Any]:
    """Models inside a model: steps of a pipeline, members of an ensemble, what a wrapper holds."""
    if hasattr(model, "steps"):
        return [step for _, step in model.steps if step is not None and not isinstance(step, str)]
    if type(model).__name__ == "FrozenEstimator":
        return [model.estimator]
    held = [getattr(model, name, None) for name in _PARTS]
    flat: list[Any] = []
    for part in held:
        if isinstance(part, (list, tuple, np.ndarray)):
            flat += [item for item in np.asarray(part, dtype=object).ravel() if not isinstance(item, str)]
        elif part is not None:
            flat.append(part)
    return flat


def _size(value: Any) -> int | None:
    if isinstance(value, list):  # layers of a perceptron
        return sum(np.size(item) for item in value)
    if value is None or isinstance(value, str) or not hasattr(value, "shape"):
        return None
    return int(value.nnz) if hasattr(value, "nnz") else int(np.size(value))


def seconds_per_call(predict: Callable[[Any], Any], X: Any) -> float:
    """Return the shortest of ten predictions of the same rows, after one that does not count.

    Whatever else the machine does only adds time, and to models of several threads far more than to others: beside two busy
    processes the median of five made gradient boosting 100 to 3,000 times as slow as a network, not 6 times.
    """
    predict(X)
    seconds = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        predict(X)
        seconds.append(time.perf_counter() - started)
    return min(seconds)
