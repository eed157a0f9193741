"""Notices networks that return probabilities where logits are needed."""

from __future__ import annotations

import torch
from torch import nn

from distillkit.exceptions import DataError

__all__ = ["refuse_probabilities"]

_ROUNDING = 1e-3
"""Largest distance of a sum of probabilities from one, for 16-bit floats as well."""


def refuse_probabilities(network: nn.Module, outputs: torch.Tensor) -> None:
    """Raise an error for a classifier whose outputs are probabilities.

    A loss, or a teacher's temperature, would take their softmax a second time, which flattens them
    without any sign of it. Log-probabilities are logits as well and pass.

    Parameters
    ----------
    network : Module
    outputs : Tensor of shape (n, n_outputs)

    Raises
    ------
    DataError
        If all outputs are between 0 and 1, and each row of at least two sums to one or the last
        layer is a sigmoid.
    """
    if outputs.numel() == 0 or not bool(((outputs >= 0) & (outputs <= 1)).all()):
        return
    layers = [layer for layer in network.modules() if not list(layer.children())]
    sums_to_one = outputs.ndim == 2 and outputs.shape[1] > 1 and bool(((outputs.sum(1) - 1).abs() < _ROUNDING).all())
    if sums_to_one or (layers and isinstance(layers[-1], nn.Sigmoid)):
        raise DataError(
            f"{type(network).__name__} returns probabilities, but logits are needed, since their softmax is taken "
            "later: leave out its last softmax or sigmoid, or put log_softmax in place of softmax."
        )
