"""Training of networks on rows in memory, with explicit random generators and a time limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from distillkit.nn.augmentation._augment import Augmentation
from distillkit.nn.runtime._device import mixed_precision
from distillkit.nn.runtime._modes import evaluating
from distillkit.nn.runtime._pieces import rows_per_piece, rows_to_share
from distillkit.nn.runtime._seeding import seeded_layers
from distillkit.nn.runtime._threads import Threads, takes_threads
from distillkit.nn.training._backward import Backward
from distillkit.nn.training._losses import RowLoss
from distillkit.nn.training._map_rows import map_rows
from distillkit.nn.training._progress import Progress
from distillkit.nn.training._recipe import Recipe
from distillkit.utils._progress import progress_task
from distillkit.utils._progress_task import Task

__all__ = ["DivergedError", "embed_rows", "predict_rows", "train_network"]


class DivergedError(FloatingPointError):
    """Raised if the loss, the weights or the outputs of a network in training are not finite.

    Parameters
    ----------
    message : str
        Description that names the step.
    epoch : int
        The weights of the network were restored to those after this epoch; 0 stands for the initial
        weights.
    """

    def __init__(self, message: str, epoch: int) -> None:
        super().__init__(message)
        self.epoch = epoch


def train_network(
    network: nn.Module,
    X: torch.Tensor,
    loss: RowLoss,
    recipe: Recipe,
    *,
    generator: torch.Generator,
    weight: torch.Tensor | None = None,
    augment: Augmentation | None = None,
    should_stop: Callable[[], bool] | None = None,
    elapsed: Callable[[], float] | None = None,
    on_epoch: Callable[[int, float], Any] | None = None,
    largest_rise: float = math.inf,
) -> int:
    """Train a network in place.

    Parameters
    ----------
    network : Module
        The network, on the device of X.
    X : tensor of shape (n, ...)
        The training rows.
    loss : RowLoss
        Loss that is bound to the targets of the same n rows.
    recipe : Recipe
        Hyperparameters. Step s of S has the learning rate of the progress ``(s - 1/2) / S``, unless
        `elapsed` shows that the time will end before the steps.
    generator : Generator
        Source of the order of the rows, of the augmentation, and of a seed for random layers such
        as dropout. torch's global state does not change.
    weight : tensor of shape (n,) or None
        Weights of the rows, not all zero; None gives equal weights. The weights are scaled to a
        mean of 1 over all rows, and multiply the losses of the rows before the mean over a batch is
        taken.
    augment : Augmentation or None
        Random changes, drawn anew for each batch and for each of its rows.
    should_stop : callable or None
        Called after every step; the training ends if it returns True.
    elapsed : callable or None
        Returns the share of the time limit that has passed. From half of the time on, if the
        remaining steps will not fit, the schedule follows the clock, so that it is complete when
        the time is over. The time limit itself must be enforced by `should_stop`.
    on_epoch : callable or None
        Called after each epoch with its number (from 1) and the mean loss of its rows.
    largest_rise : float, default=infinity
        Number of times that the mean loss of the last epoch may be that of the first step. Beyond
        it, the training counts as diverged.

    Returns
    -------
    int
        Number of epochs, including one that was stopped midway.

    Raises
    ------
    DivergedError
        If the loss, the weights or the last outputs are not finite, or if the loss has risen beyond
        `largest_rise`. The message names the step. The weights are restored to those at the start
        of the epoch with the lowest loss, which are known to have a finite loss, or to the initial
        ones if no epoch has a lower loss than these.
    """
    scale = None if weight is None else weight / weight.mean()
    seed = int(torch.randint(2**31 - 1, (1,), generator=generator, device=generator.device))
    with (
        seeded_layers(network, seed),
        Threads(allowed=takes_threads(network)) as threads,
        progress_task("training of a network") as task,
    ):
        network.train()
        sizes = rows_per_piece(network, X), rows_to_share(network, X)
        backward = Backward(network, loss, recipe.precision, *sizes, threads, scale)
        return _train(
            network, X, backward, recipe, generator, augment, should_stop, elapsed, on_epoch, largest_rise, task
        )


def _train(
    network: nn.Module,
    X: torch.Tensor,
    backward: Backward,
    recipe: Recipe,
    generator: torch.Generator,
    augment: Augmentation | None,
    should_stop: Callable[[], bool] | None,
    elapsed: Callable[[], float] | None,
    on_epoch: Callable[[int, float], Any] | None,
    largest_rise: float,
    task: Task,
) -> int:
    """Run the epochs of `train_network`, and return their number."""
    optimizer = recipe.make_optimizer(network)
    progress = Progress(elapsed)
    best = _BestState(network)
    for epoch in range(1, recipe.epochs + 1):
        total, n_rows, stop = 0.0, 0, False
        best.remember(epoch - 1)
        batches = _batches(len(X), recipe.batch_size, generator, X.device)
        for step, rows in enumerate(batches, start=(epoch - 1) * len(batches)):
            # 1. Set the learning rate.
            rate = recipe.lr * recipe.rate(progress((step + 0.5) / (recipe.epochs * len(batches))))
            for group in optimizer.param_groups:
                group["lr"] = rate
            # 2. Augment the batch, compute its gradients, and update the weights.
            batch = X[rows]
            if augment is not None:
                batch = augment(batch, augment.draw(len(batch), generator))
            batch_loss = backward(batch, rows)
            if not math.isfinite(batch_loss):
                best.note(total, n_rows)
                raise best.diverged(f"the loss is {batch_loss} in step {step + 1} (epoch {epoch})")
            best.note_first(batch_loss, 1.0 if backward.scale is None else float(backward.scale[rows].mean()))
            optimizer.step()
            total += batch_loss * len(rows)
            n_rows += len(rows)
            time_share = None if elapsed is None else elapsed()
            task.update(step + 1, recipe.epochs * len(batches), time_share=time_share, loss=batch_loss)
            stop = should_stop is not None and should_stop()
            if stop:
                break
        # 3. Finish the epoch.
        best.note(total, n_rows)
        if on_epoch is not None:
            on_epoch(epoch, total / n_rows)
        if stop:
            break
    # 4. A loss that has risen far above that of the initial weights is as bad as an infinite one.
    best.check_rise(total / n_rows, largest_rise, epoch)
    # 5. No loss follows the last step, so check the weights and outputs that it leads to.
    if not best.is_finite(batch):
        raise best.diverged(f"weights or outputs are not finite after step {step + 1} (epoch {epoch})")
    return epoch


class _BestState:
    """Copy of the weights at the start of the epoch with the lowest loss, to restore on failure."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.loss = math.inf
        self.first_loss: float | None = None

    def remember(self, epoch: int) -> None:
        """Copy the current weights, which result from `epoch` epochs."""
        self.current = epoch, {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        if epoch == 0:
            self.initial = self.best = self.current

    def note(self, total: float, n_rows: int) -> None:
        """Make the last copy the best one if the epoch that began there has the lowest loss."""
        if n_rows and total / n_rows < self.loss:
            self.loss, self.best = total / n_rows, self.current

    def note_first(self, batch_loss: float, mean_weight: float) -> None:
        """Keep the loss of the first batch, which the initial weights have, without its weights."""
        if self.first_loss is None:
            self.first_loss = batch_loss / mean_weight if mean_weight > 0 else math.inf

    def check_rise(self, last_loss: float, largest_rise: float, epoch: int) -> None:
        """Raise an error if the last loss is far above the first one."""
        first_loss = math.inf if self.first_loss is None else self.first_loss
        if last_loss > largest_rise * first_loss:
            if self.loss > first_loss:
                self.best = self.initial
            raise self.diverged(f"the loss rose from {first_loss:.3g} to {last_loss:.3g} (epoch {epoch})")

    def diverged(self, message: str) -> DivergedError:
        """Restore the best weights, and return the error to raise."""
        epoch, state = self.best
        self.network.load_state_dict(state)
        return DivergedError(message, epoch)

    @torch.no_grad()
    def is_finite(self, batch: torch.Tensor) -> bool:
        """Tell whether the weights, and the outputs for a batch, are finite."""
        if not all(torch.isfinite(weight).all() for weight in self.network.parameters()):
            return False
        with evaluating(self.network):
            return bool(torch.isfinite(self.network(batch)).all())


def _batches(n_rows: int, size: int, generator: torch.Generator, device: torch.device) -> list[torch.Tensor]:
    """Divide the rows into random batches.

    A single last row joins the batch before, because batch normalization needs at least two rows.
    """
    order = torch.randperm(n_rows, generator=generator, device=generator.device).to(device)
    parts = list(torch.split(order, size))
    if len(parts) > 1 and len(parts[-1]) == 1 < size:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def _evaluated(
    function: Callable[[torch.Tensor], torch.Tensor],
    network: nn.Module,
    X: torch.Tensor,
    batch_size: int,
    precision: str,
) -> torch.Tensor:
    """Apply a function of a network to rows in evaluation mode, and return float32 outputs."""

    def mapped(batch: torch.Tensor) -> torch.Tensor:
        with mixed_precision(X.device, precision):
            return function(batch).float()

    with evaluating(network), Threads(allowed=takes_threads(network)) as threads:
        # Detach the rows instead of using inference mode, whose tensors cannot be targets of a
        # loss.
        return map_rows(mapped, network, X.detach(), threads, most=batch_size)


def predict_rows(
    network: nn.Module, X: torch.Tensor, *, batch_size: int = 512, precision: str = "float32"
) -> torch.Tensor:
    """Compute the outputs of a network in evaluation mode.

    Parameters
    ----------
    network : Module
    X : tensor of shape (n, ...)
    batch_size : int, default=512
        Largest number of rows at a time.
    precision : {"auto", "float32", "bfloat16"}, default="float32"

    Returns
    -------
    tensor of shape (n, n_outputs), float32
    """
    return _evaluated(network, network, X, batch_size, precision)


def embed_rows(
    network: nn.Module, X: torch.Tensor, *, batch_size: int = 512, precision: str = "float32"
) -> torch.Tensor:
    """Compute the features before the last layer in evaluation mode, by the network's ``embed``.

    Parameters
    ----------
    network : Module
        A network with a method ``embed``.
    X : tensor of shape (n, ...)
    batch_size : int, default=512
        Largest number of rows at a time.
    precision : {"auto", "float32", "bfloat16"}, default="float32"

    Returns
    -------
    tensor of shape (n, d), float32
    """
    return _evaluated(network.embed, network, X, batch_size, precision)  # type: ignore[arg-type]
