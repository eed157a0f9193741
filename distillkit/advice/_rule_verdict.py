"""What a rule says of a method."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RuleVerdict"]


@dataclass(frozen=True)
class RuleVerdict:
    """Points for or against a method, or its exclusion, with the reason.

    Parameters
    ----------
    points : float
        Positive if the rule speaks for the method; the points of all rules are added.
    reason : str
        One sentence.
    excludes : bool
        Whether the method must not be used, whatever the other rules say.
    """

    points: float
    reason: str
    excludes: bool = False

    @classmethod
    def exclusion(cls, reason: str) -> RuleVerdict:
        """Return the verdict that rules a method out."""
        return cls(0.0, reason, excludes=True)
