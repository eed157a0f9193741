"""One light of the privacy panel."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Light"]


@dataclass(frozen=True)
class Light:
    """One finding on privacy as a light, with its reason.

    Parameters
    ----------
    name : str
        What was looked at.
    color : {"green", "amber", "red"}
        Red: the set reveals training rows. Amber: it may, or it could not be told. Green: no more
        was found than for rows that the method has not seen.
    reason : str
        The finding in a sentence.
    """

    name: str
    color: str
    reason: str

    def __str__(self) -> str:
        return f"{self.color.upper()} {self.name}: {self.reason}"
