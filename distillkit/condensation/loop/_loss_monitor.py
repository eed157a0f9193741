"""The monitor of the matching loss: means over blocks, the newest rows worth keeping, and the end of patience."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["LossMonitor"]


@dataclass
class LossMonitor:
    """Keeps the newest rows whose smoothed loss is as good as the lowest, and tells when it has stopped falling.

    The loss depends on the network drawn, so single values do not compare: it is averaged over blocks of updates, and those are
    smoothed with weights that halve every three blocks.

    Parameters
    ----------
    every : int
        Updates in a block.
    tol : float
        Smallest relative fall that counts as one.
    patience : int or None
        Updates without one after which the rows have converged; None never.
    """

    every: int
    tol: float
    patience: int | None
    smoothed: float = float("inf")
    lowest: float = float("inf")
    waited: int = 0
    _block: list[dict[str, float]] = field(default_factory=list)

    _KEEP = 0.8  # of the smoothed loss, at each block
    _AS_GOOD = 1.01  # times the lowest: within its noise, and newer rows have seen more networks

    def add(self, values: Mapping[str, float]) -> bool:
        """Take the loss (and other figures) of one update; return whether a block is full."""
        self._block.append(dict(values))
        return len(self._block) >= self.every

    def close(self) -> dict[str, float] | None:
        """End the block and return its means, for the history; None where it is empty."""
        if not self._block:
            return None
        block, self._block = self._block, []
        means = {name: sum(values[name] for values in block) / len(block) for name in block[0]}
        first = self.smoothed == float("inf")
        self.smoothed = means["loss"] if first else self._KEEP * self.smoothed + (1 - self._KEEP) * means["loss"]
        fell = self.smoothed < self.lowest * (1 - self.tol) or first
        self.waited = 0 if fell else self.waited + len(block)
        if fell:
            self.lowest = self.smoothed
        return means

    @property
    def as_good(self) -> bool:
        """Whether the rows of now are to be kept."""
        return self.smoothed <= self.lowest * self._AS_GOOD

    @property
    def converged(self) -> bool:
        """Whether patience is at its end."""
        return self.patience is not None and self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """All that the next block depends on, fit for JSON."""
        return {"smoothed": self.smoothed, "lowest": self.lowest, "waited": self.waited, "block": list(self._block)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.smoothed, self.lowest, self.waited = state["smoothed"], state["lowest"], state["waited"]
        self._block = [dict(values) for values in state["block"]]
