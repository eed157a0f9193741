"""What networks trained on the synthetic rows are worth on rows set apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from distillkit.nn import evaluating, seeded, unroll

if TYPE_CHECKING:
    from distillkit.condensation._problem import Batch, Problem
    from distillkit.condensation._real_rows import RealRows

__all__ = ["MetaValidation"]

_NETWORKS = 2
_MOST_ROWS = 2000


class MetaValidation:
    """The same networks on the same rows each time, so that measurements compare.

    Parameters
    ----------
    problem : Problem
    real : RealRows
        Validation rows; at most 2,000 of them are used.
    make_network : callable
        Maps a seed to a fresh network.
    steps : int
        Of the training on the synthetic rows.
    rng : Generator
        Draws the rows and the seeds, once.
    """

    def __init__(
        self,
        problem: Problem,
        real: RealRows,
        make_network: Callable[[int], nn.Module],
        steps: int,
        rng: np.random.Generator,
    ) -> None:
        self._problem, self._steps = problem, steps
        self._batch = real.draw(_MOST_ROWS, rng)
        self._seeds = [int(seed) for seed in rng.integers(2**31 - 1, size=_NETWORKS)]
        self._networks = [make_network(seed) for seed in self._seeds]

    def measure(self, rows: torch.Tensor, targets: torch.Tensor, rate: float) -> dict[str, float]:
        """Train on rows; return the mean "loss" on the validation rows, and "accuracy" or "r2"."""
        lesson = rows, targets
        found = [
            self._one(network, seed, lesson, rate) for network, seed in zip(self._networks, self._seeds, strict=True)
        ]
        return {name: float(np.mean([figures[name] for figures in found])) for name in found[0]}

    def _one(self, network: nn.Module, seed: int, lesson: Batch, rate: float) -> dict[str, float]:
        loss = self._problem.loss
        with seeded(seed):  # for layers that are random themselves: the same masks at each measurement
            weights = unroll(network, *lesson, loss, steps=self._steps, rate=rate, window=0)
        X, targets = self._batch
        with torch.no_grad(), evaluating(network):
            outputs = functional_call(network, weights, (X,))
            value = float(loss(outputs, targets))
        if self._problem.rows.task == "classification":
            return {"loss": value, "accuracy": float((outputs.argmax(dim=1) == targets).double().mean())}
        spread = float(targets.var(correction=0))
        return {"loss": value, "r2": 1 - value / spread if spread else 0.0}
