"""A registered method as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from distillkit.advice._cost_estimate import CostEstimate
from distillkit.plugins._traits import exposes_originals, starts_from_real
from distillkit.specs import CONTROL, MethodSpec

__all__ = ["MethodCandidate"]


@dataclass(frozen=True, kw_only=True)
class MethodCandidate:
    """A method with its parameters, and what it will take.

    Parameters
    ----------
    name : str
        Registered name.
    spec : MethodSpec
    params : dict
        Parameters of the registration, without those that limit its time.
    time_bound : bool
        Whether the method takes steps until `max_seconds` has passed.
    estimate : CostEstimate or None
        None if it was not estimated.
    """

    name: str
    spec: MethodSpec
    params: dict[str, Any] = field(default_factory=dict)
    time_bound: bool = False
    estimate: CostEstimate | None = None

    @property
    def kind(self) -> str:
        """Family of the method."""
        return self.spec.kind

    @property
    def is_control(self) -> bool:
        """Whether the method is a control that others are compared with."""
        return self.spec.role == CONTROL

    @property
    def needs_networks(self) -> bool:
        """Whether the method trains networks."""
        return "torch" in self.spec.requires

    @property
    def makes_rows(self) -> bool:
        """Whether the method optimizes or generates rows, instead of picking or averaging them."""
        return self.kind in ("condensation", "synthesis")

    @property
    def exposes_originals(self) -> bool:
        """Whether the method publishes training rows as they are."""
        return exposes_originals(self.spec, self.params)

    @property
    def starts_from_real(self) -> bool:
        """Whether the method may publish training rows nearly unchanged."""
        return starts_from_real(self.spec, self.params)

    def suits(self, situation: str) -> bool:
        """Return whether the registration names a situation."""
        return situation in self.spec.suits
