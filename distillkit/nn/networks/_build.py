"""Construction of a network by name for rows of a given shape."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from distillkit.exceptions import DataError
from distillkit.nn.networks._convnet import ConvNet, ConvNet1d
from distillkit.nn.networks._lenet import LeNet
from distillkit.nn.networks._mlp import Mlp
from distillkit.nn.networks._probabilities import refuse_probabilities
from distillkit.nn.networks._resnet import ResNet18
from distillkit.nn.runtime._modes import evaluating
from distillkit.nn.runtime._seeding import DrawsFrom, make_generator, seeded
from distillkit.utils._image_axes import check_image_axes

__all__ = ["NETWORKS", "check_fit", "count_parameters", "make_network", "network_name"]

NETWORKS: dict[str, tuple[type[nn.Module], int | None]] = {
    "mlp": (Mlp, None),
    "convnet": (ConvNet, 3),
    "convnet1d": (ConvNet1d, 2),
    "lenet": (LeNet, 3),
    "resnet18": (ResNet18, 3),
}
"""Class of each named network, and the number of axes of a row that it needs (None: any number)."""


def network_name(name: str, shape: tuple[int, ...]) -> str:
    """Resolve the name of a network for rows of a given shape.

    Parameters
    ----------
    name : str
        A name of `NETWORKS`, or "auto". "auto" selects "mlp" for tables, for images with a side
        below 8 pixels and for series below 8 steps, "convnet1d" for longer series, and "convnet"
        for larger images.
    shape : tuple of int
        Shape of one row.

    Returns
    -------
    str
        A name of `NETWORKS`.

    Raises
    ------
    DataError
        If the name is not known, if the network does not fit the shape, or if the channels of
        images are the last axis.
    """
    if name == "auto" or NETWORKS.get(name, (None, None))[1] == 3:
        check_image_axes(shape)
    if name == "auto":
        if len(shape) == 3:
            return "convnet" if min(shape[1:]) >= 8 else "mlp"
        return {1: "mlp", 2: "convnet1d" if shape[-1] >= 8 else "mlp"}.get(len(shape), "mlp")
    if name not in NETWORKS:
        raise DataError(f"network={name!r} is not known: give 'auto', {', '.join(map(repr, NETWORKS))} or a function.")
    axes = NETWORKS[name][1]
    if axes is not None and axes != len(shape):
        expected = {2: "series (n, channels, time)", 3: "images (n, channels, height, width)"}[axes]
        raise DataError(
            f"network={name!r} takes {expected}, but rows have shape {shape}: "
            "reshape X, or give network='auto' or 'mlp'."
        )
    return name


def make_network(
    network: str | Callable[[tuple[int, ...], int], nn.Module] | nn.Module,
    shape: tuple[int, ...],
    n_outputs: int,
    *,
    seed: int,
    **options: Any,
) -> nn.Module:
    """Create a network with initial weights drawn from a seed.

    Parameters
    ----------
    network : str, callable or Module
        A name of `NETWORKS`, "auto" (see `network_name`), or a function of (shape, n_outputs) that
        returns a module. A module is copied with its current weights.
    shape : tuple of int
        Shape of one row.
    n_outputs : int
        Number of outputs for a row.
    seed : int
        Seed of the initial weights.
    **options
        ``width``, ``depth``, ``growth``, ``norm`` and ``hidden`` of the named networks. Options
        that are None, or that the network does not have, are ignored, so that the same options can
        be passed to all networks.

    Returns
    -------
    Module

    Raises
    ------
    DataError
        If the name is not known, or if the network does not fit the shape; the modules of functions
        and copied modules are tried on two rows of zeros.
    """
    if not isinstance(network, str):
        with seeded(seed):
            module = copy.deepcopy(network) if isinstance(network, nn.Module) else network(shape, n_outputs)
            check_fit(module, shape, n_outputs)
            return module
    name = network_name(network, shape)
    cls = NETWORKS[name][0]
    parameters = inspect.signature(cls).parameters
    arguments = {key: value for key, value in options.items() if value is not None and key in parameters}
    if network == "auto" and name == "convnet" and "depth" not in arguments:
        arguments["depth"] = min(3, min(shape[1:]).bit_length() - 1)  # as many poolings as the images allow
    with DrawsFrom(make_generator(seed)):
        return cls(shape, n_outputs, **arguments)


@torch.no_grad()
def check_fit(network: nn.Module, shape: tuple[int, ...], n_outputs: int) -> None:
    """Check that a network fits the rows, by passing two rows of zeros in evaluation mode.

    Parameters
    ----------
    network : Module
    shape : tuple of int
        Shape of one row.
    n_outputs : int
        Required number of outputs for a row.

    Raises
    ------
    DataError
        If it is not a module, fails for rows of this shape, or returns another number of outputs
        or probabilities in place of logits.
    """
    if not isinstance(network, nn.Module):
        raise DataError(f"network must return a torch.nn.Module, but returned {type(network).__name__}.")
    weight = next(network.parameters(), None)
    device = "cpu" if weight is None else weight.device
    try:
        with evaluating(network):
            outputs = network(torch.zeros(2, *shape, device=device))
    except (RuntimeError, ValueError, IndexError, TypeError) as exc:
        raise DataError(f"network {type(network).__name__} does not take rows of shape {shape}: {exc}") from exc
    if not isinstance(outputs, torch.Tensor) or outputs.shape != (2, n_outputs):
        actual = tuple(outputs.shape[1:]) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise DataError(
            f"network {type(network).__name__} returns {actual} for a row, but {n_outputs} outputs are needed."
        )
    if n_outputs > 1:
        with evaluating(network):  # Rows of zeros alone would give the biases, which may sum to one by chance.
            rows = torch.linspace(-1, 1, 2 * math.prod(shape), device=device).reshape(2, *shape)
            refuse_probabilities(network, torch.cat([outputs, network(rows)]))


def count_parameters(network: nn.Module) -> int:
    """Return the number of trainable parameters of a network."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
