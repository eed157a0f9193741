"""Scores of a generator on rows it was not trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from distillkit.neighbors import nearest
from distillkit.synthesis._fitted import FittedGenerator

if TYPE_CHECKING:
    from distillkit.base import TrainingRows

__all__ = ["HeldOut", "hold_out"]

_MOST = 1000


def hold_out(rows: TrainingRows, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Divide positions into those to train on and a tenth (at most 1000, at least one) to score on, in random order.

    A class of one row stays in training; a set of one row is in both parts.
    """
    single = np.concatenate([group.rows for group in rows.groups if len(group.rows) == 1] or [np.empty(0, np.int64)])
    free = rng.permutation(np.setdiff1d(np.arange(len(rows.X)), single))
    if len(free) < 2:
        everything = np.arange(len(rows.X))
        return everything, everything
    size = max(1, min(_MOST, len(free) // 10))
    return np.sort(np.concatenate([free[size:], single])), free[:size]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Made rows as the training set of a nearest-neighbour model that is tested on held-out rows.

    Parameters
    ----------
    template : FittedGenerator
        Its network is replaced by the one to be scored.
    X : ndarray of shape (n, d)
        Encoded held-out rows.
    y : ndarray of shape (n,) or None
    score : callable
        ``score(distances, made_y, y)`` of the nearest made rows; higher is better.
    seed : int
        The same noise for every generator that is scored.
    """

    template: FittedGenerator
    X: np.ndarray
    y: np.ndarray | None
    score: Callable[[np.ndarray, np.ndarray | None, np.ndarray | None], float]
    seed: int

    @classmethod
    def of(cls, template: FittedGenerator, rows: TrainingRows, picks: np.ndarray, seed: int) -> HeldOut:
        """Take the held-out rows: accuracy for classes, minus the squared error for numbers, minus the distance otherwise."""
        X = template.codec.encode(rows.X[picks]).reshape(len(picks), -1)
        scores = {"classification": _accuracy, "regression": _negative_error}
        y = None if rows.y is None else rows.y[picks]
        return cls(template, X, y, scores.get(rows.task or "", _negative_distance), seed)

    def __call__(self, network: nn.Module) -> float:
        """Score a generator."""
        size = max(200, min(2 * len(self.X), 2 * _MOST))
        made_y = self.template.condition.draw(size)
        made = replace(self.template, network=network).encoded(size, made_y, self.seed)
        distances, indices = nearest(self.X, made.reshape(size, -1), 1, device="cpu")
        return self.score(distances[:, 0], None if made_y is None else made_y[indices[:, 0]], self.y)


def _accuracy(_: np.ndarray, made: np.ndarray | None, y: np.ndarray | None) -> float:
    return float(np.mean(np.asarray(made) == np.asarray(y)))


def _negative_error(_: np.ndarray, made: np.ndarray | None, y: np.ndarray | None) -> float:
    return -float(np.mean(np.square(np.asarray(made) - np.asarray(y, dtype=np.float64))))


def _negative_distance(distances: np.ndarray, _: np.ndarray | None, __: np.ndarray | None) -> float:
    return -float(np.sqrt(distances).mean())
