"""The size of fitted models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from torch import nn

__all__ = ["count_parameters"]

_ARRAYS = (
    *("coef_", "intercept_", "coefs_", "intercepts_"),  # linear models and perceptrons
    *("support_vectors_", "dual_coef_", "X_train_", "alpha_", "_fit_X"),  # kernel machines and neighbors
    *("theta_", "var_", "means_", "covariance_", "feature_log_prob_", "centroids_"),  # class densities
    *("mean_", "scale_", "min_", "components_", "cluster_centers_"),  # steps of a pipeline
)
"""Attributes of estimators that hold the learned numbers."""
_PARTS = (
    "estimators_",
    "estimator_",
    "best_estimator_",
    "final_estimator_",
    "regressor_",
    "calibrated_classifiers_",
    "student_",
)
"""Attributes of estimators that hold further fitted models."""


def count_parameters(model: Any) -> int | None:
    """Count the learned parameters of a fitted model.

    Parameters
    ----------
    model : Module or fitted estimator

    Returns
    -------
    int or None
        Parameters of networks, nodes of trees, and for other estimators the numbers in the arrays
        that they predict from (coefficients, support vectors, stored rows, means and variances),
        summed over ensembles and the steps of pipelines. None if the model has none of these.
    """
    if isinstance(model, nn.Module):
        return sum(weight.numel() for weight in model.parameters())
    if hasattr(model, "network_"):
        return count_parameters(model.network_)
    if hasattr(model, "tree_"):
        return int(model.tree_.node_count)
    if hasattr(model, "_predictors"):  # scikit-learn's histogram gradient boosting
        return sum(len(tree.nodes) for stage in model._predictors for tree in stage)  # noqa: SLF001
    sizes = [count_parameters(part) for part in _parts(model)]
    if not sizes:
        # A scaler stores its variance beside its scale, which is the variance's root.
        redundant = "var_" if hasattr(model, "scale_") else ""
        sizes = [_size(getattr(model, name, None)) for name in _ARRAYS if name != redundant]
    known_sizes = [size for size in sizes if size is not None]
    return sum(known_sizes) if known_sizes else None


def _parts(model: Any) -> Iterable[Any]:
    """Return the models inside a model: pipeline steps, ensemble members or a wrapped model."""
    if hasattr(model, "steps"):
        return [step for _, step in model.steps if step is not None and not isinstance(step, str)]
    if type(model).__name__ == "FrozenEstimator":
        return [model.estimator]
    parts: list[Any] = []
    for name in _PARTS:
        part = getattr(model, name, None)
        if isinstance(part, (list, tuple, np.ndarray)):
            parts += [item for item in np.asarray(part, dtype=object).ravel() if not isinstance(item, str)]
        elif part is not None:
            parts.append(part)
    return parts


def _size(value: Any) -> int | None:
    if isinstance(value, list):  # scikit-learn's perceptrons keep one array per layer
        return sum(np.size(item) for item in value)
    if value is None or isinstance(value, str) or not hasattr(value, "shape"):
        return None
    return int(value.nnz) if hasattr(value, "nnz") else int(np.size(value))
