"""Where a fit learns which processes share it."""

from __future__ import annotations

from torch import distributed

from distillkit.condensation.processes._group import ProcessGroup
from distillkit.condensation.processes._processes import Processes

__all__ = ["open_processes"]


def open_processes(setting: str | None) -> Processes:
    """Return the processes of the group that torch.distributed was initialized with.

    Parameters
    ----------
    setting : {"auto", None}
        None returns this process alone, and so does "auto" without a group of several processes.
    """
    if setting is None or not distributed.is_available() or not distributed.is_initialized():
        return Processes()
    return ProcessGroup() if distributed.get_world_size() > 1 else Processes()
