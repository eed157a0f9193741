"""The size of fitted models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from torch import nn

__all__ = ["count_bytes", "count_parameters"]

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
    return _sum(model, count_parameters, _size)


def count_bytes(model: Any) -> int | None:
    """Count the bytes of the arrays that a fitted model predicts from.

    Unlike numbers of parameters, bytes of trees, networks and coefficients are comparable. Names,
    settings, and what a model keeps of its training are not counted.

    Parameters
    ----------
    model : Module or fitted estimator

    Returns
    -------
    int or None
        Weights and buffers of networks and the scaling of their rows; nodes of trees with the
        values of all nodes; and for other estimators the arrays that `count_parameters` counts,
        summed over ensembles and the steps of pipelines. None if the model has none of these.
    """
    if isinstance(model, nn.Module):
        return sum(each.numel() * each.element_size() for each in (*model.parameters(), *model.buffers()))
    if hasattr(model, "network_"):
        scaling = [_nbytes(each) or 0 for each in vars(model.preprocessing_).values()]
        return (count_bytes(model.network_) or 0) + sum(scaling)
    if hasattr(model, "tree_"):
        state = model.tree_.__getstate__()
        return int(state["nodes"].nbytes + state["values"].nbytes)
    if hasattr(model, "_predictors"):
        trees = [tree for stage in model._predictors for tree in stage]  # noqa: SLF001
        return int(sum(tree.nodes.nbytes + tree.raw_left_cat_bitsets.nbytes for tree in trees))
    return _sum(model, count_bytes, _nbytes)


def _sum(model: Any, of_part: Callable[[Any], int | None], of_array: Callable[[Any], int | None]) -> int | None:
    """Return the sum over the models inside a model, or over its own arrays; None without any."""
    sizes = [of_part(part) for part in _parts(model)]
    if not sizes:
        # A scaler stores its variance beside its scale, which is the variance's root.
        redundant = "var_" if hasattr(model, "scale_") else ""
        sizes = [of_array(getattr(model, name, None)) for name in _ARRAYS if name != redundant]
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


def _nbytes(value: Any) -> int | None:
    if isinstance(value, list):
        return sum(np.asarray(item).nbytes for item in value)
    if value is None or isinstance(value, str) or not hasattr(value, "shape"):
        return None
    if hasattr(value, "indptr"):  # a sparse matrix
        return int(value.data.nbytes + value.indices.nbytes + value.indptr.nbytes)
    return int(np.asarray(value).nbytes)
