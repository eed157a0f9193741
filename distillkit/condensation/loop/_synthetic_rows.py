"""The synthetic rows under optimization, with their targets and their optimizer."""

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
    """An additional leaf tensor to learn with the rows, such as the logarithm of a learning rate.

    Parameters
    ----------
    value : tensor
        Initial value.
    lr : float
        Step size of the optimizer.
    limits : tuple of float, or None
        Lowest and highest value.
    shortened : bool
        Whether `clip_rms` limits its gradient as it limits that of the rows.
    """

    value: torch.Tensor
    lr: float
    limits: tuple[float, float] | None = None
    shortened: bool = True


class Snapshot(NamedTuple):
    """Copies of the synthetic rows and of everything that was learned with them.

    Parameters
    ----------
    X : tensor of shape (m, ...)
        Rows in the units of the network.
    targets : tensor of shape (m,) or (m, k)
    extra : tensor or None
        The additional leaf, if there is one.
    stored : tensor of shape (m, ...) or None
        The downscaled rows that X is interpolated from, if there are any.
    """

    X: torch.Tensor
    targets: torch.Tensor
    extra: torch.Tensor | None = None
    stored: torch.Tensor | None = None

    def parts(self) -> dict[str, torch.Tensor]:
        """Return the parts that are not None, by name."""
        return {name: part for name, part in self._asdict().items() if part is not None}


