"""A pool of networks of different ages, which train on the synthetic rows as these change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from distillkit.condensation.loop._synthetic_rows import optimizer_state, restore_optimizer
from distillkit.nn import Backward, RowLoss, Threads, make_generator, rows_per_piece, rows_to_share

__all__ = ["NetworkPool", "PoolMember", "draw_he_weights"]


@dataclass
class PoolMember:
    """One network of a pool.

    Parameters
    ----------
    network : Module
    optimizer : Optimizer
        Optimizer of the weights, which keeps its moments between visits.
    limit : int
        Number of visits after which a fresh network replaces this one.
    age : int, default=0
        Number of visits so far.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    limit: int
    age: int = 0

    def learn(self, rows: torch.Tensor, loss: RowLoss, threads: Threads) -> None:
        """Take one training step on rows, with a loss that is bound to their targets."""
        network = self.network.train()
        sizes = rows_per_piece(network, rows), rows_to_share(network, rows)
        Backward(network, loss, "float32", *sizes, threads)(rows, torch.arange(len(rows), device=rows.device))
        self.optimizer.step()

    def state(self) -> dict[str, torch.Tensor]:
        """Return copies of the weights and of the optimizer's state."""
        parts = {f"network.{name}": part for name, part in self.network.state_dict().items()}
        for number, weight in enumerate(self.network.parameters()):
            parts |= optimizer_state(self.optimizer, weight, f"optimizer.{number}.")
        return {name: part.detach().cpu().clone() for name, part in parts.items()}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Continue from the tensors that `state` returned."""
        prefix = "network."
        self.network.load_state_dict(
            {name.removeprefix(prefix): part for name, part in state.items() if name.startswith(prefix)}
        )
        for number, weight in enumerate(self.network.parameters()):
            restore_optimizer(self.optimizer, weight, f"optimizer.{number}.", state)


class NetworkPool:
    """Networks whose features serve kernel matching, from untrained ones to well-trained ones.

    A network is replaced by a fresh one when it has trained for `max_age` visits. The first
    networks are replaced at ages from ``max_age / size`` to `max_age`, so that the ages differ.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network.
    next_seed : callable
        Returns the seed of the next network.
    size, max_age : int
        Number of networks, and number of visits after which a network is replaced.
    lr : float
        Learning rate of Adam.

    References
    ----------
    Zhou, Nezhadarya and Ba, "Dataset distillation using neural feature regression", NeurIPS 2022.
    """

    def __init__(
        self,
        make_network: Callable[[int], nn.Module],
        next_seed: Callable[[], int],
        *,
        size: int,
        max_age: int,
        lr: float,
    ) -> None:
        self._make, self._next_seed, self._max_age, self._lr = make_network, next_seed, max_age, lr
        self._members = [self._fresh(-(-max_age * (place + 1) // size)) for place in range(size)]
        self._copies: dict[int, dict[str, torch.Tensor]] = {}

    def _fresh(self, limit: int) -> PoolMember:
        network = self._make(self._next_seed())
        return PoolMember(network, torch.optim.Adam(network.parameters(), self._lr), limit)

    def visit(self, rng: np.random.Generator) -> PoolMember:
        """Pick a random network; one that has reached its age limit is replaced first."""
        place = int(rng.integers(len(self._members)))
        if self._members[place].age >= self._members[place].limit:
            self._members[place] = self._fresh(self._max_age)
        self._members[place].age += 1
        self._copies.pop(place, None)
        return self._members[place]

    def state(self) -> tuple[dict[str, torch.Tensor], list[dict[str, int]]]:
        """Return copies of all networks with their optimizers, and their ages.

        Copies of networks that were not visited since the last call are reused.
        """
        for place, member in enumerate(self._members):
            if place not in self._copies:
                self._copies[place] = member.state()
        tensors = {f"{place}.{name}": part for place, copy in self._copies.items() for name, part in copy.items()}
        return tensors, [{"limit": member.limit, "age": member.age} for member in self._members]

    def restore(self, tensors: Mapping[str, torch.Tensor], ages: Sequence[Mapping[str, Any]]) -> None:
        """Continue from the tensors and the ages that `state` returned."""
        for place, (member, counts) in enumerate(zip(self._members, ages, strict=True)):
            prefix = f"{place}."
            member.restore(
                {name.removeprefix(prefix): part for name, part in tensors.items() if name.startswith(prefix)}
            )
            member.limit, member.age = int(counts["limit"]), int(counts["age"])
        self._copies = {}


def draw_he_weights(network: nn.Module, seed: int) -> nn.Module:
    """Draw all weights from He's normal distribution and set biases to zero, in place.

    The default initialization of torch shrinks the signal by a factor of about 2.4 per layer, while
    the size of the biases stays constant. Without normalization, the features of a deep network are
    then nearly equal for all rows.
    """
    generator = make_generator(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
    return network
