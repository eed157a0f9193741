"""How a network is trained: optimizer, rate and schedule as data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from distillkit.exceptions import DataError

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    epochs : int
    batch_size : int
    optimizer : {"sgd", "adam", "adamw"}
    lr, momentum, weight_decay : float
        `momentum` serves "sgd" only.
    schedule : {"constant", "step", "cosine", "onecycle"}
        "step" divides the rate by ten after half of the training; "onecycle" rises over the first fifth and falls to
        zero. Rates change from step to step, so that one epoch alone is a whole schedule too.
    precision : {"auto", "float32", "bfloat16"}
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
        """Return the optimizer over a network's weights.

        Raises
        ------
        DataError
            If the optimizer is not known.
        """
        weights = network.parameters()
        if self.optimizer == "sgd":
            return torch.optim.SGD(weights, self.lr, self.momentum, weight_decay=self.weight_decay)
        if self.optimizer in ("adam", "adamw"):
            cls = torch.optim.Adam if self.optimizer == "adam" else torch.optim.AdamW
            return cls(weights, self.lr, weight_decay=self.weight_decay)
        raise DataError(f"optimizer={self.optimizer!r} is not known: give 'sgd', 'adam' or 'adamw'.")

    def rate(self, progress: float) -> float:
        """Factor of the learning rate after a share `progress` in (0, 1) of the training.

        Raises
        ------
        DataError
            If the schedule is not known.
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
