"""The interface of feature extractors, and the common scaling of features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from distillkit.distances._samples import NotFiniteError

__all__ = ["Extractor", "ScaledExtractor"]


class Extractor(ABC):
    """Map from rows to features, which is learned on the training rows.

    Attributes
    ----------
    name : str
        Name of the kind of extractor.
    learns : bool
        Whether anything is learned.
    fingerprint : str
        Eight hexadecimal digits that depend on the recipe and on the training rows and their
        labels, set by `Reference`; empty if nothing is learned. Values of extractors with different
        fingerprints cannot be compared.
    """

    name: str
    learns: bool = True
    fingerprint: str = ""

    @abstractmethod
    def fit_transform(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> np.ndarray:
        """Learn from the training rows and return their features.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
        y : ndarray of shape (n,) or None
        task : {"classification", "regression"} or None
        order : callable
            Returns positions (n,) that put the rows into an order that does not depend on their
            order in `X`.

        Returns
        -------
        ndarray of shape (n, f)
        """

    @abstractmethod
    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, f) of rows (m, ...)."""

    def probabilities(self, X: np.ndarray) -> np.ndarray | None:
        """Return class probabilities (m, n_classes) of rows; None if the extractor has none."""
        return None

    @property
    def recipe(self) -> tuple[Any, ...]:
        """What determines the extractor for given training rows: its name and its parameters."""
        return (self.name,)

    @property
    def identity(self) -> str:
        """Name and fingerprint, such as ``"pca:1f0c9a2b"``."""
        return f"{self.name}:{self.fingerprint}" if self.fingerprint else self.name


class ScaledExtractor(Extractor):
    """Extractor whose features are centered at the training mean and scaled by one number.

    After the scaling, the variance of the features of the training rows is 1 on average over the
    features. So the values of metrics do not depend on the scale of the features, and all
    directions keep their proportions.
    """

    mean: np.ndarray
    scale: float

    def fit_transform(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> np.ndarray:
        """Learn from the training rows and return their features; see `Extractor.fit_transform`."""
        self.learn(X, y, task, order)
        raw = self.finite(self.raw(X))
        self.mean = raw.mean(axis=0, dtype=np.float64)
        deviation = float(np.sqrt(np.mean(raw.var(axis=0, dtype=np.float64))))
        self.scale = deviation or 1.0
        return self._scaled(raw)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, f) of rows (m, ...)."""
        return self._scaled(self.finite(self.raw(X)))

    @abstractmethod
    def learn(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> None:
        """Learn from the training rows; see `Extractor.fit_transform` for the parameters."""

    @abstractmethod
    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, f) of rows (m, ...) before their scaling."""

    def finite(self, features: Any) -> np.ndarray:
        """Return features as an array of shape (m, f), if all values are finite."""
        values = np.asarray(features)
        values = values.reshape(len(values), -1)
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if not np.isfinite(values).all():
            raise NotFiniteError(
                f"the features by {self.name!r} hold NaN or infinite values: scale the rows, or choose other features."
            )
        return values

    def _scaled(self, raw: np.ndarray) -> np.ndarray:
        return np.asarray((raw - self.mean.astype(raw.dtype)) / raw.dtype.type(self.scale))
