"""Decides whether an optimization has diverged, although its rows and losses are finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from distillkit.condensation.loop._synthetic_rows import Snapshot

__all__ = ["has_diverged"]

_FAR = 2.0  # ranges of the training rows beyond which rows without a lower loss are ruined
_FARTHEST = 20.0  # the same for rows of any loss


def has_diverged(
    best: Snapshot,
    start: Snapshot,
    *,
    first_loss: float,
    lowest_loss: float,
    limits: tuple[torch.Tensor, torch.Tensor],
) -> bool:
    """Tell whether the best rows of a run are ruined, so that its first rows are better.

    A learning rate that is far too large moves the rows out of the range of the training rows in
    its first steps, while their loss may remain finite. Rows count as ruined if a value (or a
    learned target) lies more than two ranges of its column outside of it, beyond where the start
    already was, and no smoothed loss was below that of the start. Beyond twenty ranges, they count
    as ruined whatever the loss is: it depends on the networks that were drawn, and can be lower for
    rows that all look alike to these.

    Parameters
    ----------
    best, start : Snapshot
        The best rows of the run, and the rows before its first update.
    first_loss, lowest_loss : float
        Loss of the start, and the lowest smoothed loss.
    limits : tuple of two tensors
        Lowest and highest values of the training rows, see `CondensationProblem.limits`.

    Returns
    -------
    bool
    """
    allowed = _FARTHEST if lowest_loss < first_loss else _FAR
    if _outside(best.X, *limits) > max(0.0, _outside(start.X, *limits)) + allowed:
        return True
    if not best.targets.is_floating_point():
        return False
    ends = start.targets.min(), start.targets.max()
    return _outside(best.targets, *ends) > allowed


def _outside(values: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> float:
    """Return how far values lie outside of a range, in widths of it (in units, if it is narrow)."""
    width = (high - low).clamp_min(1.0)
    return float(torch.maximum(values - high, low - values).div(width).max())
