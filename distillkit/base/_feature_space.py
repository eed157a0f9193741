"""Feature spaces: representations of the rows in which a method measures distances."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from distillkit.exceptions import DataError
from distillkit.utils._sparse import dense_rows, is_sparse
from distillkit.utils._weights import weight_argument

__all__ = ["FEATURE_SPACE", "feature_rows"]

FEATURE_SPACE = [HasMethods(["transform"]), callable, None]
"""Constraint of a parameter `feature_space`, for `_parameter_constraints`."""

_BATCH_BYTES = 16 * 2**20


def feature_rows(
    space: Any, X: np.ndarray, y: np.ndarray | None = None, weight: np.ndarray | None = None
) -> np.ndarray | None:
    """Map rows into the space in which a method compares them; results stay in the units of X.

    Parameters
    ----------
    space : transformer, torch module, callable or None
        A scikit-learn transformer gets the flattened rows (n, d). A fitted one is used as it is;
        otherwise a clone is fitted on the rows (and on y). scikit-learn's `clone` of a distiller
        also removes what its transformer has learned: wrap the transformer in
        `sklearn.frozen.FrozenEstimator` to keep it through pipelines and searches. A torch module
        gets float32 rows in their own shape, in batches, in evaluation mode and without gradients,
        on the device of its parameters. Any other callable gets X.
    X : ndarray or CSR of shape (n, ...)
    y : ndarray of shape (n,) or None
    weight : ndarray of shape (n,) or None
        Weights of the rows, for a transformer that is fitted here and takes them.

    Returns
    -------
    ndarray of shape (n, p) or None
        Floats; None if `space` is None.

    Raises
    ------
    DataError
        If the result is not one row of finite numbers for each row.
    """
    if space is None:
        return None
    if _is_module(space):
        features = _by_module(space, X)
    elif hasattr(space, "transform"):
        features = _by_transformer(space, X if is_sparse(X) else X.reshape(len(X), -1), y, weight)
    else:
        features = space(X)
    return _checked(features, space, X.shape[0])


def _is_module(space: Any) -> bool:
    torch = sys.modules.get("torch")  # a module can exist only if torch was imported
    return torch is not None and isinstance(space, torch.nn.Module)


def _by_transformer(space: Any, X: np.ndarray, y: np.ndarray | None, weight: np.ndarray | None) -> Any:
    """Apply a transformer, or a clone fitted on the rows if it is not fitted yet."""
    with config_context(transform_output="default", skip_parameter_validation=False):
        if _is_fitted(space):
            return space.transform(X)
        weights = weight_argument(weight if has_fit_parameter(space, "sample_weight") else None)
        return clone(space).fit(X, y, **weights).transform(X)


def _is_fitted(space: Any) -> bool:
    try:
        check_is_fitted(space)
    except NotFittedError:
        return False
    except TypeError:  # without a fit method there is nothing to learn
        return True
    return True


def _by_module(space: Any, X: np.ndarray) -> np.ndarray:
    """Apply a torch module to batches of rows, and restore its training mode."""
    import torch

    parameter = next(space.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device
    step = max(1, _BATCH_BYTES // max(1, 4 * int(np.prod(X.shape[1:]))))
    training, batches = space.training, []
    space.eval()
    try:
        with torch.inference_mode():
            for begin in range(0, X.shape[0], step):
                rows = dense_rows(X, slice(begin, begin + step))
                batch = torch.from_numpy(np.array(rows, dtype=np.float32)).to(device)
                batches.append(space(batch).flatten(1).float().cpu().numpy())
    finally:
        space.train(training)
    return np.concatenate(batches)


def _checked(result: Any, space: Any, n_rows: int) -> np.ndarray:
    """Return the features as floats (n, p), or raise an error that names the feature space."""
    name = type(space).__name__
    result = result.toarray() if hasattr(result, "toarray") else result
    try:
        features = np.asarray(result)
        features = features if features.dtype in (np.float32, np.float64) else features.astype(np.float64)
    except (TypeError, ValueError) as exc:
        raise DataError(
            f"feature_space={name} returns {type(result).__name__}, which is not an array of numbers."
        ) from exc
    if features.ndim < 2 or len(features) != n_rows or 0 in features.shape:
        raise DataError(
            f"feature_space={name} makes an array of shape {features.shape} from {n_rows} rows: "
            f"it must return one row of features for each row, shape (n_samples = {n_rows}, p)."
        )
    if not np.isfinite(features).all():
        raise DataError(f"feature_space={name} makes NaN or infinity from finite rows: check the transformation.")
    return features.reshape(n_rows, -1)
