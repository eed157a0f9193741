"""What an automatic choice tried, what it cost, why it chose, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from distillkit.advice import Recommended, Situation
from distillkit.auto._candidate_report import CandidateReport
from distillkit.auto._report_html import report_html
from distillkit.auto._report_text import report_text
from distillkit.auto._rung import Rung
from distillkit.auto._splits import Split
from distillkit.auto._trial import Trial

__all__ = ["AutoReport"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AutoReport:
    """The account of an automatic choice; `print` shows it in words, a notebook as a table.

    Parameters
    ----------
    chosen : str
        Registered name of the method.
    reason : str
        Why it was chosen, in sentences.
    tied : tuple of str
        Methods that cannot be told apart from the best one.
    candidates : tuple of CandidateReport
        The methods that took part, the chosen one first and the others by score.
    left_out : tuple of Recommended
        The methods that did not, each with the reason.
    situation : Situation or None
        What was measured of the data; None without a target, or where it was not measured.
    judges : tuple of str
        Names of the models by which the candidates were judged.
    measure : str
        "balanced accuracy" or "R2"; the mean over the judges is compared.
    rungs : tuple of Rung
        The plan of the rungs.
    trials : tuple of Trial
        All measurements.
    splits : tuple of Split
        The validation splits with the largest number of rows, by number.
    draws : dict of int to float
        Scores of the draws of the chosen method on all rows, by seed: those of the judges on
        training rows outside of the draw. The best draw is returned. Empty if there was only one.
    seed : int
        Seed of the fit that is returned.
    n_rows, kept : int
        Training rows, and rows of the distilled set.
    max_seconds : float or None
        The seconds given.
    seconds_measuring, seconds_search, seconds_final : float
        Wall-clock seconds of the measurement of the data, of the search, and of the fit to all
        rows.
    ended_early : bool
        Whether the clock ended the search before its plan. Then another run may choose differently.
    """

    chosen: str
    reason: str
    tied: tuple[str, ...] = ()
    candidates: tuple[CandidateReport, ...] = ()
    left_out: tuple[Recommended, ...] = ()
    situation: Situation | None = None
    judges: tuple[str, ...] = ()
    measure: str = ""
    rungs: tuple[Rung, ...] = ()
    trials: tuple[Trial, ...] = ()
    splits: tuple[Split, ...] = ()
    draws: dict[int, float] = field(default_factory=dict)
    seed: int = 0
    n_rows: int = 0
    kept: int = 0
    max_seconds: float | None = None
    seconds_measuring: float = 0.0
    seconds_search: float = 0.0
    seconds_final: float = 0.0
    ended_early: bool = False

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of the whole choice."""
        return self.seconds_measuring + self.seconds_search + self.seconds_final

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the positions of rows as plain values, ready for JSON."""
        return {
            "chosen": self.chosen,
            "reason": self.reason,
            "tied": list(self.tied),
            "candidates": [one.to_dict() for one in self.candidates],
            "left_out": [{"name": one.name, "reason": " ".join(one.reasons)} for one in self.left_out],
            "judges": list(self.judges),
            "measure": self.measure,
            "situation": None if self.situation is None else self.situation.to_dict(),
            "trials": [one.to_dict() for one in self.trials],
            "draws": {str(seed): score for seed, score in self.draws.items()},
            "seed": self.seed,
            "rows": self.n_rows,
            "kept": self.kept,
            "max_seconds": self.max_seconds,
            "seconds": self.seconds,
            "ended_early": self.ended_early,
        }

    def __str__(self) -> str:
        return report_text(self)

    def __repr__(self) -> str:
        return f"<AutoReport: {self.chosen} of {len(self.candidates)} methods tried, in {self.seconds:.1f} s>"

    def _repr_html_(self) -> str:
        return report_html(self)
