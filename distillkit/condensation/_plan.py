"""The plan of one fit: everything a method decides before the steps that all condensers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from distillkit.condensation.loop._loop import Loop, LoopContext
    from distillkit.condensation.loop._synthetic_rows import SyntheticRows
    from distillkit.condensation.loop._validation import Judge
    from distillkit.condensation.problem._problem import Batch

__all__ = ["CondensationPlan"]


@dataclass(frozen=True)
class CondensationPlan:
    """What one fit of a condenser does, as it follows from its parameters and the training rows.

    Parameters
    ----------
    make_network : callable
        Maps a seed to a fresh network on the device, with the outputs of the task. It is what
        validation trains on the synthetic rows.
    make_rows : callable
        Maps the first rows and targets of each group to `SyntheticRows`, which have an optimizer.
    make_loop : callable
        Maps a `LoopContext` to the loop of the method.
    block_size : int
        Updates whose mean loss is one entry of the history and of the test for convergence.
    schedule : {"constant", "linear"}
        How the learning rates of the rows change; see `LoopContext`.
    learn_labels : bool
        Whether the first targets of classes are logits, which are learned, and not class numbers.
    make_judge : callable or None
        Maps the held-out batch and a seed to what validates the rows. None takes `Validation`.
    """

    make_network: Callable[[int], nn.Module]
    make_rows: Callable[[list[Batch]], SyntheticRows]
    make_loop: Callable[[LoopContext], Loop]
    block_size: int
    schedule: str = "constant"
    learn_labels: bool = False
    make_judge: Callable[[Batch, int], Judge] | None = None
