"""Early stopping by the score of networks, trained on the synthetic rows, on held-out rows."""

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
from distillkit.utils._hold_out import hold_out_rows

if TYPE_CHECKING:
    from distillkit.base import Group, TrainingRows
    from distillkit.condensation.loop._synthetic_rows import Snapshot
    from distillkit.condensation.problem._problem import Batch

__all__ = ["Judge", "Validation", "hold_out"]

_STEPS = 200
_BATCH = 256


def hold_out(rows: TrainingRows, share: float, seed: int, *, or_all: bool = False) -> tuple[TrainingRows, TrainingRows]:
    """Split the training rows into rows to distill and held-out rows for validation.

    Each class contributes the same fraction of its rows, rounded, but keeps at least as many rows
    as its part of the budget.

    Parameters
    ----------
    rows : TrainingRows
    share : float in (0, 1)
        Fraction of the rows to hold out.
    seed : int
    or_all : bool, default=False
        Whether to return all rows as both parts if none can be held out.

    Returns
    -------
    training_rows, held_out : TrainingRows
        The groups of `rows` without the rows of the other part. A group of `held_out` may be empty.

    Raises
    ------
    DataError
        If no row can be held out and `or_all` is false.
    """
    counts = [min(round(share * len(group.rows)), len(group.rows) - group.size) for group in rows.groups]
    groups = [group.rows for group in rows.groups]
    _, held_out = hold_out_rows(groups, counts, len(rows.X), np.random.default_rng(seed))
    if not len(held_out) and or_all:
        return rows, rows
    if not len(held_out):
        raise DataError(
            f"validation_fraction={share} leaves no row for validation: give a larger fraction, a smaller budget, "
            "or None to skip validation."
        )
    mask = np.zeros(len(rows.X), dtype=bool)
    mask[held_out] = True
    return _subset(rows, ~mask), _subset(rows, mask)


def _subset(rows: TrainingRows, mask: np.ndarray) -> TrainingRows:
    """Return the rows under a mask, with the groups that they belong to."""
    new_index = np.cumsum(mask) - 1
    groups = tuple(_reindexed(rows.groups, mask, new_index))
    y, weight = (None if values is None else values[mask] for values in (rows.y, rows.weight))
    return replace(rows, X=rows.X[mask], y=y, weight=weight, groups=groups)


def _reindexed(groups: tuple[Group, ...], mask: np.ndarray, new_index: np.ndarray) -> Iterator[Group]:
    for group in groups:
        yield replace(group, rows=new_index[group.rows[mask[group.rows]]])


class Judge(ABC):
    """Selects the best rows of a run by a criterion to minimize, and stops a run without progress.

    Parameters
    ----------
    every : int
        Updates between two evaluations.
    patience : int or None
        Updates without an improvement after which the run ends; None never ends it.
    tol : float
        Smallest relative decrease that counts as an improvement, for a criterion that is positive;
        with 0, any decrease does.

    Attributes
    ----------
    took : float
        Duration of the last evaluation in seconds; 0 before the first.
    lowest : float
        Lowest value of the criterion so far.
    at, last : int
        Updates at which the last improvement and the last evaluation took place.
    """

    judges_start: ClassVar[bool] = False
    """Whether the first rows of a run are evaluated, too, and returned if no others are better."""

    def __init__(self, every: int, patience: int | None, tol: float = 0.0) -> None:
        self.every, self.patience, self.tol = every, patience, tol
        self.lowest, self.at, self.last = float("inf"), 0, 0
        self.took = 0.0

    @abstractmethod
    def measure(self, rows: Snapshot) -> tuple[float, dict[str, float]]:
        """Return the criterion to minimize, and figures for the history.

        The figures include "validation", which is the score.
        """

    def due(self, iteration: int) -> bool:
        """Return whether it is time for another evaluation."""
        return iteration - self.last >= self.every

    def judge(self, rows: Snapshot, iteration: int) -> tuple[dict[str, float], bool]:
        """Evaluate the rows; return the figures, and whether no earlier rows were better."""
        began = time.perf_counter()
        criterion, figures = self.measure(rows)
        self.took = time.perf_counter() - began
        self.last = iteration
        is_best = criterion <= self.lowest
        if criterion < self.lowest * (1 - self.tol):
            self.at = iteration
        self.lowest = min(criterion, self.lowest)
        return figures, is_best

    def exhausted(self, iteration: int) -> bool:
        """Return whether patience is exhausted."""
        return self.patience is not None and self.last > 0 and iteration - self.at >= self.patience

    def state(self) -> dict[str, float]:
        """Return the values that the next evaluation depends on."""
        return {"lowest": self.lowest, "at": self.at, "last": self.last}

    def restore(self, state: dict[str, float]) -> None:
        """Continue from the values that `state` returned."""
        self.lowest, self.at, self.last = float(state["lowest"]), int(state["at"]), int(state["last"])


class Validation(Judge):
    """Evaluates synthetic rows by the score of a network that is trained on them.

    The network starts from the same weights each time and is scored on held-out rows.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    held : Batch
        Held-out rows and targets, in the units of the network.
    classes : bool
        Whether targets are class codes. The score is then the accuracy, and R2 otherwise.
    seed : int
        Seed of the network and of its training.
    every : int
        Updates between two evaluations.
    patience : int or None
        Updates without a better score after which the run ends; None never ends it.
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
        """Return the negative score, which is to be minimized, and the score for the history."""
        score = self.score(rows.X, rows.targets)
        return -score, {"validation": score}

    def score(self, X: torch.Tensor, targets: torch.Tensor) -> float:
        """Train the network on the rows, and return its accuracy or R2 on the held-out rows.

        Targets are class codes (m,), logits of learned labels (m, n_classes), or numbers (m,). The
        score is minus infinity if the training diverges.
        """
        # 1. Choose the loss that fits the targets, and a recipe of at least _STEPS updates.
        network = self._make(self._seed)
        if targets.ndim > 1:
            loss = soft_label_loss(targets.softmax(dim=1))
        else:
            loss = class_loss(targets) if self._classes else number_loss(targets)
        epochs = -(-_STEPS // -(-len(X) // _BATCH))
        recipe = Recipe(epochs, _BATCH, "adam", 5e-3, 0.0, 5e-4, "onecycle", "float32")
        # 2. Train the network on the synthetic rows.
        try:
            train_network(network, X, loss, recipe, generator=make_generator(self._seed))
        except FloatingPointError:
            return float("-inf")
        # 3. Score it on the held-out rows.
        rows, true_targets = self._held
        outputs = predict_rows(network, rows)
        if self._classes:
            return float((outputs.argmax(dim=1) == true_targets).double().mean())
        error = (outputs[:, 0] - true_targets).double().square().mean()
        return float(1 - error / true_targets.double().var(unbiased=False).clamp_min(1e-12))
