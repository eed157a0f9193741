"""Extractors that need no network: the rows themselves, and their principal components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distillkit.metrics.features._base import Extractor, ScaledExtractor
from distillkit.utils._preprocessing import Preprocessing

__all__ = ["PcaExtractor", "RowsExtractor", "ValuesExtractor"]


class ValuesExtractor(Extractor):
    """The values of the rows in their own units, flattened to (n, d)."""

    name = "values"
    learns = False

    def fit_transform(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the rows; see `Extractor.fit_transform`."""
        return self.transform(X)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the values (m, d) of rows (m, ...)."""
        return np.asarray(X.reshape(len(X), -1))


class RowsExtractor(Extractor):
    """The values of the rows, standardized by the training rows and flattened to (n, d).

    Each column of a table, and each channel of images and series, has mean 0 and variance 1 on the
    training rows; a constant one is only centered.
    """

    name = "rows"

    def fit_transform(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> np.ndarray:
        """Learn the scaling and return the features; see `Extractor.fit_transform`."""
        self.mean, self.scale = _column_scaling(X) if X.ndim == 2 else _channel_scaling(X)
        return self.transform(X)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, d) of rows (m, ...)."""
        dtype = X.dtype if X.dtype == np.float32 else np.dtype(np.float64)
        standardized = (X - self.mean.astype(dtype)) / self.scale.astype(dtype)
        return np.asarray(standardized.reshape(len(X), -1))


def _column_scaling(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaling = Preprocessing.standardize(X)
    return scaling.mean[None], scaling.scale[None]


def _channel_scaling(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    axes = (0, *range(2, X.ndim))
    deviation = X.std(axis=axes, keepdims=True, dtype=np.float64)
    return X.mean(axis=axes, keepdims=True, dtype=np.float64), np.where(deviation > 0, deviation, 1.0)


class PcaExtractor(ScaledExtractor):
    """The first principal components of the rows, standardized as by `RowsExtractor`.

    Parameters
    ----------
    n_components : int, default=64
        Largest number of components.
    """

    name = "pca"

    def __init__(self, n_components: int = 64) -> None:
        self.n_components = n_components

    @property
    def recipe(self) -> tuple[Any, ...]:
        """The name and the number of components."""
        return self.name, self.n_components

    def learn(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> None:
        """Compute the components of the standardized training rows."""
        from sklearn.decomposition import PCA

        self.rows = RowsExtractor()
        standardized = self.rows.fit_transform(X, y, task, order)
        n_components = min(self.n_components, *standardized.shape)
        solver = "covariance_eigh" if standardized.shape[1] <= 2 * len(standardized) else "full"
        self.pca = PCA(n_components, svd_solver=solver).fit(standardized)

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the components (m, f) of rows (m, ...)."""
        return np.asarray(self.pca.transform(self.rows.transform(X)))
