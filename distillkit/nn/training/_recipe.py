"""Training recipe of a network: optimizer, learning rate and schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from distillkit.exceptions import DataError

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of the training of a network.

    Parameters
    ----------
    epochs : int, default=100
        Number of passes over the rows.
    batch_size : int, default=256
        Number of rows per step.
    optimizer : {"sgd", "adam", "adamw"}, default="sgd"
    lr : float, default=0.01
        Largest learning rate of the schedule.
    momentum : float, default=0.9
        Momentum of "sgd"; other optimizers ignore it.
    weight_decay : float, default=5e-4
    schedule : {"constant", "step", "cosine", "onecycle"}, default="step"
        Course of the learning rate: "step" divides it by ten after half of the training, "cosine"
        lowers it to zero along half a cosine, and "onecycle" raises it linearly during the first
        fifth of the training and lowers it linearly to zero afterwards. The rate changes from step
        to step, so even a single epoch runs through the whole schedule.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Precision of the forward passes; "auto" is bfloat16 if the device has instructions for it.
    """

    epochs: int = 100
    batch_size: int = 256
    optimizer: str = "sgd"
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: str = "step"
    precision: str = "auto"

    def make_optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """Create the optimizer for the weights of a network.

        Parameters
        ----------
        network : Module

        Returns
        -------
        Optimizer

        Raises
        ------
        DataError
            If the name of the optimizer is not known.
        """
        weights = network.parameters()
        if self.optimizer == "sgd":
            return torch.optim.SGD(weights, self.lr, self.momentum, weight_decay=self.weight_decay)
        if self.optimizer in ("adam", "adamw"):
            cls = torch.optim.Adam if self.optimizer == "adam" else torch.optim.AdamW
            return cls(weights, self.lr, weight_decay=self.weight_decay)
        raise DataError(f"optimizer={self.optimizer!r} is not known: give 'sgd', 'adam' or 'adamw'.")

    def rate(self, progress: float) -> float:
        """Return the factor of the learning rate at a point of the training.

        Parameters
        ----------
        progress : float
            Share of the training that is complete, in (0, 1).

        Returns
        -------
        float
            A factor in [0, 1].

        Raises
        ------
        DataError
            If the name of the schedule is not known.
        """
        if self.schedule == "constant":
            return 1.0
        if self.schedule == "step":
            return 1.0 if progress <= 0.5 else 0.1
        if self.schedule == "cosine":
            return 0.5 * (1 + math.cos(progress * math.pi))
        if self.schedule == "onecycle":
            return progress / 0.2 if progress < 0.2 else (1 - progress) / 0.8
        raise DataError(f"schedule={self.schedule!r} is not known: give 'constant', 'step', 'cosine' or 'onecycle'.")
