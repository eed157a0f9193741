"""What a method is expected to take on this machine."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CostEstimate"]


@dataclass(frozen=True)
class CostEstimate:
    """Estimated cost of a distillation.

    Parameters
    ----------
    seconds : float
        Wall-clock seconds.
    memory_mb : float
        Growth of memory at its peak, in megabytes.
    """

    seconds: float
    memory_mb: float
