"""Kernel herding under a name of its own, so that the harness can compare it with plain herding."""

from __future__ import annotations

from typing import Any

from distillkit_herding._herding import HerdingCoreset

__all__ = ["KernelHerdingCoreset"]


class KernelHerdingCoreset(HerdingCoreset):
    """`HerdingCoreset` whose `kernel` is "gaussian" unless told otherwise.

    Parameters
    ----------
    budget, kernel, bandwidth, task, random_state
        See `HerdingCoreset`.
    """

    def __init__(
        self,
        budget: Any = 0.1,
        *,
        kernel: str = "gaussian",
        bandwidth: float | None = None,
        task: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(budget, kernel=kernel, bandwidth=bandwidth, task=task, random_state=random_state)
