"""The loop of methods that match groups one by one, which processes can divide among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import nn

from distillkit.condensation.loop._loop import Loop, LoopContext
from distillkit.nn import seeded

__all__ = ["MatchingLoop"]

_MEANS = frozenset({"similarity"})
"""Figures that are means over the groups; all others are sums."""


class MatchingLoop(Loop):
    """One fit of a method whose loss is a sum over the groups.

    Every process draws the same random numbers, makes the same networks and updates all synthetic
    rows; only the losses of its own groups, and their gradients, are computed in it.

    Parameters
    ----------
    context : LoopContext
    batch : int
        Training rows of each group per update.

    Attributes
    ----------
    own : slice
        Groups that this process matches.
    """

    def __init__(self, context: LoopContext, batch: int) -> None:
        super().__init__(context, batch)
        # A synthetic row costs about three times as much as a training row, which is not optimized.
        groups = self.problem.rows.groups
        self._seeds_groups: bool | None = None
        self.own = self.processes.share([3 * group.size + min(batch, len(group.rows)) for group in groups])

    def group_seeds(self, network: nn.Module, kind: Literal["real", "synthetic"]) -> list[int | None]:
        """Return a seed for each own group, for networks that draw random numbers, as dropout does.

        What is drawn for a group thus does not depend on which groups this process has. Networks
        without random numbers need no seeds, and get None.
        """
        own = range(len(self.rows.sizes))[self.own]
        if self._seeds_groups is None:
            self._seeds_groups = self.random_layers and _draws(network, self.rows.X[:1].detach())
        if not self._seeds_groups:
            return [None] * len(own)
        entropy = [self._generator.initial_seed(), self.run.n_iter, ("real", "synthetic").index(kind)]
        return [int(np.random.SeedSequence([*entropy, number]).generate_state(1)[0]) for number in own]

    def summed(
        self, gradients: Sequence[torch.Tensor], figures: Mapping[str, float]
    ) -> tuple[Sequence[torch.Tensor], Mapping[str, float]]:
        """Return the gradients and figures of all groups, from those of the groups of each process.

        The gradient of a group is zero for the rows of all others, so that the sum over the
        processes puts the gradients side by side, without rounding.

        Parameters
        ----------
        gradients : sequence of tensors
            One for each leaf, of the loss of the groups of this process.
        figures : dict of str to float
            Of the groups of this process.
        """
        if not self.processes.is_shared:
            return gradients, figures
        n_groups = len(self.rows.sizes)
        share = len(range(n_groups)[self.own]) / n_groups
        values = [value * share if name in _MEANS else value for name, value in figures.items()]
        totals = self.processes.sum([torch.tensor(values, dtype=torch.float64)])[0].tolist()
        return self.processes.sum(gradients), dict(zip(figures, totals, strict=True))


@torch.no_grad()
def _draws(network: nn.Module, row: torch.Tensor) -> bool:
    """Tell whether a network draws random numbers, by a row that it is given."""
    with seeded(0):
        before = _global_state(row.device)
        network(row)
        return not torch.equal(before, _global_state(row.device))


def _global_state(device: torch.device) -> torch.Tensor:
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return torch.cat(states)
