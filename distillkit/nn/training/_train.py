"""Training on sets that lie in memory: no DataLoader, explicit generators, a clock."""

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
from distillkit.nn.runtime._seeding import seeded
from distillkit.nn.runtime._threads import Threads, takes_threads
from distillkit.nn.training._backward import Backward
from distillkit.nn.training._losses import RowLoss
from distillkit.nn.training._map_rows import map_rows
from distillkit.nn.training._progress import Progress
from distillkit.nn.training._recipe import Recipe

__all__ = ["DivergedError", "embed_rows", "predict_rows", "train_network"]


class DivergedError(FloatingPointError):
    """A loss, weights or outputs that are not finite.

    Parameters
    ----------
    message : str
        Names the step.
    epoch : int
        The network was left as it was after this epoch; 0 is as it came in.
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
) -> int:
    """Train a network in place.

    Parameters
    ----------
    network : Module
        On the device of X.
    X : tensor of shape (n, ...)
    loss : RowLoss
        Bound to the targets of the same n rows.
    recipe : Recipe
        Step s of S takes the rate of progress ``(s - 1/2) / S``, unless `elapsed` says that time will end first.
    generator : Generator
        Draws the order of the rows, the augmentation, and a seed for layers that are random themselves (dropout);
        torch's global state is left as it was.
    weight : tensor of shape (n,) or None
        Weights of the rows, not all zero; a batch's loss is their weighted mean over the mean weight of all rows.
    augment : Augmentation or None
        Drawn anew for each batch, with numbers of its own for each row.
    should_stop : callable or None
        Asked after every step.
    elapsed : callable or None
        The share of the time that has passed. From half of it on, if the steps left will not fit into the rest, the schedule goes by the
        clock, so that it ends with the time; `should_stop` ends the training.
    on_epoch : callable or None
        Called with the epoch (from 1) and the mean loss of the rows seen in it.

    Returns
    -------
    int
        Epochs done, one that was stopped midway counted.

    Raises
    ------
    DivergedError
        If the loss, the weights or the last outputs are not finite. The message names the step; the network is left as it
        was at the start of the epoch of lowest loss, which is a state that is known to have a finite loss.
    """
    scale = None if weight is None else weight / weight.mean()
    with (
        seeded(int(torch.randint(2**31 - 1, (1,), generator=generator, device=generator.device))),
        Threads(allowed=takes_threads(network)) as threads,
    ):
        network.train()
        sizes = rows_per_piece(network, X), rows_to_share(network, X)
        backward = Backward(network, loss, recipe.precision, *sizes, threads, scale)
        return _train(network, X, backward, recipe, generator, augment, should_stop, elapsed, on_epoch)


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
) -> int:
    optimizer = recipe.make_optimizer(network)
    progress = Progress(elapsed)
    best = _BestState(network)
    for epoch in range(1, recipe.epochs + 1):
        total, seen, stop = 0.0, 0, False
        best.remember(epoch - 1)
        batches = _batches(len(X), recipe.batch_size, generator, X.device)
        for step, rows in enumerate(batches, start=(epoch - 1) * len(batches)):
            rate = recipe.lr * recipe.rate(progress((step + 0.5) / (recipe.epochs * len(batches))))
            for group in optimizer.param_groups:
                group["lr"] = rate
            batch = X[rows]
            if augment is not None:
                batch = augment(batch, augment.draw(len(batch), generator))
            number = backward(batch, rows)
            if not math.isfinite(number):
                best.note(total, seen)
                raise best.diverged(f"the loss is {number} in step {step + 1} (epoch {epoch})")
            optimizer.step()
            total += number * len(rows)
            seen += len(rows)
            stop = should_stop is not None and should_stop()
            if stop:
                break
        best.note(total, seen)
        if on_epoch is not None:
            on_epoch(epoch, total / seen)
        if stop:
            break
    if not best.is_finite(batch):
        raise best.diverged(f"weights or outputs are not finite after step {step + 1} (epoch {epoch})")
    return epoch


class _BestState:
    """A copy of the weights at the start of the epoch of lowest loss, to fall back to."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.loss = math.inf

    def remember(self, epoch: int) -> None:
        """Copy the present weights, which `epoch` epochs have led to."""
        self.now = epoch, {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        if epoch == 0:
            self.best = self.now

    def note(self, total: float, seen: int) -> None:
        """Keep what was remembered if the epoch that started there has the lowest mean loss."""
        if seen and total / seen < self.loss:
            self.loss, self.best = total / seen, self.now

    def diverged(self, message: str) -> DivergedError:
        """Go back to the best weights; return the error to raise."""
        epoch, state = self.best
        self.network.load_state_dict(state)
        return DivergedError(message, epoch)

    @torch.no_grad()
    def is_finite(self, batch: torch.Tensor) -> bool:
        """Whether the weights and the outputs for a batch are finite, after the last step, which no loss follows."""
        if not all(torch.isfinite(weight).all() for weight in self.network.parameters()):
            return False
        with evaluating(self.network):
            return bool(torch.isfinite(self.network(batch)).all())


def _batches(n_rows: int, size: int, generator: torch.Generator, device: torch.device) -> list[torch.Tensor]:
    """Divide the rows at random; a last row alone joins the batch before, since batch norm needs two."""
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
    def mapped(batch: torch.Tensor) -> torch.Tensor:
        with mixed_precision(X.device, precision):
            return function(batch).float()

    with evaluating(network), Threads(allowed=takes_threads(network)) as threads:
        # detached, not in inference_mode: its tensors cannot serve as targets of a loss
        return map_rows(mapped, network, X.detach(), threads, most=batch_size)


def predict_rows(
    network: nn.Module, X: torch.Tensor, *, batch_size: int = 512, precision: str = "float32"
) -> torch.Tensor:
    """Return the outputs (n, n_outputs) in evaluation mode, in blocks of rows."""
    return _evaluated(network, network, X, batch_size, precision)


def embed_rows(
    network: nn.Module, X: torch.Tensor, *, batch_size: int = 512, precision: str = "float32"
) -> torch.Tensor:
    """Return the features before the head (n, d) in evaluation mode, in blocks of rows."""
    return _evaluated(network.embed, network, X, batch_size, precision)  # type: ignore[arg-type]
