"""One measurement of a candidate: a fit to a part of the rows, judged on validation rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Trial"]


@dataclass(frozen=True, eq=False)
class Trial:
    """A candidate fitted to a part of the training rows, and judged on validation rows.

    Parameters
    ----------
    method : str
        Registered name.
    rung : int
        Number of the rung, from 0.
    split : int
        Number of the validation split, from 0.
    seed : int
        Seed of the candidate and of the judges.
    rows : int
        Rows that the candidate saw.
    kept : int
        Rows of the distilled set.
    scores : tuple of float
        Balanced accuracy or R2 on the validation rows, one for each judge.
    seconds : float
        Wall-clock seconds of the fit of the candidate.
    judge_seconds : float
        Wall-clock seconds of the judges.
    parts : ndarray of shape (n_validation,) or None
        What each validation row contributes to the mean score, from which the error of a single
        split is estimated.
    error : str
        Text of the error with which the fit ended; then there are no scores.
    """

    method: str
    rung: int
    split: int
    seed: int
    rows: int
    kept: int = 0
    scores: tuple[float, ...] = ()
    seconds: float = 0.0
    judge_seconds: float = 0.0
    parts: np.ndarray | None = field(default=None, repr=False)
    error: str = ""

    @property
    def score(self) -> float:
        """Mean score over the judges."""
        return float(np.mean(self.scores)) if self.scores else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, without the parts."""
        names = ("method", "rung", "split", "seed", "rows", "kept", "seconds", "judge_seconds", "error")
        return {name: getattr(self, name) for name in names} | {
            "scores": list(self.scores),
            "score": self.score if self.scores else None,
        }
