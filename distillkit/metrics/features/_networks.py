"""Extractors by networks: one with random weights, and one trained on the training rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.metrics.features._base import ScaledExtractor
from distillkit.metrics.features._rows import RowsExtractor
from distillkit.utils._process_settings import standard_settings

__all__ = ["ClassifierExtractor", "RandomExtractor"]

_WIDTH = 8  # channels of a convolutional network


class RandomExtractor(ScaledExtractor):
    """The last hidden layer of a network with random weights, which sees standardized rows.

    The network is a ConvNet for images and long series, and otherwise an MLP.

    Parameters
    ----------
    random_state : int, default=0
        Seed of the weights.
    """

    name = "random"

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    @property
    def recipe(self) -> tuple[Any, ...]:
        """The name and the seed."""
        return self.name, self.random_state

    @standard_settings()
    def learn(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> None:
        """Create the network, and learn the scaling of the rows."""
        from distillkit.nn import make_network

        self.rows = RowsExtractor()
        self.rows.fit_transform(X, y, task, order)
        self.network = make_network("auto", X.shape[1:], 2, seed=self.random_state, width=_WIDTH)

    @standard_settings()
    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, f) of rows (m, ...)."""
        import torch

        from distillkit.nn import embed_rows

        standardized = self.rows.transform(X).reshape(X.shape).astype(np.float32)
        return np.asarray(embed_rows(self.network, torch.from_numpy(standardized)).numpy())


class ClassifierExtractor(ScaledExtractor):
    """The last hidden layer of a small classifier that is trained on the training rows.

    The network is an MLP with two hidden layers of 128 units, which is quick for rows of all
    shapes. It is trained on at most 20,000 rows, whose choice and sequence do not depend on the
    order of the training rows.

    Parameters
    ----------
    random_state : int, default=0
        Seed of the training.
    """

    name = "classifier"

    _MAX_ROWS = 20_000
    _BATCH = 128
    _STEPS = 300  # smallest number of updates

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    @property
    def recipe(self) -> tuple[Any, ...]:
        """The name and the seed."""
        return self.name, self.random_state

    def learn(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> None:
        """Train the network.

        Raises
        ------
        DataError
            If there are no class labels, or only one class.
        """
        from distillkit.nn import NetworkClassifier

        if task != "classification" or len(np.unique(y)) < 2:
            raise DataError(
                "features='classifier' needs labels of at least two classes to train on: choose 'pca', 'random' or "
                "'rows'."
            )
        chosen = order()[: self._MAX_ROWS]
        updates = -(-len(chosen) // self._BATCH)
        self.classifier = NetworkClassifier(
            network="mlp",
            epochs=max(2, -(-self._STEPS // updates)),
            batch_size=self._BATCH,
            device="cpu",
            random_state=self.random_state,
        ).fit(X[chosen], np.asarray(y)[chosen])

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, f) of rows (m, ...)."""
        return np.asarray(self.classifier.embed(X), dtype=np.float32)

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """Return the class probabilities (m, n_classes) of rows (m, ...), by sorted class."""
        return np.asarray(self.classifier.predict_proba(X))
