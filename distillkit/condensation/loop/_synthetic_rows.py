"""The synthetic rows while they are optimized, with their targets and their optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from distillkit.condensation.problem._problem import Batch

if TYPE_CHECKING:
    from distillkit.condensation.problem._downscaling import Downscaling

__all__ = ["Extra", "Snapshot", "SyntheticRows", "optimizer_state", "restore_optimizer"]


@dataclass(frozen=True)
class Extra:
    """One more leaf to learn with the rows: the logarithm of a rate, say.

    Parameters
    ----------
    value : tensor
        To start from.
    lr : float
    limits : tuple of float, or None
        Lowest and highest value.
    shortened : bool
        Whether `max_norm` holds for its gradient, too.
    """

    value: torch.Tensor
    lr: float
    limits: tuple[float, float] | None = None
    shortened: bool = True


class Snapshot(NamedTuple):
    """Copies of the rows (m, ...), their targets (m,) or (m, k), the extra leaf, and the smaller rows they were made from, if any."""

    X: torch.Tensor
    targets: torch.Tensor
    extra: torch.Tensor | None = None
    stored: torch.Tensor | None = None

    def parts(self) -> dict[str, torch.Tensor]:
        """Return what there is, by name."""
        return {name: part for name, part in self._asdict().items() if part is not None}


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
    normalize : bool
        Whether gradients are divided by the running root mean square of all their numbers (one number per leaf, so that directions
        stay), which frees `lr` from the scale of the loss: a step is about `lr` standard deviations.
    extra : Extra or None
    optimizer : {"sgd", "adam"}
    downscaling : Downscaling or None
        Whether the leaf is smaller rows; the rows given are brought to their size.
    """

    _FORGET = 0.1  # of the running mean square, at each update

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
        normalize: bool = False,
        extra: Extra | None = None,
        optimizer: str = "sgd",
        downscaling: Downscaling | None = None,
    ) -> None:
        self.sizes = [len(rows) for rows, _ in parts]
        first = torch.cat([rows for rows, _ in parts]).clone()
        self._downscaling = downscaling
        self._stored = (first if downscaling is None else downscaling.encode(first)).requires_grad_()
        self.targets = torch.cat([targets for _, targets in parts]).clone()
        self.leaves = [self._stored]
        groups: list[dict[str, Any]] = [{"params": [self._stored], "lr": lr}]
        if target_lr is not None:
            self.leaves.append(self.targets.requires_grad_())
            groups.append({"params": [self.targets], "lr": target_lr})
        self._learns_targets = target_lr is not None
        if extra is not None:
            self.leaves.append(extra.value.clone().requires_grad_())
            groups.append({"params": [self.leaves[-1]], "lr": extra.lr})
        self._extra = extra
        self._rates = [group["lr"] for group in groups]
        self._optimizer: torch.optim.Optimizer = (
            torch.optim.Adam(groups, lr) if optimizer == "adam" else torch.optim.SGD(groups, lr, momentum)
        )
        self._limits = limits if limits is None or downscaling is None else downscaling.cut(limits)
        if self._limits is not None:
            with torch.no_grad():  # noise, and smaller rows that come nearest to others, may leave the range
                self._stored.clamp_(*self._limits)
        self._max_norm, self._average = max_norm, average
        self._squares = torch.zeros(len(self.leaves)) if normalize else None
        self._means = [leaf.detach().clone() for leaf in self.leaves]
        self._updates = 0

    @property
    def X(self) -> torch.Tensor:  # noqa: N802 (the name that rows have everywhere)
        """The rows of all groups (m, ...), from which gradients flow to the leaf."""
        return self._whole(self._stored)

    def _whole(self, stored: torch.Tensor) -> torch.Tensor:
        return stored if self._downscaling is None else self._downscaling.decode(stored)

    def pull_back(self, by_rows: torch.Tensor) -> torch.Tensor:
        """Carry a derivative by the rows to the leaf that they are made from."""
        if self._downscaling is None:
            return by_rows
        return torch.autograd.grad(self.X, self._stored, by_rows)[0]

    def batches(self) -> list[Batch]:
        """Rows and targets of each group, from which gradients flow to the leaves."""
        # each group is interpolated by itself, so that the gradients of one do not free the graph of another
        parts = map(self._whole, torch.split(self._stored, self.sizes))
        return list(zip(parts, torch.split(self.targets, self.sizes), strict=True))

    def update(self, gradients: Sequence[torch.Tensor], share: float = 1.0) -> bool:
        """Take one step at a share of the rates; return whether the rows and their squares are finite after it."""
        self._updates += 1
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = share * rate
        held = None if self._extra is None or self._extra.shortened else self.leaves[-1]
        for leaf, gradient in zip(self.leaves, self._normalized(gradients), strict=True):
            limit = None if leaf is held else self._max_norm
            leaf.grad = gradient if limit is None else _shortened(gradient, limit)
        self._optimizer.step()
        with torch.no_grad():
            if self._limits is not None:
                self._stored.clamp_(*self._limits)
            if self._extra is not None and self._extra.limits is not None:
                self.leaves[-1].clamp_(*self._extra.limits)
            # the decay starts low, so that the first rows are soon forgotten
            decay = min(self._average, self._updates / (10 + self._updates))
            for mean, leaf in zip(self._means, self.leaves, strict=True):
                mean.lerp_(leaf, 1 - decay)
        # norms and losses square them, so that numbers whose squares overflow are as good as infinite
        return all(bool(torch.isfinite(leaf.square().sum())) for leaf in self.leaves)

    def _normalized(self, gradients: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        if self._squares is None:
            return gradients
        now = torch.stack([gradient.square().mean().cpu() for gradient in gradients])
        self._squares = torch.lerp(self._squares, now.to(self._squares), self._FORGET)
        lengths = (self._squares / (1 - (1 - self._FORGET) ** self._updates)).sqrt().clamp_min(1e-30).tolist()
        return [gradient / length for gradient, length in zip(gradients, lengths, strict=True)]

    def snapshot(self) -> Snapshot:
        """Copies of the rows and the targets (their running means, with `average`), and of the extra leaf as it is."""
        targets = self._means[1] if self._learns_targets else self.targets
        extra = None if self._extra is None else self.leaves[-1].detach().clone()
        mean = self._means[0].clone()
        if self._downscaling is None:
            return Snapshot(mean, targets.detach().clone(), extra)
        return Snapshot(self._downscaling.decode(mean), targets.detach().clone(), extra, mean)

    def state(self) -> dict[str, torch.Tensor]:
        """Copies of all that the next update depends on."""
        parts = {"targets": self.targets, "updates": torch.tensor(self._updates)}
        if self._squares is not None:
            parts["squares"] = self._squares
        for number, (leaf, mean) in enumerate(zip(self.leaves, self._means, strict=True)):
            parts |= {f"leaf.{number}": leaf, f"mean.{number}": mean}
            parts |= optimizer_state(self._optimizer, leaf, f"optimizer.{number}.")
        return {name: part.detach().cpu().clone() for name, part in parts.items()}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what `state` returned."""
        self._updates = int(state["updates"])
        self._squares = state.get("squares")
        with torch.no_grad():
            self.targets.copy_(state["targets"])
            for number, (leaf, mean) in enumerate(zip(self.leaves, self._means, strict=True)):
                leaf.copy_(state[f"leaf.{number}"])
                mean.copy_(state[f"mean.{number}"])
                restore_optimizer(self._optimizer, leaf, f"optimizer.{number}.", state)


def optimizer_state(optimizer: torch.optim.Optimizer, leaf: torch.Tensor, prefix: str) -> dict[str, torch.Tensor]:
    """What an optimiser remembers of a leaf (moments, steps), by names that start with the prefix."""
    known = optimizer.state.get(leaf, {})
    return {f"{prefix}{name}": part for name, part in known.items() if isinstance(part, torch.Tensor)}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, leaf: torch.Tensor, prefix: str, state: Mapping[str, torch.Tensor]
) -> None:
    """Give an optimiser what `optimizer_state` returned."""
    for key, part in state.items():
        if key.startswith(prefix):
            name = key.removeprefix(prefix)
            # steps are counted on the CPU
            optimizer.state[leaf][name] = (part if name == "step" else part.to(leaf.device)).clone()


def _shortened(gradient: torch.Tensor, limit: float) -> torch.Tensor:
    """Scale the gradient of each row down to a root mean square of at most `limit`."""
    flat = gradient.reshape(len(gradient), -1)
    length = flat.square().mean(dim=1, keepdim=True).sqrt()
    return (flat * (limit / length.clamp_min(limit))).reshape(gradient.shape)
