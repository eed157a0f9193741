"""A small classifier of real rows, which filters, embeds and judges generated rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from distillkit.nn import NetworkClassifier, embed_rows

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["FeatureClassifier"]

_MAX_ROWS = 5000
_MAX_STEPS = 150
_BATCH = 64


@dataclass(frozen=True, eq=False)
class FeatureClassifier:
    """A network classifier trained on real rows for at most about 150 steps.

    Parameters
    ----------
    model : NetworkClassifier
    """

    model: NetworkClassifier

    @classmethod
    def of(
        cls, rows: TrainingRows, rng: np.random.RandomState, *, max_steps: int, max_seconds: float | None, device: str
    ) -> Self:
        """Train on at most 5000 rows, with the same limit for each class.

        Parameters
        ----------
        rows : TrainingRows
            Rows of at least two classes.
        rng : RandomState
        max_steps : int
            Limit on the steps, for generators that were trained for fewer.
        max_seconds : float or None
            Limit on the training time in seconds.
        device : str
        """
        assert rows.y is not None
        max_per_class = max(1, _MAX_ROWS // len(rows.groups))
        picks = np.concatenate([rng.permutation(group.rows)[:max_per_class] for group in rows.groups])
        model = NetworkClassifier(
            width=32 if rows.X.ndim > 2 else None,
            epochs=max(1, round(min(_MAX_STEPS, max_steps) / math.ceil(len(picks) / _BATCH))),
            batch_size=_BATCH,
            precision="float32",
            max_seconds=max_seconds,
            device=device,
            random_state=int(rng.randint(np.iinfo(np.int32).max)),
        )
        weight = None if rows.weight is None else rows.weight[picks]
        return cls(model.fit(rows.X[picks], rows.y[picks], sample_weight=weight))

    def confidence(self, X: np.ndarray, label: object) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's probability of a class, and whether that is the most probable class.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
        label : label
            The class.

        Returns
        -------
        probability : ndarray of shape (n,)
        is_most_probable : ndarray of shape (n,), bool
        """
        probabilities = self.model.predict_proba(X)
        column = int(np.flatnonzero(self.model.classes_ == label)[0])
        return probabilities[:, column], probabilities.argmax(axis=1) == column

    def features(self, X: np.ndarray) -> np.ndarray:
        """Return the outputs (n, d) of the last hidden layer for rows (n, ...)."""
        network = self.model.network_
        scaled = self.model.preprocessing_.transform(X).astype(np.float32)
        device = next(network.parameters()).device
        embedded = embed_rows(network, torch.as_tensor(scaled, device=device))
        return embedded.cpu().numpy().reshape(len(X), -1)
