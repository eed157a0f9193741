"""A small classifier of real rows, which judges made ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from distillkit.nn import NetworkClassifier, embed_rows

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["Recogniser"]

_MOST_ROWS = 5000
_MOST_STEPS = 150
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Recogniser:
    """A network trained on real rows for at most about 150 steps.

    Parameters
    ----------
    model : NetworkClassifier
    """

    model: NetworkClassifier

    @classmethod
    def of(
        cls, rows: TrainingRows, rng: np.random.RandomState, *, max_steps: int, max_seconds: float | None, device: str
    ) -> Self:
        """Train on up to 5000 rows, as many of each class as there are, in turns.

        Parameters
        ----------
        rows : TrainingRows
            Of two classes or more.
        rng : RandomState
        max_steps : int
            Fewer are done where the generator itself had fewer.
        max_seconds : float or None
        device : str
        """
        assert rows.y is not None
        most = max(1, _MOST_ROWS // len(rows.groups))
        picks = np.concatenate([rng.permutation(group.rows)[:most] for group in rows.groups])
        model = NetworkClassifier(
            width=32 if rows.X.ndim > 2 else None,
            epochs=max(1, round(min(_MOST_STEPS, max_steps) / math.ceil(len(picks) / _BATCH))),
            batch_size=_BATCH,
            precision="float32",
            max_seconds=max_seconds,
            device=device,
            random_state=int(rng.randint(np.iinfo(np.int32).max)),
        )
        return cls(model.fit(rows.X[picks], rows.y[picks]))

    def confidence(self, X: np.ndarray, label: object) -> tuple[np.ndarray, np.ndarray]:
        """Return the probability of a class for each row (n,), and whether it is the most probable one."""
        probabilities = self.model.predict_proba(X)
        column = int(np.flatnonzero(self.model.classes_ == label)[0])
        return probabilities[:, column], probabilities.argmax(axis=1) == column

    def features(self, X: np.ndarray) -> np.ndarray:
        """Return what the last hidden layer makes of rows (n, d)."""
        network = self.model.network_
        scaled = self.model.preprocessing_.transform(X).astype(np.float32)
        device = next(network.parameters()).device
        embedded = embed_rows(network, torch.as_tensor(scaled, device=device))
        return embedded.cpu().numpy().reshape(len(X), -1)
