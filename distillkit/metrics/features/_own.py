"""Extractors of the user's own: a transformer of scikit-learn, a module of torch, or a function."""

from __future__ import annotations

import copy
import hashlib
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics.features._base import ScaledExtractor

__all__ = ["FunctionExtractor", "ModuleExtractor", "TransformerExtractor", "own_extractor"]


def own_extractor(features: Any) -> ScaledExtractor:
    """Return the extractor for an object of the user's.

    Raises
    ------
    DataError
        If it is neither a transformer nor a module nor a function.
    """
    if hasattr(features, "transform"):
        return TransformerExtractor(features)
    if hasattr(features, "state_dict"):
        return ModuleExtractor(features)
    if callable(features):
        return FunctionExtractor(features)
    raise DataError(
        f"features={features!r} is no extractor: give a name such as 'pca', a transformer, a torch module or a "
        "function of rows."
    )


class TransformerExtractor(ScaledExtractor):
    """The output of a transformer; one that is not fitted yet is cloned and fitted.

    Parameters
    ----------
    transformer : object
        With `fit` and `transform` of rows of shape (n, d), as in scikit-learn.
    """

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer
        self.name = type(transformer).__name__.lower()

    @property
    def recipe(self) -> tuple[Any, ...]:
        """The name and a hash of the transformer as it was given."""
        return self.name, hashlib.blake2b(pickle.dumps(self.transformer), digest_size=8).hexdigest()

    def learn(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> None:
        """Fit the transformer, unless it is fitted already."""
        from sklearn.base import clone
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted

        self.fitted = self.transformer
        try:
            check_is_fitted(self.transformer)
        except NotFittedError:
            chosen = order()
            targets = None if y is None else np.asarray(y)[chosen]
            self.fitted = clone(self.transformer).fit(X[chosen].reshape(len(X), -1), targets)
        except TypeError:  # no estimator of scikit-learn: it is taken as fitted
            pass

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, f) of rows (m, ...)."""
        return np.asarray(self.fitted.transform(X.reshape(len(X), -1)))


class ModuleExtractor(ScaledExtractor):
    """The output of a torch module in evaluation mode, for rows (m, ...) in float32.

    Parameters
    ----------
    module : torch.nn.Module
        It is copied, so that later changes do not matter.
    """

    _BATCH = 512

    def __init__(self, module: Any) -> None:
        self.module = copy.deepcopy(module).cpu().float().eval()
        self.name = type(module).__name__.lower()

    @property
    def recipe(self) -> tuple[Any, ...]:
        """The name and a hash of the weights."""
        digest = hashlib.blake2b(digest_size=8)
        for name, value in sorted(self.module.state_dict().items()):
            digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
        return self.name, digest.hexdigest()

    def learn(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> None:
        """Learn nothing."""

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, f) of rows (m, ...)."""
        import torch

        outputs = []
        with torch.inference_mode():
            for start in range(0, len(X), self._BATCH):
                batch = torch.from_numpy(np.ascontiguousarray(X[start : start + self._BATCH], dtype=np.float32))
                outputs.append(self.module(batch).reshape(len(batch), -1).numpy())
        return np.concatenate(outputs)


class FunctionExtractor(ScaledExtractor):
    """The output of a function of rows (m, ...).

    Parameters
    ----------
    function : callable
        Returns an array of shape (m, ...).
    """

    def __init__(self, function: Callable[[np.ndarray], Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__).strip("<>").lower()

    def learn(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> None:
        """Learn nothing."""

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, f) of rows (m, ...)."""
        return np.asarray(self.function(X))
