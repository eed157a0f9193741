"""One method of a recommendation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from distillkit.advice._cost_estimate import CostEstimate

__all__ = ["Recommended"]


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """A method with its place in a recommendation.

    Parameters
    ----------
    name, kind : str
        Registered name and family.
    points : float
        Sum of what the rules say; the methods are ranked by it.
    reasons : tuple of str
        One sentence for each rule that has something to say. For an excluded method, why it is.
    estimate : CostEstimate or None
        Seconds and memory on this machine; None if they were not estimated.
    params : dict
        Parameters that the suite sets, such as `max_seconds`.
    excluded : bool
        Whether a rule excludes the method.
    """

    name: str
    kind: str
    points: float = 0.0
    reasons: tuple[str, ...] = ()
    estimate: CostEstimate | None = None
    params: dict[str, Any] = field(default_factory=dict)
    excluded: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {
            "method": self.name,
            "kind": self.kind,
            "points": self.points,
            "reasons": list(self.reasons),
            "seconds": None if self.estimate is None else self.estimate.seconds,
            "memory_mb": None if self.estimate is None else self.estimate.memory_mb,
            "params": dict(self.params),
            "excluded": self.excluded,
        }
