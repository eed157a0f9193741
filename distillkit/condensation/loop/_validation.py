"""Early stopping by rows that are held out: fresh networks learn from the synthetic rows and are judged on them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import nn

from distillkit.exceptions import DataError
from distillkit.nn import Recipe, class_loss, make_generator, number_loss, predict_rows, soft_label_loss, train_network

if TYPE_CHECKING:
    from distillkit.base import Group, TrainingRows
    from distillkit.condensation.loop._synthetic_rows import Snapshot
    from distillkit.condensation.problem._problem import Batch

__all__ = ["Judge", "Validation", "hold_out"]

_STEPS = 200
_BATCH = 256


def hold_out(rows: TrainingRows, share: float, seed: int, *, or_all: bool = False) -> tuple[TrainingRows, TrainingRows]:
    """Divide the training rows into those to distil and those to judge by.

    Each class gives its share, rounded, but keeps as many rows as its budget asks for.

    Parameters
    ----------
    rows : TrainingRows
    share : float in (0, 1)
    seed : int
    or_all : bool, default=False
        Whether all rows are both, where none can be held out.

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
    if not len(chosen) and or_all:
        return rows, rows
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


class Judge(ABC):
    """Says which rows of a run are the best, and when none better have come for too long.

    Parameters
    ----------
    every : int
        Updates between two judgements.
    patience : int or None
        Updates without better rows that end the run.
    tol : float
        Smallest relative fall that counts as better, where what is to be low is positive; 0 takes any.

    Attributes
    ----------
    took : float
        Seconds of the last judgement; 0 before the first.
    """

    judges_start: ClassVar[bool] = False
    """Whether the rows that a run starts from are judged as well, and returned where none are better."""

    def __init__(self, every: int, patience: int | None, tol: float = 0.0) -> None:
        self.every, self.patience, self.tol = every, patience, tol
        self.lowest, self.at, self.last = float("inf"), 0, 0
        self.took = 0.0

    @abstractmethod
    def measure(self, rows: Snapshot) -> tuple[float, dict[str, float]]:
        """Return what is to be low, and the figures for the history, "validation" (the score) among them."""

    def due(self, iteration: int) -> bool:
        """Whether it is time to judge again."""
        return iteration - self.last >= self.every

    def judge(self, rows: Snapshot, iteration: int) -> tuple[dict[str, float], bool]:
        """Return the figures of the rows, and whether none were better so far."""
        began = time.perf_counter()
        low, figures = self.measure(rows)
        self.took = time.perf_counter() - began
        self.last = iteration
        good = low <= self.lowest
        if low < self.lowest * (1 - self.tol):
            self.at = iteration
        self.lowest = min(low, self.lowest)
        return figures, good

    def exhausted(self, iteration: int) -> bool:
        """Whether patience is at its end."""
        return self.patience is not None and self.last > 0 and iteration - self.at >= self.patience

    def state(self) -> dict[str, float]:
        """All that the next judgement depends on."""
        return {"lowest": self.lowest, "at": self.at, "last": self.last}

    def restore(self, state: dict[str, float]) -> None:
        """Go on from what `state` returned."""
        self.lowest, self.at, self.last = state["lowest"], int(state["at"]), int(state["last"])


class Validation(Judge):
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
        super().__init__(every, patience)
        self._make, self._held, self._classes, self._seed = make_network, held, classes, seed

    def measure(self, rows: Snapshot) -> tuple[float, dict[str, float]]:
        """Return the score, and what is to be low: the score, negative."""
        score = self.score(rows.X, rows.targets)
        return -score, {"validation": score}

    def score(self, X: torch.Tensor, targets: torch.Tensor) -> float:
        """Train the network on the rows; return its accuracy or R2 on those held out (minus infinity where it diverges).

        Targets are class numbers (m,), logits of learned labels (m, n_classes), or numbers (m,).
        """
        network = self._make(self._seed)
        if targets.ndim > 1:
            loss = soft_label_loss(targets.softmax(dim=1))
        else:
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
