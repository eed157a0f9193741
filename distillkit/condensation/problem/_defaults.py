"""Default settings that follow from the budget and from the shape of a row."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from distillkit.nn import can_compile, network_name

if TYPE_CHECKING:
    from distillkit.condensation.problem._problem import CondensationProblem

__all__ = ["classes_in_one_pass", "default_depth", "default_rate", "loop_counts"]

# Rows of a class times channels, up to which one pass of all classes through torch's layers is at
# least as fast as compiled convolutions class by class.
_ONE_PASS = 480

# rows per class: (updates of the rows per network, epochs of the network between two updates)
_PUBLISHED = {1: (1, 1), 10: (10, 50), 50: (50, 10)}


def loop_counts(rows_per_class: float, outer: int | None = None, inner: int | None = None) -> tuple[int, int]:
    """Return the numbers of outer and inner loop iterations for a budget.

    Between the published budgets, both counts are interpolated linearly on a log-log scale.
    Outside their range, the counts of the nearest published budget are used.

    Parameters
    ----------
    rows_per_class : float
        Mean number of distilled rows per class, at least 1.
    outer, inner : int or None
        Counts set by the user; None takes the interpolated value.

    Returns
    -------
    outer, inner : int

    References
    ----------
    Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021,
    supplementary material.

    Examples
    --------
    >>> loop_counts(1), loop_counts(10), loop_counts(20), loop_counts(200), loop_counts(10, inner=5)
    ((1, 1), (10, 50), (20, 25), (50, 10), (10, 5))
    """
    log_budgets = np.log(list(_PUBLISHED))
    counts = [
        int(np.rint(np.exp(np.interp(np.log(rows_per_class), log_budgets, np.log(values)))))
        for values in zip(*_PUBLISHED.values(), strict=True)
    ]
    return outer or counts[0], inner or counts[1]


def default_depth(network: Any, shape: tuple[int, ...]) -> int | None:
    """Return the number of blocks, at most three, for which the last norm sees enough values.

    The last normalization layer must see at least 4x4 pixels or 16 time steps. A norm over fewer
    values divides by standard deviations near zero, so that the lengths of the gradients vary
    widely between networks and the matching loss rises instead of falling. (Three blocks on 8x8
    images, whose last norm sees 2x2 pixels, behave like this; two blocks do not.)

    Parameters
    ----------
    network : str or callable
        Name of a network, or the user's own factory.
    shape : tuple of int
        Shape of one row.

    Returns
    -------
    int or None
        At least 1; None if the network is not a stack of such blocks.
    """
    if not isinstance(network, str):
        return None
    log_shortest_side = {"convnet": 2, "convnet1d": 4}.get(network_name(network, shape))
    if log_shortest_side is None:
        return None
    sides = shape[1:]
    # The last of n blocks sees the side halved n - 1 times, and side / 2^(n - 1) must be at least
    # 2^log_shortest_side.
    return max(1, min(3, min(sides).bit_length() - log_shortest_side))


def default_rate(shape: tuple[int, ...]) -> float:
    """Return the default step size of the synthetic rows: ``0.2 min(1, d / 784)`` for d numbers.

    A row of d standardized numbers has length sqrt(d). A network with norms depends on the
    direction of a row only, so that gradients are inversely proportional to its length; turning
    the row by a given angle therefore takes a step size proportional to d. The constant is the
    best rate for images of 28x28 pixels; the best rates for tables of 13 to 64 columns agree with
    the same line.
    """
    return min(0.2, 0.2 * prod(shape) / 784)


def classes_in_one_pass(network: Any, problem: CondensationProblem, width: int) -> bool:
    """Return whether the rows of all classes should go through the network in one vectorized pass.

    Their gradients are taken class by class all the same, which needs a network without batch norm
    whose rows do not depend on each other. On a CPU, large classes are faster one by one.

    Parameters
    ----------
    network : str or callable
    problem : CondensationProblem
    width : int
        Channels of a ConvNet.
    """
    name = network_name(network, problem.shape) if isinstance(network, str) else None
    if name == "convnet" and problem.device.type == "cpu" and can_compile():
        rows = problem.rows
        return width * rows.size / len(rows.groups) <= _ONE_PASS
    return name not in {None, "resnet18"}
