"""What a report says of one candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from distillkit.auto._scoreboard import MeanOverSplits

__all__ = ["CandidateReport"]


@dataclass(frozen=True, kw_only=True)
class CandidateReport:
    """A method that was tried, with its score, its cost and what became of it.

    Parameters
    ----------
    name, kind : str
        Registered name and family.
    outcome : {"chosen", "tied", "beaten", "dropped", "not reached"}
        "tied": its difference to the best is within the standard error of the difference. "beaten":
        it was measured to the end. "dropped": another reason ended its trials, see `note`.
    score : MeanOverSplits or None
        Mean balanced accuracy or R2 on validation rows, with its standard error and the number of
        splits; None if it was never measured.
    gain : MeanOverSplits or None
        The same of the difference to the random subset on the same splits.
    rows : int
        Largest number of rows to which it was fitted.
    trials : int
        Number of fits.
    seconds : float
        Wall-clock seconds of all its fits and of judging them.
    note : str
        Why it was dropped, or what the rules say of it.
    """

    name: str
    kind: str
    outcome: str
    score: MeanOverSplits | None = None
    gain: MeanOverSplits | None = None
    rows: int = 0
    trials: int = 0
    seconds: float = 0.0
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        plain: dict[str, Any] = {
            name: getattr(self, name) for name in ("name", "kind", "outcome", "rows", "trials", "seconds", "note")
        }
        for name, value in (("score", self.score), ("gain", self.gain)):
            plain[name] = None if value is None else value.mean
            plain[f"{name}_error"] = None if value is None else value.error
        plain["splits"] = 0 if self.score is None else self.score.n_splits
        return plain
