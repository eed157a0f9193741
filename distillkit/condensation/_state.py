"""The synthetic rows while they are optimised, and the watch that keeps the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch

from distillkit.condensation._problem import Batch

__all__ = ["Measured", "SyntheticRows", "Watch"]


class Measured(Protocol):
    """What one update has measured."""

    @property
    def figures(self) -> dict[str, float]:
        """Numbers by name, "loss" among them, for the history."""


class SyntheticRows:
    """Rows and targets of all groups, in the units of the network, with their optimiser.

    Parameters
    ----------
    parts : sequence of Batch
        First rows and targets of each group.
    lr, momentum : float
        Of the optimiser; `momentum` serves "sgd" only.
    target_lr : float or None
        Rate at which continuous targets (or labels as floats) are learned; None leaves them alone.
    limits : tuple of two tensors, or None
        Lowest and highest values that rows may take.
    max_norm : float or None
        Largest root mean square of the gradient of one row; longer gradients are scaled down to it.
    average : float
        Decay of the running mean of the rows over the updates, in [0, 1); 0 is the rows themselves.
    optimizer : {"sgd", "adam"}
    """

    def __init__(
        self,
        parts: Sequence[Batch],
        *,
        lr: float,
        momentum: float = 0.0,
        target_lr: float | None = None,
        limits: tuple[torch.Tensor, torch.Tensor] | None = None,
        max_norm: float | None = None,
        average: float = 0.0,
        optimizer: str = "sgd",
    ) -> None:
        self.sizes = [len(rows) for rows, _ in parts]
        self.X = torch.cat([rows for rows, _ in parts]).clone().requires_grad_()
        self.targets = torch.cat([targets for _, targets in parts]).clone()
        self.leaves = [self.X]
        groups = [{"params": [self.X], "lr": lr}]
        if target_lr is not None:
            self.leaves.append(self.targets.requires_grad_())
            groups.append({"params": [self.targets], "lr": target_lr})
        self._optimizer: torch.optim.Optimizer = (
            torch.optim.Adam(groups, lr) if optimizer == "adam" else torch.optim.SGD(groups, lr, momentum)
        )
        self._limits, self._max_norm, self._average = limits, max_norm, average
        self._means = [leaf.detach().clone() for leaf in self.leaves]
        self._updates = 0

    def batches(self) -> list[Batch]:
        """Rows and targets of each group, from which gradients flow to the leaves."""
        return list(zip(torch.split(self.X, self.sizes), torch.split(self.targets, self.sizes), strict=True))

    def update(self, gradients: Sequence[torch.Tensor]) -> bool:
        """Take one step; return whether the rows and their squares are finite after it."""
        for leaf, gradient in zip(self.leaves, gradients, strict=True):
            leaf.grad = gradient if self._max_norm is None else _shortened(gradient, self._max_norm)
        self._optimizer.step()
        with torch.no_grad():
            if self._limits is not None:
                self.X.clamp_(*self._limits)
            self._updates += 1
            # the decay starts low, so that the first rows are soon forgotten
            decay = min(self._average, self._updates / (10 + self._updates))
            for mean, leaf in zip(self._means, self.leaves, strict=True):
                mean.lerp_(leaf, 1 - decay)
        # norms and losses square them, so that numbers whose squares overflow are as good as infinite
        return all(bool(torch.isfinite(leaf.square().sum())) for leaf in self.leaves)

    def snapshot(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Copies of the rows and the targets (their running means, with `average`)."""
        targets = self._means[1] if len(self.leaves) > 1 else self.targets
        return self._means[0].clone(), targets.detach().clone()


def _shortened(gradient: torch.Tensor, limit: float) -> torch.Tensor:
    """Scale the gradient of each row down to a root mean square of at most `limit`."""
    flat = gradient.reshape(len(gradient), -1)
    length = flat.square().mean(dim=1, keepdim=True).sqrt()
    return (flat * (limit / length.clamp_min(limit))).reshape(gradient.shape)


@dataclass
class Watch:
    """Keeps the newest rows whose smoothed loss is as good as the lowest, and tells when it has stopped falling.

    The loss depends on the network drawn, so single values do not compare: it is averaged over blocks of updates, and those are
    smoothed with weights that halve every three blocks.

    Parameters
    ----------
    every : int
        Updates in a block.
    tol : float
        Smallest relative fall that counts as one.
    patience : int or None
        Updates without one after which the rows have converged; None never.
    """

    every: int
    tol: float
    patience: int | None
    smoothed: float = float("inf")
    lowest: float = float("inf")
    waited: int = 0
    _block: list[Measured] = field(default_factory=list)

    _KEEP = 0.8  # of the smoothed loss, at each block
    _AS_GOOD = 1.01  # times the lowest: within its noise, and newer rows have seen more networks

    def add(self, measured: Measured) -> bool:
        """Take the figures of one update; return whether a block is full."""
        self._block.append(measured)
        return len(self._block) >= self.every

    def close(self) -> dict[str, float] | None:
        """End the block and return its means, for the history; None where it is empty."""
        if not self._block:
            return None
        block, self._block = [measured.figures for measured in self._block], []
        means = {name: sum(figures[name] for figures in block) / len(block) for name in block[0]}
        loss = means["loss"]
        first = self.smoothed == float("inf")
        self.smoothed = loss if first else self._KEEP * self.smoothed + (1 - self._KEEP) * loss
        fell = self.smoothed < self.lowest * (1 - self.tol) or first
        self.waited = 0 if fell else self.waited + len(block)
        if fell:
            self.lowest = self.smoothed
        return means

    @property
    def as_good(self) -> bool:
        """Whether the rows of now are to be kept."""
        return self.smoothed <= self.lowest * self._AS_GOOD

    @property
    def converged(self) -> bool:
        """Whether patience is at its end."""
        return self.patience is not None and self.waited >= self.patience
