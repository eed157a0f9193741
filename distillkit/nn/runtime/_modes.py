"""A context in which a network is in evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["evaluating"]


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and restore the mode of each module afterwards.

    Parameters
    ----------
    network : Module
        Modules that are already in evaluation mode, such as frozen batch normalization, remain so.
    """
    training_modules = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training_modules:
            module.training = True
