"""Validation of bilevel distillation by networks trained on the synthetic rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from distillkit.condensation.loop._validation import Judge
from distillkit.nn import evaluating, seeded_layers, unroll

if TYPE_CHECKING:
    from distillkit.condensation.loop._synthetic_rows import Snapshot
    from distillkit.condensation.problem._problem import Batch, CondensationProblem

__all__ = ["MetaValidation", "training_targets"]

_NETWORKS = 2
_MOST_ROWS = 2000


def training_targets(targets: torch.Tensor) -> torch.Tensor:
    """Return targets for training: unchanged if of shape (m,), the softmax of logits (m, k)."""
    return targets.softmax(dim=1) if targets.ndim > 1 else targets


class MetaValidation(Judge):
    """Evaluates synthetic rows by the validation loss of networks trained as in the inner loop.

    The networks, their first weights and the validation rows are the same each time, so that
    evaluations can be compared.

    Parameters
    ----------
    problem : CondensationProblem
    held : Batch
        Validation rows; at most 2,000 of them are used.
    make_network : callable
        Maps a seed to a fresh network.
    steps : int
        Number of training steps on the synthetic rows.
    seed : int
        Seed of the draw of validation rows and networks.
    every, patience, tol
        See `Judge`.
    """

    judges_start: ClassVar[bool] = True

    def __init__(
        self,
        problem: CondensationProblem,
        held: Batch,
        make_network: Callable[[int], nn.Module],
        *,
        steps: int,
        seed: int,
        every: int,
        patience: int | None,
        tol: float,
    ) -> None:
        super().__init__(every, patience, tol)
        rng = np.random.default_rng(seed)
        self._problem, self._steps = problem, steps
        picks = torch.from_numpy(rng.permutation(len(held[0]))[:_MOST_ROWS])
        self._batch: Batch = held[0][picks], held[1][picks]
        self._seeds = [int(number) for number in rng.integers(2**31 - 1, size=_NETWORKS)]
        self._networks = [make_network(number) for number in self._seeds]

    def measure(self, rows: Snapshot) -> tuple[float, dict[str, float]]:
        """Train on the rows, and return the validation loss and the figures for the history.

        The training uses the learning rate that was learned with the rows. The loss is infinite if
        the training diverges.
        """
        assert rows.extra is not None
        rate = float(rows.extra.exp())
        results = [
            self._loss_and_score(network, seed, (rows.X, training_targets(rows.targets)), rate)
            for network, seed in zip(self._networks, self._seeds, strict=True)
        ]
        loss, score = (float(np.mean(values)) for values in zip(*results, strict=True))
        loss = loss if math.isfinite(loss) else math.inf
        return loss, {"validation_loss": loss, "validation": score}

    def _loss_and_score(self, network: nn.Module, seed: int, training_batch: Batch, rate: float) -> tuple[float, float]:
        """Train one network, and return its loss and its accuracy or R2 on the validation rows."""
        loss = self._problem.loss
        # The seed makes random layers, such as dropout, draw the same masks at each evaluation.
        with seeded_layers(network, seed):
            weights = unroll(network, *training_batch, loss, steps=self._steps, rate=rate, window=0)
        X, targets = self._batch
        with torch.no_grad(), evaluating(network):
            outputs = functional_call(network, weights, (X,))
            value = float(loss(outputs, targets))
        if self._problem.rows.task == "classification":
            return value, float((outputs.argmax(dim=1) == targets).double().mean())
        variance = float(targets.var(correction=0))
        return value, 1 - value / variance if variance else 0.0
