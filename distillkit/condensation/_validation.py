"""Early stopping by rows that are held out: fresh networks learn from the synthetic rows and are judged on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from distillkit.exceptions import DataError
from distillkit.nn import Recipe, class_loss, make_generator, number_loss, predict_rows, train_network

if TYPE_CHECKING:
    from distillkit.base import Group, TrainingRows
    from distillkit.condensation._problem import Batch

__all__ = ["Validation", "hold_out"]

_STEPS = 200
_BATCH = 256


def hold_out(rows: TrainingRows, share: float, seed: int) -> tuple[TrainingRows, TrainingRows]:
    """Divide the training rows into those to distil and those to judge by.

    Each class gives its share, rounded, but keeps as many rows as its budget asks for.

    Parameters
    ----------
    rows : TrainingRows
    share : float in (0, 1)
    seed : int

    Returns
    -------
    kept, held : TrainingRows
        With the groups of `rows`, less the rows of the other part (a group of `held` may be empty).

    Raises
    ------
    DataError
        If no row can be held out.
    """
    rng = np.random.default_rng(seed)
    held = []
    for group in rows.groups:
        count = min(round(share * len(group.rows)), len(group.rows) - group.size)
        held.append(np.sort(rng.choice(group.rows, count, replace=False)))
    chosen = np.concatenate(held)
    if not len(chosen):
        raise DataError(
            f"validation_fraction={share} leaves no row to validate by: give a larger share, a smaller budget, or None for no "
            "validation."
        )
    mask = np.zeros(len(rows.X), dtype=bool)
    mask[chosen] = True
    return _part(rows, ~mask), _part(rows, mask)


def _part(rows: TrainingRows, mask: np.ndarray) -> TrainingRows:
    position = np.cumsum(mask) - 1
    groups = tuple(_moved(rows.groups, mask, position))
    return replace(rows, X=rows.X[mask], y=None if rows.y is None else rows.y[mask], groups=groups)


def _moved(groups: tuple[Group, ...], mask: np.ndarray, position: np.ndarray) -> Iterator[Group]:
    for group in groups:
        yield replace(group, rows=position[group.rows[mask[group.rows]]])


class Validation:
    """Judges synthetic rows by one network, the same weights each time, on rows that were held out.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    held : Batch
        Rows and targets, in the units of the network.
    classes : bool
        Whether targets are class numbers: the score is then the accuracy, otherwise R2.
    seed : int
    every : int
        Updates between two judgements.
    patience : int or None
        Updates without a better score that end the run.
    """

    def __init__(
        self,
        make_network: Callable[[int], nn.Module],
        held: Batch,
        *,
        classes: bool,
        seed: int,
        every: int,
        patience: int | None,
    ) -> None:
        self._make, self._held, self._classes, self._seed = make_network, held, classes, seed
        self.every, self.patience = every, patience
        self.best, self.at, self.last = float("-inf"), 0, 0

    def due(self, iteration: int) -> bool:
        """Whether it is time to judge again."""
        return iteration - self.last >= self.every

    def judge(self, X: torch.Tensor, targets: torch.Tensor, iteration: int) -> tuple[float, bool]:
        """Return the score of the rows, and whether none was better so far."""
        score = self.score(X, targets)
        self.last = iteration
        good = score >= self.best
        if score > self.best:
            self.best, self.at = score, iteration
        return score, good

    def exhausted(self, iteration: int) -> bool:
        """Whether patience is at its end."""
        return self.patience is not None and self.last > 0 and iteration - self.at >= self.patience

    def score(self, X: torch.Tensor, targets: torch.Tensor) -> float:
        """Train the network on the rows; return its accuracy or R2 on those held out (minus infinity where it diverges)."""
        network = self._make(self._seed)
        loss = class_loss(targets) if self._classes else number_loss(targets)
        epochs = -(-_STEPS // -(-len(X) // _BATCH))
        recipe = Recipe(epochs, _BATCH, "adam", 5e-3, 0.0, 5e-4, "onecycle", "float32")
        try:
            train_network(network, X, loss, recipe, generator=make_generator(self._seed))
        except FloatingPointError:
            return float("-inf")
        rows, known = self._held
        outputs = predict_rows(network, rows)
        if self._classes:
            return float((outputs.argmax(dim=1) == known).double().mean())
        errors = (outputs[:, 0] - known).double().square().mean()
        return float(1 - errors / known.double().var(unbiased=False).clamp_min(1e-12))

    def state(self) -> dict[str, float]:
        """All that the next judgement depends on."""
        return {"best": self.best, "at": self.at, "last": self.last}

    def restore(self, state: dict[str, float]) -> None:
        """Go on from what `state` returned."""
        self.best, self.at, self.last = state["best"], int(state["at"]), int(state["last"])
