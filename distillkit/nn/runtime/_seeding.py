"""Random numbers from seeds of the caller, independent of torch's global state and of the clock."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["DrawsFrom", "draws_random_numbers", "make_generator", "seeded", "seeded_layers", "seeded_or_not"]

# Classes of torch and torchvision whose forward pass draws no random numbers.
_DETERMINISTIC = frozenset(
    {
        *(nn.Sequential, nn.ModuleList, nn.Identity, nn.Flatten, nn.Unflatten, nn.Linear, nn.Bilinear, nn.Embedding),
        *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
        *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm),
        *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d, nn.LocalResponseNorm),
        *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus),
        *(nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Softmax, nn.LogSoftmax),
        *(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d),
        *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d),
        *(nn.ZeroPad1d, nn.ZeroPad2d, nn.ReflectionPad1d, nn.ReflectionPad2d, nn.Upsample, nn.PixelShuffle),
    }
)
_DETERMINISTIC_MODULES = ("distillkit.nn.", "torchvision.models.resnet")

# Held while the global generators have a seed of distillkit, so that two threads cannot mix draws.
_global_generators = threading.RLock()


def _renew_lock() -> None:
    """Replace the lock in a forked process, whose parent may have held it in another thread."""
    global _global_generators  # noqa: PLW0603
    _global_generators = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class DrawsFrom(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Context in which this thread's operations of torch draw random numbers from one generator.

    Layers draw their initial weights from torch's global generator and accept no other. Inside the
    context, each random operation without a generator is given this one. The numbers are those that
    the global generator would give with the same seed. The global generator is neither read nor
    changed, and other threads are not affected.

    Every operation inside the context passes through Python, so that it suits the construction of
    networks better than their training.

    Parameters
    ----------
    generator : Generator
    """

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.generator = generator

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation, with the generator if it is random."""
        options = kwargs or {}
        if torch.Tag.nondeterministic_seeded in func.tags and options.get("generator") is None:
            # The packet selects the overload of the operation that takes a generator.
            return func.overloadpacket(*args, **{**options, "generator": self.generator})
        return func(*args, **options)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generators inside the context, and restore their state afterwards.

    This is for code that draws from the global generators and accepts no others, such as functions
    of the user that build networks, and dropout. Threads of distillkit take turns in such contexts,
    so that each of them gets the numbers of its own seed. A thread of the user that draws from the
    global generators while the context is open takes numbers away from it, and gets numbers that
    follow from its seed; nothing in torch can prevent this.

    Parameters
    ----------
    seed : int
    """
    on_gpu = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = range(torch.cuda.device_count()) if on_gpu else []
    with _global_generators, torch.random.fork_rng(devices=devices):
        # Without GPUs in use, seed only the CPU: torch.manual_seed would also store the seed for
        # GPUs that are first used after the context.
        (torch.manual_seed if on_gpu else torch.default_generator.manual_seed)(seed)
        yield


def seeded_or_not(seed: int | None) -> AbstractContextManager[None]:
    """Return the context `seeded`, or an empty one without a seed."""
    return nullcontext() if seed is None else seeded(seed)


def seeded_layers(network: nn.Module, seed: int) -> AbstractContextManager[None]:
    """Return the context `seeded` for a network that may draw random numbers, else an empty one.

    Parameters
    ----------
    network : Module
    seed : int

    Returns
    -------
    context manager
    """
    return seeded(seed) if draws_random_numbers(network) else nullcontext()


def draws_random_numbers(network: nn.Module) -> bool:
    """Tell whether the forward pass of a network may draw random numbers, as dropout does.

    Networks of distillkit, and sequences of torch's deterministic layers, do not. For all other
    classes, the answer is yes, because their code cannot be known.

    Parameters
    ----------
    network : Module

    Returns
    -------
    bool
    """
    return not all(
        type(module) in _DETERMINISTIC or type(module).__module__.startswith(_DETERMINISTIC_MODULES)
        for module in network.modules()
    )


def make_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Create a random number generator with a seed.

    Parameters
    ----------
    seed : int
    device : torch.device or str, default="cpu"

    Returns
    -------
    torch.Generator
    """
    return torch.Generator(device=device).manual_seed(seed)
