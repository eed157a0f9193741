"""The networks of a condenser: functions from a seed to a fresh network that fits the problem."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import nn

from distillkit.condensation.problem._defaults import default_depth
from distillkit.exceptions import DataError
from distillkit.nn import make_network, with_fast_pools

if TYPE_CHECKING:
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["network_maker", "refuse_batch_norm"]

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)

_Check = Callable[[nn.Module, int], nn.Module]


def network_maker(
    network: Any,
    problem: CondensationProblem,
    n_outputs: int | None = None,
    *,
    check: _Check | None = None,
    depth: int | None = None,
    **options: Any,
) -> Callable[[int], nn.Module]:
    """Return a function from a seed to a fresh network on the device of a problem.

    Parameters
    ----------
    network : str, callable or Module
        See `distillkit.nn.make_network`.
    problem : CondensationProblem
    n_outputs : int or None, default=None
        None takes the outputs of the task.
    check : callable or None, default=None
        Maps a network and its seed to the network to use, or refuses it. None refuses batch norm.
    depth : int or None, default=None
        Blocks of a ConvNet; None takes `default_depth`.
    **options
        Further parameters of the network.
    """
    options["depth"] = depth or default_depth(network, problem.shape)
    check = check or functools.partial(refuse_batch_norm, network)
    return functools.partial(_make, network, problem, n_outputs or problem.n_outputs, check, options)


def refuse_batch_norm(name: Any, network: nn.Module, seed: int) -> nn.Module:  # noqa: ARG001 (other checks draw weights)
    """Return a network without batch norm.

    Raises
    ------
    DataError
        If it has batch norm.
    """
    if any(isinstance(module, _BATCH_NORMS) for module in network.modules()):
        raise DataError(
            f"network={name!r} has batch norm, through which the gradient of one class depends on which other rows "
            "are in the batch, and whose running averages no gradient reaches: give a network with instance, group "
            "or layer norm, or none."
        )
    return network


def _make(
    network: Any, problem: CondensationProblem, n_outputs: int, check: _Check, options: dict[str, Any], seed: int
) -> nn.Module:
    fresh = make_network(network, problem.shape, n_outputs, seed=seed, **options).to(problem.device)
    return with_fast_pools(check(fresh, seed))
