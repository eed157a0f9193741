"""The outer loop of bilevel distillation, which differentiates through the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from distillkit.condensation.bilevel._validation import training_targets
from distillkit.condensation.loop._loop import Loop, LoopContext
from distillkit.condensation.problem._real_rows import RealRows
from distillkit.nn import seeded_layers, unroll

__all__ = ["BilevelLoop", "BilevelSettings"]


@dataclass(frozen=True)
class BilevelSettings:
    """Settings of the loop of bilevel distillation.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device.
    steps : int
        Steps of the inner training.
    window : int
        Last steps that are differentiated through.
    random_end : bool
        Whether the inner training ends after a random number of steps, from `window` to `steps`.
    real_batch : int
        Training rows per update.
    """

    make_network: Callable[[int], nn.Module]
    steps: int
    window: int
    random_end: bool
    real_batch: int


class BilevelLoop(Loop):
    """One fit of bilevel distillation in progress.

    Parameters
    ----------
    context : LoopContext
        Its rows have the logarithm of the inner learning rate as extra leaf.
    settings : BilevelSettings
    """

    name = "bilevel distillation"
    remedy = "lower network_lr or lr, or give a smaller clip_rms or window"
    memory_remedy = "lower window, width or budget"

    def __init__(self, context: LoopContext, settings: BilevelSettings) -> None:
        self.settings = settings
        self.real = RealRows(context.problem)
        super().__init__(context, min(settings.real_batch, len(self.real)))

    def meta_loss(self, seed: int, steps: int) -> torch.Tensor:
        """Train a network on the synthetic rows, and return its loss on training rows.

        The loss is differentiable in the synthetic rows, their targets and the learning rate.
        """
        network = self.settings.make_network(seed)
        X, targets = self.real.draw(self.batch.size, self._draws)
        with seeded_layers(network, seed):
            weights = unroll(
                network,
                self.rows.X,
                training_targets(self.rows.targets),
                self.problem.loss,
                steps=steps,
                rate=self.rows.leaves[-1].exp(),
                window=self.settings.window,
            )
            return self.problem.loss(functional_call(network, weights, (X,)), targets)

    def fitted_attributes(self) -> dict[str, Any]:
        """Return the learning rate that was learned with the best rows."""
        assert self.best.extra is not None
        return {"network_lr_": float(self.best.extra.exp())}

    def _round(self) -> bool:
        loss, gradients = self._within_memory(self._meta_gradients)
        self._update(gradients, loss=loss, network_lr=float(self.rows.leaves[-1].detach().exp()))
        return True

    def _meta_gradients(self) -> tuple[float, Sequence[torch.Tensor]]:
        settings, steps = self.settings, self.settings.steps
        if settings.random_end:
            steps = int(self._draws.integers(settings.window, steps + 1))
        loss = self.meta_loss(self.run.seed(), steps)
        return float(loss.detach()), torch.autograd.grad(loss, self.rows.leaves)
