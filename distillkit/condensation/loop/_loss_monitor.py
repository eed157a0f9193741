"""Monitoring of the matching loss, which selects the best rows and detects convergence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["LossMonitor"]


@dataclass
class LossMonitor:
    """Smooths the matching loss, and tells whether the current rows are good and have converged.

    The loss depends on the network that was drawn, so that single values cannot be compared. It is
    averaged over blocks of updates, and the means are smoothed exponentially, with weights that
    halve about every three blocks.

    Parameters
    ----------
    every : int
        Number of updates in a block.
    tol : float
        Smallest relative decrease of the smoothed loss that counts as an improvement.
    patience : int or None
        Updates without an improvement after which the rows have converged; None never converges.

    Attributes
    ----------
    smoothed, lowest : float
        Current value of the smoothed loss, and its value at the last improvement.
    waited : int
        Updates since the last improvement.
    """

    every: int
    tol: float
    patience: int | None
    smoothed: float = float("inf")
    lowest: float = float("inf")
    waited: int = 0
    _block: list[dict[str, float]] = field(default_factory=list)

    # weight of the previous smoothed loss at each block
    _DECAY = 0.8
    # Rows are as good as the best if their loss is at most this many times the lowest. Such a
    # difference is noise, and newer rows are preferred because they have matched more networks.
    _AS_GOOD = 1.01

    def add(self, values: Mapping[str, float]) -> bool:
        """Add the loss and other figures of one update; return whether the block is full."""
        self._block.append(dict(values))
        return len(self._block) >= self.every

    def close(self) -> dict[str, float] | None:
        """End the block and return its mean figures for the history, or None if it is empty."""
        if not self._block:
            return None
        block, self._block = self._block, []
        means = {name: sum(values[name] for values in block) / len(block) for name in block[0]}
        first = self.smoothed == float("inf")
        self.smoothed = means["loss"] if first else self._DECAY * self.smoothed + (1 - self._DECAY) * means["loss"]
        improved = self.smoothed < self.lowest * (1 - self.tol) or first
        self.waited = 0 if improved else self.waited + len(block)
        if improved:
            self.lowest = self.smoothed
        return means

    @property
    def as_good(self) -> bool:
        """Whether the current rows are as good as the best so far and should replace them."""
        return self.smoothed <= self.lowest * self._AS_GOOD

    @property
    def converged(self) -> bool:
        """Whether patience is exhausted."""
        return self.patience is not None and self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """Return the values that the next block depends on; they can be written as JSON."""
        return {"smoothed": self.smoothed, "lowest": self.lowest, "waited": self.waited, "block": list(self._block)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from the values that `state` returned."""
        self.smoothed, self.lowest = float(state["smoothed"]), float(state["lowest"])
        self.waited = int(state["waited"])
        self._block = [{name: float(value) for name, value in values.items()} for values in state["block"]]
        if any("loss" not in values or values.keys() != self._block[0].keys() for values in self._block):
            raise ValueError("the figures of its updates have not the same names")
