"""The validation score of a generator, on rows that were held out from its training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from distillkit.neighbors import nearest
from distillkit.synthesis._fitted import FittedGenerator
from distillkit.utils._hold_out import hold_out_rows
from distillkit.utils._weighted_draw import weighted_draw

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["HeldOutScore", "hold_out"]

_MAX_ROWS = 1000


def hold_out(rows: TrainingRows, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Divide the rows into training rows and a tenth held out, drawn from all classes together.

    Parameters
    ----------
    rows : TrainingRows
    rng : RandomState

    Returns
    -------
    train, held_out : ndarray of int
        Positions of the rows: ascending for training, in random order for those held out (at least
        one, at most 1000). The only row of a class stays in training. If fewer than two rows are
        left to choose from, both parts hold all rows.
    """
    n_rows = len(rows.X)
    single = np.concatenate([group.rows for group in rows.groups if len(group.rows) == 1] or [np.empty(0, np.int64)])
    candidates = np.setdiff1d(np.arange(n_rows), single)
    if len(candidates) < 2:
        all_rows = np.arange(n_rows)
        return all_rows, all_rows
    size = max(1, min(_MAX_ROWS, len(candidates) // 10))
    return hold_out_rows([candidates], [size], n_rows, rng)


@dataclass(frozen=True, eq=False)
class HeldOutScore:
    """The score on held-out rows of a nearest-neighbor model trained on generated rows.

    Parameters
    ----------
    template : FittedGenerator
        Its network is replaced by the network to be scored.
    X : ndarray of shape (n, d)
        Encoded held-out rows.
    y : ndarray of shape (n,) or None
        Their labels or numbers.
    score : callable
        ``score(distances, generated_y, y)``, with the squared distances to the nearest generated
        rows and the labels of these; higher is better.
    seed : int
        Seeds the noise, which is the same for every network that is scored.
    """

    template: FittedGenerator
    X: np.ndarray
    y: np.ndarray | None
    score: Callable[[np.ndarray, np.ndarray | None, np.ndarray | None], float]
    seed: int

    @classmethod
    def of(cls, template: FittedGenerator, rows: TrainingRows, indices: np.ndarray, seed: int) -> HeldOutScore:
        """Take the held-out rows, and choose the score for their task.

        The score is the accuracy for classes, minus the mean squared error for numbers, and minus
        the mean distance without labels.
        """
        if rows.weight is not None:  # as many of them, in proportion to their weights
            indices = indices[weighted_draw(rows.weight[indices], len(indices), None, np.arange(len(indices)))]
        X = template.codec.encode(rows.X[indices]).reshape(len(indices), -1)
        scores = {"classification": _accuracy, "regression": _negative_error}
        y = None if rows.y is None else rows.y[indices]
        return cls(template, X, y, scores.get(rows.task or "", _negative_distance), seed)

    def __call__(self, network: nn.Module) -> float:
        """Return the score of a generator network."""
        # 1. Generate about twice as many rows as were held out.
        size = max(200, min(2 * len(self.X), 2 * _MAX_ROWS))
        generated_y = self.template.condition.draw(size)
        generated = replace(self.template, network=network).encoded(size, generated_y, self.seed)
        # 2. Predict each held-out row by its nearest generated row.
        distances, indices = nearest(self.X, generated.reshape(size, -1), 1, device="cpu")
        predicted = None if generated_y is None else generated_y[indices[:, 0]]
        return self.score(distances[:, 0], predicted, self.y)


def _accuracy(_: np.ndarray, predicted: np.ndarray | None, y: np.ndarray | None) -> float:
    return float(np.mean(np.asarray(predicted) == np.asarray(y)))


def _negative_error(_: np.ndarray, predicted: np.ndarray | None, y: np.ndarray | None) -> float:
    return -float(np.mean(np.square(np.asarray(predicted) - np.asarray(y, dtype=np.float64))))


def _negative_distance(distances: np.ndarray, _: np.ndarray | None, __: np.ndarray | None) -> float:
    return -float(np.sqrt(distances).mean())