class SyntheticRows:
    """Rows and targets of all groups, in the units of the network, with their optimizer.

    Parameters
    ----------
    parts : sequence of Batch
        First rows and targets of each group.
    lr, momentum : float
        Step size and momentum of the optimizer; `momentum` applies to "sgd" only.
    target_lr : float or None
        Step size of continuous targets or of label logits; None does not learn them.
    limits : tuple of two tensors, or None
        Lowest and highest values that rows may take.
    clip_rms : float or None
        Largest root mean square of the gradient of one row; larger gradients are scaled down to it.
    average : float
        Decay, in [0, 1), of the exponential moving average of the rows that `snapshot` returns;
        with 0, it returns the current rows.
    normalize : bool
        Whether to divide gradients by the running root mean square of all their numbers. There is
        one divisor per leaf, so that directions do not change. Steps then do not depend on the
        scale of the loss: a step is about `lr` standard deviations long.
    extra : Extra or None
    optimizer : {"sgd", "adam"}
    downscaling : Downscaling or None
        If set, the leaf consists of downscaled rows, to which the first rows are converted.

    Attributes
    ----------
    sizes : list of int
        Number of rows in each group.
    targets : tensor of shape (m,) or (m, k)
    leaves : list of tensors
        Tensors to optimize: the (downscaled) rows, then learned targets, then the extra leaf.
    """

    # weight of the newest gradient in the running mean square
    _NEW_WEIGHT = 0.1

    def __init__(
        self,
        parts: Sequence[Batch],
        *,
        lr: float,
        momentum: float = 0.0,
        target_lr: float | None = None,
        limits: tuple[torch.Tensor, torch.Tensor] | None = None,
        clip_rms: float | None = None,
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
            # Noise and downscaled rows may start outside the limits.
            with torch.no_grad():
                self._stored.clamp_(*self._limits)
        self._clip_rms, self._average = clip_rms, average
        self._squares = torch.zeros(len(self.leaves)) if normalize else None
        self._means = [leaf.detach().clone() for leaf in self.leaves]
        self._updates = 0

    @property
    def X(self) -> torch.Tensor:  # noqa: N802 (rows are called X throughout the package)
        """The rows of all groups (m, ...), differentiable in the leaf."""
        return self._full_size(self._stored)

    def _full_size(self, stored: torch.Tensor) -> torch.Tensor:
        return stored if self._downscaling is None else self._downscaling.decode(stored)

    def pull_back(self, row_gradient: torch.Tensor) -> torch.Tensor:
        """Return the gradient with respect to the leaf, from that with respect to the rows."""
        if self._downscaling is None:
            return row_gradient
        return torch.autograd.grad(self.X, self._stored, row_gradient)[0]

    def batches(self) -> list[Batch]:
        """Return the rows and targets of each group, differentiable in the leaves."""
        # Each group is interpolated separately, so that the backward pass of one group does not
        # free the graph of another.
        parts = map(self._full_size, torch.split(self._stored, self.sizes))
        return list(zip(parts, torch.split(self.targets, self.sizes), strict=True))

    def update(self, gradients: Sequence[torch.Tensor], share: float = 1.0) -> bool:
        """Take one optimizer step; return whether the leaves and their squares are finite after it.

        Parameters
        ----------
        gradients : sequence of tensors
            One for each leaf.
        share : float, default=1.0
            Factor by which all step sizes are multiplied, for schedules.
        """
        # 1. Set the step sizes of this update.
        self._updates += 1
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = share * rate
        # 2. Normalize the gradients, limit their norms, and step.
        unlimited = None if self._extra is None or self._extra.shortened else self.leaves[-1]
        for leaf, gradient in zip(self.leaves, self._normalized(gradients), strict=True):
            limit = None if leaf is unlimited else self._clip_rms
            leaf.grad = gradient if limit is None else _clipped_by_row(gradient, limit)
        self._optimizer.step()
        # 3. Keep the leaves within their limits, and update their moving averages.
        with torch.no_grad():
            if self._limits is not None:
                self._stored.clamp_(*self._limits)
            if self._extra is not None and self._extra.limits is not None:
                self.leaves[-1].clamp_(*self._extra.limits)
            # The decay starts low, so that the first rows soon lose their weight in the average.
            decay = min(self._average, self._updates / (10 + self._updates))
            for mean, leaf in zip(self._means, self.leaves, strict=True):
                mean.lerp_(leaf, 1 - decay)
        # Norms and losses square the rows. Numbers whose squares overflow thus count as infinite.
        return all(bool(torch.isfinite(leaf.square().sum())) for leaf in self.leaves)

    def _normalized(self, gradients: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        if self._squares is None:
            return gradients
        squares = torch.stack([gradient.square().mean().cpu() for gradient in gradients])
        self._squares = torch.lerp(self._squares, squares.to(self._squares), self._NEW_WEIGHT)
        # The running mean starts at zero; division by its total weight corrects this, as in Adam.
        scales = (self._squares / (1 - (1 - self._NEW_WEIGHT) ** self._updates)).sqrt().clamp_min(1e-30).tolist()
        return [gradient / scale for gradient, scale in zip(gradients, scales, strict=True)]

    def snapshot(self) -> Snapshot:
        """Return copies of the averaged rows and targets, and of the current extra leaf."""
        targets = self._means[1] if self._learns_targets else self.targets
        extra = None if self._extra is None else self.leaves[-1].detach().clone()
        mean = self._means[0].clone()
        if self._downscaling is None:
            return Snapshot(mean, targets.detach().clone(), extra)
        return Snapshot(self._downscaling.decode(mean), targets.detach().clone(), extra, mean)

    def state(self) -> dict[str, torch.Tensor]:
        """Return copies of all tensors that the next update depends on."""
        parts = {"targets": self.targets, "updates": torch.tensor(self._updates)}
        if self._squares is not None:
            parts["squares"] = self._squares
        for number, (leaf, mean) in enumerate(zip(self.leaves, self._means, strict=True)):
            parts |= {f"leaf.{number}": leaf, f"mean.{number}": mean}
            parts |= optimizer_state(self._optimizer, leaf, f"optimizer.{number}.")
        return {name: part.detach().cpu().clone() for name, part in parts.items()}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Continue from the tensors that `state` returned."""
        self._updates = int(state["updates"])
        self._squares = state.get("squares")
        with torch.no_grad():
            self.targets.copy_(state["targets"])
            for number, (leaf, mean) in enumerate(zip(self.leaves, self._means, strict=True)):
                leaf.copy_(state[f"leaf.{number}"])
                mean.copy_(state[f"mean.{number}"])
                restore_optimizer(self._optimizer, leaf, f"optimizer.{number}.", state)


_OPTIMIZER_PARTS = {torch.optim.Adam: {"step", "exp_avg", "exp_avg_sq"}, torch.optim.SGD: {"momentum_buffer"}}
"""Names of the tensors in the state of an optimizer."""


def optimizer_state(optimizer: torch.optim.Optimizer, leaf: torch.Tensor, prefix: str) -> dict[str, torch.Tensor]:
    """Return an optimizer's state of a leaf (moments, steps), with a prefix before each name."""
    leaf_state = optimizer.state.get(leaf, {})
    return {f"{prefix}{name}": part for name, part in leaf_state.items() if isinstance(part, torch.Tensor)}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, leaf: torch.Tensor, prefix: str, state: Mapping[str, torch.Tensor]
) -> None:
    """Set an optimizer's state of a leaf to what `optimizer_state` returned.

    Raises
    ------
    ValueError
        If parts are missing or have another shape, because the state is that of a damaged file.
    """
    names = {key.removeprefix(prefix) for key in state if key.startswith(prefix)}
    if names and names != _OPTIMIZER_PARTS.get(type(optimizer), names):
        raise ValueError(f"{prefix}* has the parts {', '.join(sorted(names))}")
    for key, part in state.items():
        if key.startswith(prefix):
            name = key.removeprefix(prefix)
            shape, dtype = ((), part.dtype) if name == "step" else (leaf.shape, leaf.dtype)
            if part.shape != shape or part.dtype != dtype:
                raise ValueError(f"{key} is of shape {tuple(part.shape)} and type {part.dtype}")
            # The optimizer expects its step count on the CPU.
            optimizer.state[leaf][name] = (part if name == "step" else part.to(leaf.device)).clone()


def _clipped_by_row(gradient: torch.Tensor, limit: float) -> torch.Tensor:
    """Scale the gradient of each row down to a root mean square of at most `limit`."""
    flat = gradient.reshape(len(gradient), -1)
    root_mean_square = flat.square().mean(dim=1, keepdim=True).sqrt()
    return (flat * (limit / root_mean_square.clamp_min(limit))).reshape(gradient.shape)
