"""The space in which a method compares rows, where that is not the space of the rows themselves."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from distillkit.exceptions import DataError

__all__ = ["FEATURE_SPACE", "feature_rows"]

FEATURE_SPACE = [HasMethods(["transform"]), callable, None]
"""What a parameter `feature_space` may be, for `_parameter_constraints`."""

_BATCH_BYTES = 16 * 2**20


def feature_rows(space: Any, X: np.ndarray, y: np.ndarray | None = None) -> np.ndarray | None:
    """Carry rows into the space in which a method compares them; distilled rows stay in their own units.

    Parameters
    ----------
    space : transformer, torch module, callable or None
        A scikit-learn transformer is given flattened rows (n, d): as it is where it is fitted, else a clone is fitted on
        them (and on y). scikit-learn's `clone` of a distiller forgets what a transformer has learned, too: wrap one in
        `sklearn.frozen.FrozenEstimator` to keep it through pipelines and searches. A torch module is given float32 rows in
        their own shape, in batches, in evaluation mode and without gradients, on the device of its
        parameters. Any other callable is given X.
    X : ndarray of shape (n, ...)
    y : ndarray of shape (n,) or None

    Returns
    -------
    ndarray of shape (n, p) or None
        Floats; None where `space` is None.

    Raises
    ------
    DataError
        If what comes back is not one row of finite numbers for each row.
    """
    if space is None:
        return None
    if _is_module(space):
        made = _by_module(space, X)
    elif hasattr(space, "transform"):
        made = _by_transformer(space, X.reshape(len(X), -1), y)
    else:
        made = space(X)
    return _checked(made, space, len(X))


def _is_module(space: Any) -> bool:
    torch = sys.modules.get("torch")  # whoever has a module has imported it
    return torch is not None and isinstance(space, torch.nn.Module)


def _by_transformer(space: Any, X: np.ndarray, y: np.ndarray | None) -> Any:
    with config_context(transform_output="default", skip_parameter_validation=False):
        if _is_fitted(space):
            return space.transform(X)
        return clone(space).fit(X, y).transform(X)


def _is_fitted(space: Any) -> bool:
    try:
        check_is_fitted(space)
    except NotFittedError:
        return False
    except TypeError:  # it has no fit: nothing to learn
        return True
    return True


def _by_module(space: Any, X: np.ndarray) -> np.ndarray:
    import torch

    parameter = next(space.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device
    step = max(1, _BATCH_BYTES // max(1, 4 * X[0].size))
    training, parts = space.training, []
    space.eval()
    try:
        with torch.inference_mode():
            for begin in range(0, len(X), step):
                batch = torch.from_numpy(np.array(X[begin : begin + step], dtype=np.float32)).to(device)
                parts.append(space(batch).flatten(1).float().cpu().numpy())
    finally:
        space.train(training)
    return np.concatenate(parts)


def _checked(made: Any, space: Any, n_rows: int) -> np.ndarray:
    name = type(space).__name__
    made = made.toarray() if hasattr(made, "toarray") else made
    try:
        features = np.asarray(made)
        features = features if features.dtype in (np.float32, np.float64) else features.astype(np.float64)
    except (TypeError, ValueError) as exc:
        raise DataError(f"feature_space={name} gives {type(made).__name__}, which is no array of numbers.") from exc
    if features.ndim < 2 or len(features) != n_rows or 0 in features.shape:
        raise DataError(
            f"feature_space={name} makes an array of shape {features.shape} of {n_rows} rows: "
            f"it must give one row of features for each, (n_samples = {n_rows}, p)."
        )
    if not np.isfinite(features).all():
        raise DataError(f"feature_space={name} makes NaN or infinity of rows that are finite: check it.")
    return features.reshape(n_rows, -1)
